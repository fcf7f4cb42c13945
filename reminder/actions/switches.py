"""Who stops what may leave the house, lets it go again, and takes the office live?"""

from dataclasses import replace

from reminder.actions.desk import Actor, Desk
from reminder.actions.guard import permit
from reminder.actions.record import begin
from reminder.actions.verdicts import STOPPED
from reminder.domain.errors import Refused
from reminder.domain.people import Channel, Staff
from reminder.domain.switches import ALL, Switches, unit_name
from reminder.store import holds, people, switches
from reminder.store.database import Tx


async def stop(tx: Tx, desk: Desk, by: Actor, name: str, why: str) -> str:
    """From the next message on nothing of it leaves; what waits, waits. Returns the switch's name.

    `name` is a channel, `all`, or the name of a unit, with those below it.
    """
    staff = await permit(tx, by, "stop")
    if not why.strip():
        raise Refused("case.needs_reason")
    return await _set(tx, desk, by, _named(staff, name), why.strip()[:200])


async def go(tx: Tx, desk: Desk, by: Actor, name: str) -> str:
    """Let it leave again. What is of use no more has ended as missed meanwhile."""
    staff = await permit(tx, by, "stop")
    switch = _named(staff, name)
    if switch not in (await switches.get(tx)).stopped:
        raise Refused("stop.not_stopped")
    return await _set(tx, desk, by, switch, None)


async def _set(tx: Tx, desk: Desk, by: Actor, switch: str, why: str | None) -> str:
    now = await switches.get(tx)
    await switches.put(tx, now.go(switch) if why is None else now.stop(switch, why))
    if why is None:
        await holds.release(tx, desk.clock.now())
    await begin(tx, desk, by, None, f"{'go' if why is None else 'stop'}:{switch}")
    return switch


def _named(staff: Staff, name: str) -> str:
    said = name.strip().casefold()
    if said in {ALL, *(channel.value for channel in Channel)}:
        return said
    found = [unit.id for unit in staff.units.values() if unit.name.casefold() == said]
    if len(found) != 1:
        raise Refused("stop.unknown", known=", ".join([ALL, *(channel.value for channel in Channel)]))
    return unit_name(found[0])


async def in_words(tx: Tx, found: Switches) -> list[tuple[str, str]]:
    """What is stopped and why, with the names of units."""
    staff = await people.staff(tx)
    names = {unit_name(unit.id): unit.name for unit in staff.units.values()}
    return [(names.get(name, name), why) for name, why in found.stopped.items()]


async def admit(tx: Tx, desk: Desk, number: str, *, member: bool) -> int:
    """Put a number (E.164) on the team's list for test mode, or take it off; how many stand on it."""
    blind = desk.sealer.blind(number)
    now = await switches.get(tx)
    others = tuple(one for one in now.members if one != blind)
    members = (*others, blind) if member else others
    await switches.put(tx, replace(now, members=members))
    await begin(tx, desk, Actor(), None, "member.add" if member else "member.remove")
    return len(members)


async def set_live(tx: Tx, desk: Desk, *, live: bool) -> None:
    """Live: residents get texts. In test mode only the numbers of the team's list do."""
    await switches.put(tx, replace(await switches.get(tx), live=live))
    await begin(tx, desk, Actor(), None, "live" if live else "test_mode")


async def put_on_hold(tx: Tx, desk: Desk, channel: Channel) -> None:
    """What could go by a channel that is stopped waits a while and is looked at again."""
    moment = desk.clock.now()
    await holds.hold(tx, channel.value, moment, moment + STOPPED)
