"""How does a case stay on the protocol it started with, when the office changes the file?"""

from collections.abc import Mapping
from dataclasses import replace

from reminder.actions.desk import Desk
from reminder.domain.errors import Faulty, ReminderError
from reminder.domain.protocol_files import read_protocols
from reminder.domain.protocols import Protocol
from reminder.store import protocol_versions
from reminder.store.cases import CaseRow
from reminder.store.database import Database, Tx
from reminder.store.protocol_versions import Held


async def at_start(db: Database, desk: Desk) -> None:
    """Keep what was loaded, and have at hand what cases still hold. Writes only where something is new."""
    async with db.read() as tx:
        missing = await _unkept(tx, desk)
    if missing:
        async with db.write() as tx:
            await keep(tx, desk)
    async with db.read() as tx:
        await adopt(tx, desk)


async def _unkept(tx: Tx, desk: Desk) -> list[Protocol]:
    kept = await protocol_versions.known(tx)
    loaded = [p for key, p in desk.protocols.items() if key in desk.sources]
    return [p for p in loaded if (p.key, p.version) not in kept]


async def keep(tx: Tx, desk: Desk) -> None:
    """Keep the files of every loaded version that is not kept yet."""
    for protocol in await _unkept(tx, desk):
        held = (protocol.key, protocol.version)
        await protocol_versions.put(tx, held, desk.sources[protocol.key], desk.clock.now())


async def adopt(tx: Tx, desk: Desk) -> None:
    """Read again every version that some case holds and that is not the one of today."""
    for held in sorted(await protocol_versions.held(tx)):
        await _read_again(tx, desk, held)


async def at_hand(tx: Tx, desk: Desk, row: CaseRow) -> None:
    """Make sure of the version a case holds: another process may have put it there since we started."""
    await _read_again(tx, desk, row.protocol_held)


async def _read_again(tx: Tx, desk: Desk, held: Held) -> None:
    if not _wanting(desk, held) or held in desk.unreadable:
        return
    protocol = _read(desk, held, await protocol_versions.texts(tx, held) or {})
    if protocol is None:
        desk.unreadable.add(held)
    else:
        desk.versions = {**desk.versions, held: protocol}


def _wanting(desk: Desk, held: Held) -> bool:
    """Whether the version is neither at hand nor the one of today; cases of old may name none."""
    key, version = held
    today = desk.protocols.get(key)
    return bool(version) and held not in desk.versions and (today is None or today.version != version)


def _read(desk: Desk, held: Held, texts: Mapping[str, str]) -> Protocol | None:
    """None where the files are gone, or name what this program no longer knows.

    It bears the version it was kept under, though a newer program might reckon another for the same files.
    """
    key, version = held

    def known(code: str) -> bool:
        try:
            desk.calendar_of(code)
        except ReminderError:
            return False
        return True

    try:
        found = read_protocols(texts, kinds=desk.templates.kinds.keys(), calendars=known).get(key)
    except Faulty:
        return None
    return replace(found, version=version) if found is not None else None
