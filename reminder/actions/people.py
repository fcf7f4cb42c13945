"""Staff join by a one-time code, and admins keep the list of who does what."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from reminder.actions import record
from reminder.actions.desk import Actor, Desk
from reminder.actions.guard import permit
from reminder.domain.errors import NotFound, Refused
from reminder.domain.people import Person, Role
from reminder.store import people
from reminder.store.database import Tx

INVITE_LIFE = timedelta(hours=24)
FIRST_ADMIN_LIFE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """A one-time code for one person. Only its keyed hash is kept."""

    code: str
    person: Person
    link: str
    valid: timedelta


def _hash(desk: Desk, code: str) -> str:
    return desk.sealer.blind(f"invite:{code}")


async def invite(
    tx: Tx, desk: Desk, by: Actor, person_id: int, *, bot_name: str, valid: timedelta = INVITE_LIFE
) -> Invite:
    """A new code for a person; earlier ones end. `link` opens the chat with the code filled in."""
    staff = await permit(tx, by, "invite")
    person = staff.active(person_id)
    if person is None:
        raise NotFound("person.unknown")
    code = desk.new_id()
    now = desk.clock.now()
    await people.add_invite(
        tx,
        code_hash=_hash(desk, code),
        person_id=person_id,
        issued_by=by.id,
        issued_at=now,
        expires_at=now + valid,
    )
    await record.begin(tx, desk, by, None, f"invite:{person_id}")
    return Invite(code=code, person=person, link=f"https://t.me/{bot_name}?start={code}", valid=valid)


async def enrol(tx: Tx, desk: Desk, code: str, chat_id: int, bot: int | None = None) -> Person:
    """Bind a chat to the person the code was made for: once, in time, and to nobody else.

    From then on the office speaks to them by the bot they brought the code to (None: the first).
    """
    known = await people.by_chat(tx, chat_id)
    person_id = await people.use_invite(tx, _hash(desk, code), desk.clock.now())
    if person_id is None:
        raise Refused("enrol.bad_code")
    if known is not None and known != person_id:
        raise Refused("enrol.taken")
    await people.update(tx, person_id, chat_id=chat_id, bot=bot, enrolled_at=desk.clock.now())
    staff = await people.staff(tx)
    person = staff.people[person_id]
    await record.begin(tx, desk, Actor(person=person), None, "enrol")
    return person


async def speak_by(tx: Tx, person: Person, bot: int | None) -> Person:
    """They have pressed Start at another bot of the office: from now on it is theirs."""
    await people.update(tx, person.id, bot=bot)
    return replace(person, bot=bot)


async def known(tx: Tx, chat_id: int) -> Person | None:
    """Who writes from this chat, with the roles they have now."""
    person_id = await people.by_chat(tx, chat_id)
    if person_id is None:
        return None
    return (await people.staff(tx)).active(person_id)


async def set_language(tx: Tx, desk: Desk, by: Actor, lang: str) -> None:
    if lang not in desk.templates.languages:
        names = [desk.templates.word("bot.this_language", one) for one in desk.templates.languages]
        raise Refused("lang.unknown", known=" / ".join(names))
    assert by.person is not None
    await people.update(tx, by.person.id, lang=lang)
    await record.begin(tx, desk, by, None, f"lang:{lang}")


async def add_person(
    tx: Tx, desk: Desk, by: Actor, *, name: str, unit_id: int, roles: Iterable[Role], lang: str = ""
) -> int:
    """A new member of staff; they join with an invite."""
    await permit(tx, by, "people")
    person_id = await people.add_person(
        tx, name=name, unit_id=unit_id, roles=roles, lang=lang or desk.office.lang
    )
    await record.begin(tx, desk, by, None, f"person:{person_id}")
    return person_id


async def add_unit(tx: Tx, desk: Desk, by: Actor, *, name: str, kind: str, parent_id: int | None) -> int:
    """A county, department, township, community or village, below another. Admins only."""
    await permit(tx, by, "units")
    unit_id = await people.add_unit(tx, name=name, kind=kind, parent_id=parent_id)
    await record.begin(tx, desk, by, None, f"unit:{unit_id}")
    return unit_id


async def set_head(tx: Tx, desk: Desk, by: Actor, *, unit_id: int, person_id: int) -> None:
    """Who answers for a unit: the reminders and escalations of its cases go to them."""
    staff = await permit(tx, by, "units")
    if staff.active(person_id) is None or unit_id not in staff.units:
        raise NotFound("person.unknown")
    await people.set_head(tx, unit_id, person_id)
    await record.begin(tx, desk, by, None, f"head:{unit_id}:{person_id}")


async def first_admin(tx: Tx, desk: Desk, *, name: str, bot_name: str) -> Invite:
    """The code of the first admin, for the command line only. Refused once an admin has joined."""
    staff = await people.staff(tx)
    if any(person.chat_id is not None for person in staff.holding(Role.ADMIN)):
        raise Refused("enrol.admin_exists")
    person_id = await ensure_admin(tx, desk, name)
    return await invite(tx, desk, Actor(), person_id, bot_name=bot_name, valid=FIRST_ADMIN_LIFE)


async def ensure_admin(tx: Tx, desk: Desk, name: str = "Admin") -> int:
    """The first admin's id; made, with a root unit, when there is nobody yet to answer for a case."""
    staff = await people.staff(tx)
    if admins := staff.holding(Role.ADMIN):
        return admins[0].id
    root = next(iter(staff.units), None)
    if root is None:
        root = await people.add_unit(tx, name=desk.office.name or "Office", kind="county", parent_id=None)
    return await people.add_person(tx, name=name, unit_id=root, roles=[Role.ADMIN], lang=desk.office.lang)
