"""An office whose protocol files are edited between two starts."""

from collections.abc import Callable
from dataclasses import replace

from reminder.actions import versions
from reminder.domain.protocol_files import read_protocols, sources
from reminder.runtime import Runtime
from tests.office import ROOT, clock_of, desk, numbers, templates


def files() -> dict[str, str]:
    """The protocol files as they are delivered."""
    return {p.name: p.read_text("utf-8") for p in sorted((ROOT / "templates" / "protocols").glob("*.toml"))}


async def restarted(rt: Runtime, edit: Callable[[dict[str, str]], None] = lambda _files: None) -> Runtime:
    """The same office and database after another start, its files edited meanwhile."""
    texts = files()
    edit(texts)
    kinds = templates().kinds.keys()
    made = replace(
        desk(clock_of(rt)),
        protocols=dict(read_protocols(texts, kinds=kinds, calendars=None)),
        sources=sources(texts),
        new_id=numbers(hash(tuple(texts.values())) % 1000 + 7),
    )
    await versions.at_start(rt.db, made)
    return replace(rt, desk=made)


def put(name: str, old: str, new: str) -> Callable[[dict[str, str]], None]:
    """An edit of one file; it fails where the old text is not there."""

    def edit(texts: dict[str, str]) -> None:
        assert old in texts[name], f"{name} has no {old!r}"
        texts[name] = texts[name].replace(old, new)

    return edit
