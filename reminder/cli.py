"""The command line: parses and calls, nothing else. Expected errors become a sentence and an exit code."""

import asyncio
import gc
import sys
from collections.abc import Coroutine
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from reminder import logs
from reminder.cli_deadline import deadline
from reminder.domain.errors import Faulty, Refused, ReminderError
from reminder.terminal import spoken

app = typer.Typer(
    help="Keeps the return-visit and deadline calendar of every open case. 事事有回音、件件有着落",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
protocols_app = typer.Typer(help="Protocols: what must happen by when.", no_args_is_help=True)
config_app = typer.Typer(help="Settings: what holds, and where it was set.", no_args_is_help=True)
templates_app = typer.Typer(help="Message templates.", no_args_is_help=True)
calendar_app = typer.Typer(help="Rest days and make-up workdays.", no_args_is_help=True)
members_app = typer.Typer(help="Numbers of the team, for test mode.", no_args_is_help=True)
backup_app = typer.Typer(help="Copies of the database.", no_args_is_help=True)
app.add_typer(protocols_app, name="protocols")
app.add_typer(config_app, name="config")
app.add_typer(templates_app, name="templates")
app.add_typer(calendar_app, name="calendar")
app.add_typer(members_app, name="members")
app.add_typer(backup_app, name="backup")
app.command("deadline")(deadline)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Language = Annotated[str, typer.Option("--lang", help="zh or en; default: this terminal's language.")]
Apply = Annotated[bool, typer.Option("--apply", help="Do it. Without this nothing is changed.")]
Promised = Annotated[int, typer.Option(help="Repeats how many dates told to residents would fall away.")]


def main() -> None:
    """Run the command line. Exit codes: 0 well, 1 something was found, 2 refused or malformed."""
    gc.set_threshold(
        50_000, 20, 100
    )  # most objects of a start stay; looking through them again costs a tenth
    try:
        app()
    except Faulty as faulty:
        for fault in faulty.faults:
            typer.echo(str(fault), err=True)
        raise SystemExit(2) from None
    except Refused as refused:
        typer.echo(_sentence(refused), err=True)
        raise SystemExit(2) from None
    except ReminderError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None


def _sentence(refused: Refused) -> str:
    from reminder.app import load_templates

    return load_templates(None, "en").refusal(refused, spoken())


def _settings() -> Any:
    from reminder.settings_reading import load

    settings = load()
    logs.configure(json=settings.log.json_lines, level=settings.log.level)
    return settings


def _wait(work: Coroutine[Any, Any, int | None]) -> None:
    """Run to the end; a positive number becomes the exit code."""
    code = asyncio.run(work)
    if code:
        raise typer.Exit(code)


@app.command()
def run() -> None:
    """Keep the calendar: scheduler, bot and web together, until stopped."""
    from reminder import app as program

    _wait(program.run(_settings()))


@app.command()
def demo(
    *,
    lang: Annotated[str, typer.Option(help="zh or en; default: this terminal's language.")] = "",
    as_of: Annotated[
        str, typer.Option(help="The day to play, YYYY-MM-DD; default: the next working day.")
    ] = "",
    port: Annotated[int, typer.Option(help="Port of the page; a busy one is passed over.")] = 8080,
    seed: Annotated[int, typer.Option(help="Same seed, same county.")] = 1,
    keep: Annotated[bool, typer.Option("--keep", help="Go on where the last demo stopped.")] = False,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the browser.")] = False,
    headless: Annotated[
        bool, typer.Option("--headless", help="Play without a page, with seeded players.")
    ] = False,
    days: Annotated[int, typer.Option(help="How many days to play, with --headless.")] = 30,
    transcript: Annotated[Path | None, typer.Option(help="Where to write what phones received.")] = None,
) -> None:
    """See a county's casework office alive: a cadre's chat and a resident's phone, on one clock."""
    from reminder.demo.play import Wish, play

    wish = Wish(
        lang=lang or spoken(),
        as_of=_day(as_of) if as_of else None,
        port=port,
        seed=seed,
        keep=keep,
        open_page=not no_open and sys.stdout.isatty(),
        days=days,
        transcript=transcript,
    )
    logs.configure(json=False, level="WARNING")
    _wait(play(wish, headless=headless, say=typer.echo))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ReminderError(
            f"{text!r} is not a day. Write it like 2026-11-23; nothing was started."
        ) from None


@app.command("import")
def import_ledger(
    file: Annotated[Path, typer.Argument(help="The ledger: xlsx or csv.")],
    *,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write it. Without this nothing is written.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look (the default).")] = False,
    as_json: Json = False,
    out: Annotated[Path | None, typer.Option(help="Where the annotated ledger goes.")] = None,
    name: Annotated[str, typer.Option(help="Name of the ledger; default: the file's name.")] = "",
    answers: Annotated[
        Path | None,
        typer.Option(help='Answers: a JSON list of {"sheet", "row", "column", "choice"}, as --json asks.'),
    ] = None,
) -> None:
    """Read the office's own ledger. A dry run first; nobody is ever texted because of it."""
    from reminder import cli_import

    if apply and dry_run:
        raise ReminderError("Choose --dry-run or --apply, not both. Nothing was read or written.")
    wish = cli_import.Wish(file=file, apply=apply, as_json=as_json, out=out, name=name, answers=answers)
    _wait(cli_import.import_ledger(wish, _settings(), spoken()))


@app.command()
def check(as_json: Json = False) -> None:
    """Prove that every open case has a next date and a responsible person; exit 1 with the list if not."""
    from reminder import cli_office

    _wait(cli_office.check(_settings(), as_json=as_json))


@app.command()
def why(
    case: Annotated[str, typer.Argument(help="The case's number.")],
    *,
    as_json: Json = False,
    lang: Language = "",
) -> None:
    """Why every date of a case is what it is, who hears of it, and every message about it."""
    from reminder import cli_explain

    _wait(cli_explain.why(_settings(), case, as_json=as_json, lang=lang or spoken()))


@app.command()
def preview(
    *,
    days: Annotated[int, typer.Option(help="How many days ahead.")] = 14,
    unit: Annotated[str, typer.Option(help="Only this unit's cases and those below it: name or id.")] = "",
    as_json: Json = False,
    lang: Language = "",
) -> None:
    """The exact texts, recipients and SMS parts that will go, if nothing more happens."""
    from reminder import cli_explain

    _wait(cli_explain.preview(_settings(), days=days, unit=unit, as_json=as_json, lang=lang or spoken()))


@app.command("first-admin")
def first_admin(
    name: Annotated[str, typer.Option(help="The admin's name.")] = "Admin",
) -> None:
    """Print the first admin's one-time code, as a link and a QR code; it is good for 30 minutes."""
    from reminder import cli_office

    _wait(cli_office.first_admin(_settings(), name))


@app.command()
def migrate() -> None:
    """Bring the database to this version (also done at every start)."""
    from reminder import cli_office

    _wait(cli_office.migrate(_settings()))


@calendar_app.command("import")
def calendar_import(
    file: Annotated[Path, typer.Argument(help="CSV (date,kind,name), ICS, or the JSON of holiday-cn.")],
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Do it. Without this nothing is written.")] = False,
    as_json: Json = False,
) -> None:
    """What rest days change in every open case; with --apply they change. Doing it again changes nothing."""
    from reminder import cli_calendar

    _wait(cli_calendar.import_calendar(file, _settings(), spoken(), apply=apply, as_json=as_json))


@calendar_app.command("check")
def calendar_check(as_json: Json = False) -> None:
    """How far rest days are known; exit 1 if a year is missing or cases have not followed yet."""
    from reminder import cli_calendar

    _wait(cli_calendar.check(_settings(), spoken(), as_json=as_json))


@protocols_app.command("check")
def protocols_check(
    folder: Annotated[
        Path | None, typer.Argument(help="A folder of protocol files; default: ours and yours.")
    ] = None,
) -> None:
    """Check every protocol file; faults with file, line and remedy."""
    from reminder import cli_office

    raise typer.Exit(cli_office.check_protocols(folder, _settings()))


@protocols_app.command("migrate")
def protocols_migrate(
    key: Annotated[str, typer.Argument(help="The protocol's key, such as ordinary.")],
    *,
    apply: Apply = False,
    promised: Promised = 0,
    as_json: Json = False,
    lang: Language = "",
) -> None:
    """Put every case under way on a protocol's newest version; shows the exact difference first."""
    from reminder import cli_explain

    wish = cli_explain.Wish(key=key, apply=apply, promised=promised, as_json=as_json, lang=lang or spoken())
    _wait(cli_explain.migrate(_settings(), wish))


@protocols_app.command("change")
def protocols_change(
    case: Annotated[str, typer.Argument(help="The case's number.")],
    key: Annotated[str, typer.Argument(help="The protocol's key, such as urgent.")],
    *,
    apply: Apply = False,
    promised: Promised = 0,
    as_json: Json = False,
    lang: Language = "",
) -> None:
    """Put one case under another protocol or version; shows the exact difference first."""
    from reminder import cli_explain

    wish = cli_explain.Wish(key=key, apply=apply, promised=promised, as_json=as_json, lang=lang or spoken())
    _wait(cli_explain.change_case(_settings(), case, wish))


@templates_app.command("check")
def templates_check(
    folder: Annotated[Path | None, typer.Argument(help="A folder with your own templates.")] = None,
) -> None:
    """Check every message template: placeholders, length, tone, both languages."""
    from reminder import cli_office

    raise typer.Exit(cli_office.check_templates(folder, _settings()))


@config_app.command("show")
def config_show() -> None:
    """Every setting with its value and where it was set; secrets are masked."""
    for line in _settings().shown():
        typer.echo(f"{line.key} = {line.value}    # {line.source}")


@app.command()
def init(
    *,
    lang: Language = "",
    ask: Annotated[bool, typer.Option("--ask/--no-ask", help="Ask question by question.")] = True,
    timezone: Annotated[str, typer.Option(help="Without asking: the office's time zone.")] = "",
    name: Annotated[str, typer.Option(help="Without asking: the office's name.")] = "",
) -> None:
    """Set up an office: a few questions, each may be skipped; ends in test mode. Again: nothing is lost."""
    from reminder import cli_init, cli_office

    given = {"office.timezone": timezone, "office.name": name}
    settings = cli_init.init(lang or spoken(), ask=ask, given=given)
    if ask and settings.telegram.token is not None:
        _wait(cli_office.first_admin(settings, "Admin"))


@app.command()
def doctor(as_json: Json = False) -> None:
    """Look at everything a running office needs; exit 1 with what is wrong and what to do about it."""
    from reminder.cli_doctor import doctor as examine
    from reminder.settings_reading import load

    logs.configure(json=False, level="ERROR")
    _wait(examine(load, as_json=as_json))


@app.command()
def arm(
    *, approve: Annotated[bool, typer.Option("--approve", help="Arm it for this machine.")] = False
) -> None:
    """After a copy or a restore: show what waits, then let this machine send. Nothing overdue is sent."""
    from reminder import cli_safety

    _wait(cli_safety.arm(_settings(), approve=approve))


@app.command()
def live(
    *,
    apply: Apply = False,
    anyway: Annotated[bool, typer.Option("--anyway", help="Go live with open points.")] = False,
) -> None:
    """The list before going live; with --apply residents get texts from now on."""
    from reminder import cli_safety

    _wait(cli_safety.live(_settings(), apply=apply, anyway=anyway))


@app.command("test-mode")
def test_mode() -> None:
    """Back to test mode: texts go only to the team's numbers."""
    from reminder import cli_safety

    _wait(cli_safety.test_mode(_settings()))


@app.command()
def stop(
    name: Annotated[str, typer.Argument(help="sms, telegram, all, or the name of a unit.")],
    why: Annotated[str, typer.Option(help="Why; shown to everybody who asks.")],
) -> None:
    """Let nothing of it leave the house until `reminder go`; clocks run on."""
    from reminder import cli_safety

    _wait(cli_safety.hold(_settings(), name, why))


@app.command()
def go(name: Annotated[str, typer.Argument(help="What was stopped.")]) -> None:
    """Let it leave again."""
    from reminder import cli_safety

    _wait(cli_safety.hold(_settings(), name, None))


@members_app.command("add")
def members_add(number: Annotated[str, typer.Argument(help="A number of the team.")]) -> None:
    """In test mode this number gets texts."""
    from reminder import cli_safety

    _wait(cli_safety.members(_settings(), number, member=True))


@members_app.command("remove")
def members_remove(number: Annotated[str, typer.Argument(help="A number of the team.")]) -> None:
    """In test mode this number gets no texts any more."""
    from reminder import cli_safety

    _wait(cli_safety.members(_settings(), number, member=False))


@backup_app.command("create")
def backup_create(
    to: Annotated[Path | None, typer.Option(help="The file; default: in the data folder.")] = None,
) -> None:
    """A whole copy of the database, also while it is in use."""
    from reminder import cli_safety

    cli_safety.create_backup(_settings(), to)


@backup_app.command("verify")
def backup_verify(copy: Annotated[Path, typer.Argument(help="The copy.")]) -> None:
    """Open a copy and prove that it is whole."""
    from reminder import cli_safety

    cli_safety.verify_backup(copy)


@backup_app.command("restore")
def backup_restore(copy: Annotated[Path, typer.Argument(help="The copy.")]) -> None:
    """Put a copy in the database's place; what was there is kept. It comes back disarmed."""
    from reminder import cli_safety

    cli_safety.restore_backup(_settings(), copy)


@app.command()
def version() -> None:
    """Print the version."""
    from reminder import __version__

    typer.echo(f"reminder {__version__}")


if __name__ == "__main__":
    main()
