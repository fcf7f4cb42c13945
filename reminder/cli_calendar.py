"""What `reminder calendar` prints and writes: the difference of a file of rest days, and how things stand."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import typer

from reminder.actions import calendar_import
from reminder.actions.calendar_gap import missing_year
from reminder.actions.calendars import behind
from reminder.actions.desk import Actor
from reminder.app import opened
from reminder.domain.errors import ReminderError
from reminder.domain.workdays import local_day
from reminder.settings import Settings
from reminder.store import overview


async def import_calendar(file: Path, settings: Settings, lang: str, *, apply: bool, as_json: bool) -> int:
    """0: shown, or applied. Faulty with every fault of the file, and nothing is changed."""
    content = await asyncio.to_thread(_read, file)
    progress = None if as_json or not sys.stderr.isatty() else _progress
    async with opened(settings) as rt:
        shown = await calendar_import.try_out(rt, Actor(), file.name, content, lang=lang, progress=progress)
        if not as_json:
            typer.echo(calendar_import.summary(rt.desk, shown, lang, lines=len(shown.moves)))
        changed = await calendar_import.apply(rt, Actor(), shown, progress) if apply else 0
        if as_json:
            done = {"applied": apply, "cases_changed": changed}
            typer.echo(json.dumps(calendar_import.json_object(shown) | done, ensure_ascii=False))
        elif apply:
            values = {"cases": changed, "moved": len(shown.moved)}
            typer.echo(rt.desk.templates.word("calendar.applied", lang, **values))
        else:
            typer.echo(rt.desk.templates.word("calendar.dry_run", lang))
    return 0


async def check(settings: Settings, lang: str, *, as_json: bool) -> int:
    """1 if days are wanted that are not known, or if cases have not followed those that are."""
    async with opened(settings) as rt, rt.db.read() as tx:
        office, word = rt.desk.office, rt.desk.templates.word
        today = local_day(rt.clock.now(), office.zone)
        found: dict[str, Any] = {
            "calendar": office.calendar.code,
            "known_through": office.calendar.confirmed_through(today.year),
            "missing": missing_year(office.calendar, today),
            "provisional": await overview.provisional(tx),
            "behind": await behind(tx, rt.desk),
        }
    if as_json:
        typer.echo(json.dumps(found))
    else:
        typer.echo(word("bot.calendar_known", lang, code=found["calendar"], year=found["known_through"]))
        typer.echo(word("bot.status_provisional", lang, n=found["provisional"]))
        if found["missing"]:
            typer.echo(word("calendar.missing", lang, year=found["missing"]))
        if found["behind"]:
            typer.echo(word("calendar.behind", lang))
    return 1 if found["missing"] or found["behind"] else 0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ReminderError(f"{path} cannot be read ({error.strerror}). Nothing was changed.") from None


def _progress(done: int, total: int) -> None:
    sys.stderr.write(f"\r{done} / {total}")
    if done >= total:
        sys.stderr.write("\n")
