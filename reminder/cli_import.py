"""What `reminder import` prints and writes: the report, the workbook handed back, the applying."""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from reminder.actions import imports
from reminder.actions.desk import Actor
from reminder.app import opened
from reminder.domain.errors import ReminderError
from reminder.ledger import report
from reminder.runtime import Runtime
from reminder.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line asked for."""

    file: Path
    apply: bool
    as_json: bool
    out: Path | None
    name: str
    answers: Path | None


async def import_ledger(wish: Wish, settings: Settings, lang: str) -> int:
    """0: the file was dealt with, whatever it holds; 1: a row could not be written."""
    content = await asyncio.to_thread(_read, wish.file)
    answers = await asyncio.to_thread(_answers, wish.answers)
    async with opened(settings) as rt:
        found = await imports.try_out(
            rt, Actor(), wish.file.name, content, ledger=wish.name, answers=answers, progress=_progress(wish)
        )
        if wish.apply:
            found = await imports.apply(rt, Actor(), found, _progress(wish))
        _print(rt, wish, found, lang)
        await asyncio.to_thread(_hand_back, rt, wish, found, lang)
    return 1 if "failed" in found.outcomes.values() else 0


def _print(rt: Runtime, wish: Wish, found: imports.Import, lang: str) -> None:
    words = imports.words_of(rt.desk, lang)
    if wish.as_json:
        typer.echo(json.dumps(report.json_object(found.reading, found.counts, words), ensure_ascii=False))
        return
    typer.echo(report.summary(found.reading, found.counts, words))
    typer.echo(_told(rt, wish, found, lang))


def _told(rt: Runtime, wish: Wish, found: imports.Import, lang: str) -> str:
    """Whether anything was written; the last line, so that nobody overlooks it."""
    if not wish.apply:
        return rt.desk.templates.word("import.dry_run", lang)
    return imports.written(rt.desk, found, lang)


def _hand_back(rt: Runtime, wish: Wish, found: imports.Import, lang: str) -> None:
    """The annotated workbook: beside the ledger when applied, or wherever --out says."""
    if wish.out is None and not wish.apply:
        return
    name, document = imports.annotated(rt.desk, found, lang)
    target = wish.out or wish.file.with_name(name)
    try:
        target.write_bytes(document)
    except OSError as error:
        raise ReminderError(
            f"The annotated ledger could not be written to {target} ({error.strerror}). "
            "What was imported stays imported; run again with --out and another place."
        ) from None
    if not wish.as_json:
        typer.echo(str(target))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ReminderError(f"{path} cannot be read ({error.strerror}). Nothing was imported.") from None


def _answers(path: Path | None) -> dict[tuple[str, int, str], str] | None:
    """A JSON list of {"sheet", "row", "column", "choice"}, as `--json` gives the questions."""
    if path is None:
        return None
    try:
        given: Any = json.loads(path.read_text(encoding="utf-8"))
        return {(a["sheet"], int(a["row"]), a["column"]): str(a["choice"]) for a in given}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReminderError(
            f'{path} is no list of {{"sheet", "row", "column", "choice"}} ({type(error).__name__}). '
            "Nothing was imported; correct it and run again."
        ) from None


def _progress(wish: Wish) -> Any:
    """A counting line on a terminal, nothing in a pipe."""
    if wish.as_json or not sys.stderr.isatty():
        return None

    def show(done: int, total: int) -> None:
        sys.stderr.write(f"\r{done} / {total}")
        if done >= total:
            sys.stderr.write("\n")

    return show
