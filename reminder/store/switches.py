"""The switches as this database holds them."""

from reminder.domain.switches import Switches, read, written
from reminder.store import meta
from reminder.store.database import Tx

_KEY = "switches"


async def get(tx: Tx) -> Switches:
    return read(await meta.get(tx, _KEY))


async def put(tx: Tx, switches: Switches) -> None:
    await meta.put(tx, _KEY, written(switches))


async def set_before(tx: Tx) -> bool:
    """Whether anybody ever set one here."""
    return await meta.get(tx, _KEY) is not None
