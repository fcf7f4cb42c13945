"""What the terminal prints to explain a case, to rehearse the days to come, and to change a protocol."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import typer

from reminder.actions import migrating
from reminder.actions.derivations import CaseWhy, why_case
from reminder.actions.desk import CLOCKWORK
from reminder.actions.migrating import Change
from reminder.actions.overview import coming
from reminder.actions.preview import Coming
from reminder.actions.said_lines import Lines
from reminder.app import opened
from reminder.domain.errors import NotFound, Refused
from reminder.domain.people import OrgUnit
from reminder.runtime import Runtime
from reminder.settings import Settings
from reminder.store import cases, people
from reminder.store.database import Tx

MOST_DAYS = 366


def _json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


async def _case(tx: Tx, number: str) -> int:
    row = await cases.by_number(tx, number)
    if row is None:
        raise NotFound("not_found")
    return row.case.id


async def why(settings: Settings, number: str, *, as_json: bool, lang: str) -> int:
    """Every date of a case with its derivation, and every message about it."""
    async with opened(settings) as rt, rt.db.read() as tx:
        found = await why_case(tx, rt.desk, CLOCKWORK, await _case(tx, number), lang)
        if as_json:
            _json(_why_object(found))
        else:
            typer.echo("\n".join(Lines(rt.desk, lang).case(found)))
    return 0


def _why_object(found: CaseWhy) -> dict[str, Any]:
    return asdict(found)


# --- a rehearsal ------------------------------------------------------------------------------


async def preview(settings: Settings, *, days: int, unit: str, as_json: bool, lang: str) -> int:
    """The exact texts, recipients and SMS parts of the days to come, if nothing more happens."""
    if not 1 <= days <= MOST_DAYS:
        raise Refused("preview.days", most=MOST_DAYS)
    async with opened(settings) as rt, rt.db.read() as tx:
        root = await _unit(tx, unit) if unit else None
        until = rt.clock.now() + timedelta(days=days)
        below = root.id if root is not None else None
        found = await coming(tx, rt.desk, until, most_cases=None, unit=below)
        if as_json:
            _json(_preview_object(found, days, root))
        else:
            typer.echo("\n".join(Lines(rt.desk, lang).rehearsal(found, days)))
    return 0


async def _unit(tx: Tx, said: str) -> OrgUnit:
    units = (await people.staff(tx)).units.values()
    found = [u for u in units if said.casefold() in {u.name.casefold(), str(u.id)}]
    if len(found) != 1:
        raise Refused("people.unit", known=", ".join(u.name for u in units)[:200])
    return found[0]


def _preview_object(found: Sequence[tuple[str, Coming]], days: int, unit: OrgUnit | None) -> dict[str, Any]:
    rows = [
        {
            "case": no,
            "at": one.at,
            "to": one.recipient_name,
            "channel": one.channel.value,
            "kind": one.kind,
            "text": one.text,
            "sms_parts": one.segments,
        }
        for no, one in found
    ]
    parts = sum(one.segments for _, one in found)
    return {
        "days": days,
        "unit": unit.name if unit is not None else None,
        "sms_parts": parts,
        "messages": rows,
    }


# --- another protocol -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line asked for. `promised`: how many promises may be broken."""

    key: str
    apply: bool
    promised: int
    as_json: bool
    lang: str


async def change_case(settings: Settings, number: str, wish: Wish) -> int:
    """Show what another protocol would change about one case, and do it where asked to."""
    async with opened(settings) as rt:
        async with rt.db.write() as tx:
            case_id = await _case(tx, number)
            found = await migrating.would_change(tx, rt.desk, CLOCKWORK, case_id, wish.key)
        return await _change(rt, wish, [found], list(Lines(rt.desk, wish.lang).change(found)))


async def migrate(settings: Settings, wish: Wish) -> int:
    """Show what the newest version of a protocol would change in every case behind, and do it where asked."""
    async with opened(settings) as rt:
        changes = await migrating.would_migrate(rt.db, rt.desk, CLOCKWORK, wish.key)
        words = Lines(rt.desk, wish.lang)
        if not changes and not wish.as_json:
            typer.echo(words.word("change.up_to_date", key=wish.key))
            return 0
        return await _change(rt, wish, changes, list(words.migration(wish.key, changes, most=None)))


async def _change(rt: Runtime, wish: Wish, changes: Sequence[Change], lines: list[str]) -> int:
    """0: shown, or done; 1: a case stayed as it was."""
    done = None
    if not wish.as_json:
        typer.echo("\n".join(lines))
    if wish.apply:
        done = await migrating.migrate(rt.db, rt.desk, CLOCKWORK, wish.key, changes, promised=wish.promised)
    if wish.as_json:
        _json(_change_object(wish, changes, done))
    else:
        _say(rt, wish, changes, done)
    return 1 if done is not None and done.left else 0


def _say(rt: Runtime, wish: Wish, changes: Sequence[Change], done: migrating.Migrated | None) -> None:
    words = Lines(rt.desk, wish.lang)
    promised = sum(one.promised for one in changes)
    if done is None:
        key = "change.dry_run_promised" if promised else "change.dry_run"
        typer.echo(words.word(key, **({"n": promised} if promised else {})))
        return
    typer.echo(words.word("change.migrated", n=done.done, key=wish.key))
    for no, refused in done.left:
        why_not = rt.desk.templates.refusal(refused, wish.lang)
        typer.echo(words.word("change.left", no=no, why=why_not))


def _change_object(wish: Wish, changes: Sequence[Change], done: migrating.Migrated | None) -> dict[str, Any]:
    return {
        "protocol": wish.key,
        "applied": done.done if done is not None else 0,
        "left": [no for no, _ in done.left] if done is not None else [],
        "promised": sum(one.promised for one in changes),
        "cases": [asdict(one) | {"promised": one.promised} for one in changes],
    }
