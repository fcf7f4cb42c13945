"""How does it begin and end that everything is held back until a person has looked?"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from reminder.actions.desk import Actor, Desk
from reminder.actions.direct import tell
from reminder.actions.guard import permit
from reminder.domain.errors import Refused
from reminder.domain.people import Channel, Role, Sender
from reminder.logs import log
from reminder.store import holds, meta, people
from reminder.store.database import Tx

KIND, CHANNEL_KIND = "held", "channel_refused"
ASKS = (KIND, CHANNEL_KIND)
"""Kinds that go although everything is held: by them somebody learns of it."""

_KEY = "hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Kept in the database, so that a restart changes nothing about it."""

    why: str
    """`jump`: the clock moved on by `n` minutes. `storm`: `n` messages fell due at once; `most` is usual."""
    n: int
    since: str
    most: int = 0


async def held(tx: Tx) -> Hold | None:
    kept = await meta.get(tx, _KEY)
    return Hold(**json.loads(kept)) if kept else None


async def hold(tx: Tx, desk: Desk, why: str, n: int, most: int = 0) -> None:
    """Nothing leaves from now on; every administrator is asked, once. A hold that is there stays as it is."""
    if await held(tx) is not None:
        return
    now = desk.clock.now()
    made = Hold(why=why, n=n, most=most, since=now.isoformat())
    await meta.put(tx, _KEY, json.dumps(asdict(made)))
    log.error("sending.held", why=why, n=n, most=most)
    for person in (await people.staff(tx)).holding(Role.ADMIN):
        said = desk.templates.word(f"hold.{why}", person.lang, n=n, most=most)
        key = f"{KIND}:{made.since}:{person.id}"
        await tell(tx, desk, person, KIND, key=key, at=now, detail={"lines": said})


async def go(tx: Tx, desk: Desk, by: Actor) -> Hold:
    """Somebody has looked: everything may go. Refused if nothing is held."""
    await permit(tx, by, "release")
    found = await held(tx)
    if found is None:
        raise Refused("hold.none")
    await let_go(tx, desk)
    return found


async def let_go(tx: Tx, desk: Desk) -> None:
    """What waited goes within a minute, earliest first."""
    await meta.put(tx, _KEY, "")
    log.warning("sending.released", at=desk.clock.now().isoformat())


async def channel_refused(tx: Tx, desk: Desk, channel: Channel, code: str) -> None:
    """A provider refuses our account: the administrators hear of it once a day, if they can be reached.

    Over Telegram nobody can hear that Telegram refuses us: the log, /readyz and `/status` say it.
    """
    log.error("channel.refused", channel=channel.value, code=code)
    if channel is Channel.TELEGRAM:
        return
    now = desk.clock.now()
    for person in (await people.staff(tx)).holding(Role.ADMIN):
        key = f"{CHANNEL_KIND}:{channel}:{code}:{now.date().isoformat()}:{person.id}"
        await tell(tx, desk, person, CHANNEL_KIND, key=key, at=now, detail={"reason": code})


async def put_off(tx: Tx, sender: Sender, until: datetime) -> None:
    """A sender's messages wait until then, or until they would be of no more use."""
    await holds.put_off(tx, sender, until, but=ASKS)
