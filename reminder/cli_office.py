"""What the office's own commands print: the proof of the promise, the first code, the checks of its files."""

import io
import json
from pathlib import Path

import typer

from reminder.actions.check import violations
from reminder.actions.gaps import rungs_in_words
from reminder.actions.oversight import unreached
from reminder.actions.people import first_admin as first_admin_code
from reminder.app import load_protocols, load_templates, opened
from reminder.channels.telegram import Telegram
from reminder.domain.errors import Faulty, ReminderError
from reminder.lint import check_templates as lint_templates
from reminder.settings import Settings
from reminder.store.migrations import fits
from reminder.store.queue import lay_anew

OWN = "The database is at this version."


async def check(settings: Settings, *, as_json: bool) -> int:
    """Exit code 1 if any promise is broken, with the list; roles that nobody fills today are named too."""
    async with opened(settings) as rt, rt.db.read() as tx:
        found, rungs = await violations(tx, rt.desk), await unreached(tx, rt.desk)
        warned = rungs_in_words(rt.desk, rungs, "en")
    if as_json:
        rows = [{"case": v.case, "rule": v.rule, "detail": v.detail} for v in found]
        said = {"ok": not found, "violations": rows, "unreached": {k: list(v) for k, v in rungs.items()}}
        typer.echo(json.dumps(said, ensure_ascii=False))
        return 1 if found else 0
    for line in (*found, *warned):
        typer.echo(str(line))
    typer.echo(
        "Every open case has a next date and a responsible person." if not found else f"{len(found)} found."
    )
    return 1 if found else 0


async def first_admin(settings: Settings, name: str) -> int:
    """Prints the link; the code is nowhere else and not in the database."""
    if not settings.telegram.tokens:
        raise ReminderError(
            "Set telegram.token first: the code opens a chat with your bot. Nothing was made."
        )
    chat = Telegram(token=settings.telegram.tokens[0], base_url=settings.telegram.base_url)
    try:
        me = await chat.me()
    finally:
        await chat.close()
    if not isinstance(me, dict):
        raise ReminderError(
            "Telegram did not accept the token. Nothing was made; check telegram.token and try again."
        )
    async with opened(settings) as rt, rt.db.write() as tx:
        invite = await first_admin_code(tx, rt.desk, name=name, bot_name=me["username"])
    typer.echo(invite.link)
    typer.echo(_qr(invite.link))
    typer.echo(f"Open it within {int(invite.valid.total_seconds() // 60)} minutes; it works once.")
    return 0


def _qr(link: str) -> str:
    import segno

    drawn = io.StringIO()
    segno.make(link, micro=False).terminal(drawn, compact=True)
    return drawn.getvalue()


async def migrate(settings: Settings, *, queue: bool = False) -> int:
    async with opened(settings) as rt:
        if queue and not rt.db.sqlite:
            async with rt.db.write() as tx:
                await lay_anew(tx)
        newer = await fits(rt.db)
    typer.echo(f"The database is at a newer version ({newer}), which this one works with." if newer else OWN)
    return 0


def check_protocols(folder: Path | None, settings: Settings) -> int:
    """Exit code 2 with every fault, 0 with the list of protocols."""
    templates = load_templates(settings.files.templates, settings.office.lang)
    overlay = settings.files.templates
    if folder is not None:
        overlay = folder.parent if folder.name == "protocols" else folder
        if not folder.is_dir():
            raise ReminderError(f"{folder} is not a folder. Nothing was checked.")
    try:
        found = load_protocols(overlay, templates)
    except Faulty as faulty:
        for fault in faulty.faults:
            typer.echo(str(fault), err=True)
        return 2
    for key, protocol in sorted(found.items()):
        typer.echo(
            f"{key}: {protocol.names['zh']} / {protocol.names['en']}, {len(protocol.milestones)} milestones"
        )
    return 0


def check_templates(folder: Path | None, settings: Settings) -> int:
    """Exit code 2 with every fault, 0 if there is none."""
    from reminder.bundled import folder as bundled

    own = folder or settings.files.templates
    layers = [own] if own is not None else []
    faults = lint_templates(bundled("templates"), *layers, default_lang=settings.office.lang)
    for fault in faults:
        typer.echo(str(fault), err=True)
    if not faults:
        typer.echo("Every template is in order.")
    return 2 if faults else 0
