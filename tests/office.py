"""A small office to test in: a county, a township and a village station, six people, a clock tests move.

    async with office(tmp_path) as rt:
        plan = await a_case(rt)
        rt.clock.advance(timedelta(days=1))

Everything is real but the clock, the numbers (seeded) and, unless a channel is given, the chat.
"""

import asyncio
import functools
import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from zoneinfo import ZoneInfo

from reminder.actions import cases
from reminder.actions.cases import NewCase, NewParty
from reminder.actions.desk import Actor, Desk
from reminder.actions.replan import Plan
from reminder.bot.updates import handle
from reminder.channels.base import ChatPort, SmsPort
from reminder.channels.memory import MemoryChat, MemorySms
from reminder.clock import ManualClock
from reminder.domain.offices import Office
from reminder.domain.people import Person, Role
from reminder.domain.protocol_files import read_protocols
from reminder.domain.protocols import Protocol
from reminder.domain.workdays import WorkCalendar
from reminder.render import Templates
from reminder.runtime import Runtime
from reminder.store import inbox, people
from reminder.store.database import Database, Tx
from reminder.store.migrations import migrate
from reminder.store.seal import Sealer
from tests.postgres import Server

T = TypeVar("T")

Place = Callable[[Path, bool], AbstractAsyncContextManager[str]]
"""Where an office lives: the address of a furnished database."""

ROOT = Path(__file__).parents[1]
ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 11, 23, 9, 0, tzinfo=ZONE)
"""A Monday morning."""

LI = "+12025550142"
"""Ms Li, a resident of Hewan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """Somebody of the office, by the short name tests use."""

    name: str
    unit: str
    roles: tuple[Role, ...]
    chat: int
    lang: str = "zh"


STAFF = {
    "he": Colleague(name="何晓云", unit="county", roles=(Role.ADMIN,), chat=700001),
    "zhou": Colleague(name="周敏", unit="county", roles=(Role.TOP, Role.SUPERVISION), chat=700002),
    "lin": Colleague(name="林国栋", unit="town", roles=(Role.UNIT_HEAD,), chat=700003),
    "chen": Colleague(name="陈立文", unit="town", roles=(Role.HANDLER,), chat=700004),
    "wang": Colleague(name="Wang Min", unit="town", roles=(Role.HANDLER,), chat=700005, lang="en"),
    "yang": Colleague(name="杨秀清", unit="town", roles=(Role.INTAKE,), chat=700006),
    "tang": Colleague(name="唐桂芳", unit="station", roles=(Role.AGENT,), chat=700007),
    "stone": Colleague(name="石磊", unit="other", roles=(Role.HANDLER,), chat=700008),
}
"""`stone` works in another township: none of the others' cases are his."""

UNITS = (
    ("county", "青麓县", "county", None),
    ("town", "柳溪镇", "township", "county"),
    ("other", "石门乡", "township", "county"),
    ("station", "河湾便民点", "station", "town"),
)
_HEADS = {"county": "zhou", "town": "lin"}


@functools.cache
def templates() -> Templates:
    return Templates.load(ROOT / "templates")


@functools.cache
def protocols() -> dict[str, Protocol]:
    texts = {p.name: p.read_text("utf-8") for p in sorted((ROOT / "templates" / "protocols").glob("*.toml"))}
    return dict(read_protocols(texts, kinds=templates().kinds.keys(), calendars=None))


def numbers(seed: int = 0) -> Callable[[], str]:
    """New ids that never repeat and are the same in every run."""
    rng, count = random.Random(seed), itertools.count(1)
    return lambda: f"t{next(count)}-{rng.getrandbits(128):032x}"


def desk(clock: ManualClock, **changes: Any) -> Desk:
    """The office's desk; `changes` are fields of its Office."""
    settings: dict[str, Any] = {
        "zone": ZONE,
        "calendar": WorkCalendar(code="CN"),
        "name": "青麓县",
        "signatures": {"zh": "青麓民情", "en": "Qinglu Casework"},
        "phone": "202-555-0100",
        "review_body": {"zh": "县自然资源局", "en": "the county land bureau"},
    }
    return Desk(
        office=Office(**(settings | changes)),
        protocols=protocols(),
        templates=templates(),
        sealer=Sealer(bytes(range(32))),
        clock=clock,
        new_id=numbers(),
        calendar_of=functools.cache(lambda code: WorkCalendar(code=code)),
        sender="+12025550100",
    )


@asynccontextmanager
async def office(
    folder: Path,
    *,
    start: datetime = START,
    chat: ChatPort | None = None,
    sms: SmsPort | None = None,
    enrolled: bool = True,
    inline: bool = False,
    place: Place | None = None,
    **changes: Any,
) -> AsyncIterator[Runtime]:
    """An office that has moved into SQLite in `folder`, or into a database of the server of all tests."""
    clock = ManualClock(start)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context((place or (elsewhere or InFiles()).place)(folder, enrolled))
        db = Database(url, inline=inline)
        stack.push_async_callback(db.close)
        rt = Runtime(
            db=db,
            desk=desk(clock, **changes),
            chat=chat if chat is not None else MemoryChat(now=clock.now),
            sms=sms if sms is not None else MemorySms(now=clock.now),
            bot_names={None: "reminder_bot"},
        )
        yield rt


async def furnish(url: str, enrolled: bool) -> None:
    """Migrate an empty database and let the staff move in; it takes long enough to be done once."""
    db = Database(url)
    try:
        await migrate(db)
        async with db.write() as tx:
            await _move_in(tx, enrolled)
    finally:
        await db.close()


def file_url(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'reminder.db'}"


class InFiles:
    """Each office in a copy of one furnished file."""

    _furnished: ClassVar[dict[bool, bytes]] = {}

    @asynccontextmanager
    async def place(self, folder: Path, enrolled: bool) -> AsyncIterator[str]:
        path, url = folder / "reminder.db", file_url(folder)
        if enrolled in self._furnished:
            path.write_bytes(self._furnished[enrolled])
        else:
            await furnish(url, enrolled)
            self._furnished[enrolled] = path.read_bytes()
        yield url


class Elsewhere:
    """A PostgreSQL server: each office in a copy of one furnished database."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._furnished: dict[bool, str] = {}

    @asynccontextmanager
    async def place(self, _folder: Path, enrolled: bool) -> AsyncIterator[str]:
        if enrolled not in self._furnished:
            empty = self._server.create()
            await furnish(self._server.url(empty), enrolled)
            self._furnished[enrolled] = empty
        name = await asyncio.to_thread(self._server.copy, self._furnished[enrolled])
        try:
            yield self._server.url(name)
        finally:
            await asyncio.to_thread(self._server.drop, name)


elsewhere: Elsewhere | None = None
"""Set for a whole run of tests (`pytest --postgres`)."""


async def _move_in(tx: Tx, enrolled: bool) -> None:
    units: dict[str, int] = {}
    for key, name, kind, above in UNITS:
        parent = units[above] if above is not None else None
        units[key] = await people.add_unit(tx, name=name, kind=kind, parent_id=parent)
    ids: dict[str, int] = {}
    for key, who in STAFF.items():
        chat = who.chat if enrolled else None
        ids[key] = await people.add_person(
            tx, name=who.name, unit_id=units[who.unit], roles=who.roles, lang=who.lang, chat_id=chat
        )
    for key, head in _HEADS.items():
        await people.set_head(tx, units[key], ids[head])


def clock_of(rt: Runtime) -> ManualClock:
    assert isinstance(rt.clock, ManualClock)
    return rt.clock


def pass_time(rt: Runtime, **delta: float) -> None:
    """`pass_time(rt, seconds=31)`."""
    clock_of(rt).advance(timedelta(**delta))


async def write(rt: Runtime, work: Callable[[Tx], Awaitable[T]]) -> T:
    async with rt.db.write() as tx:
        return await work(tx)


async def read(rt: Runtime, work: Callable[[Tx], Awaitable[T]]) -> T:
    async with rt.db.read() as tx:
        return await work(tx)


async def person(rt: Runtime, key: str) -> Person:
    """By the short name of STAFF."""
    staff = await read(rt, people.staff)
    return next(p for p in staff.people.values() if p.name == STAFF[key].name)


async def actor(rt: Runtime, key: str) -> Actor:
    return Actor(person=await person(rt, key))


async def a_case(
    rt: Runtime,
    *,
    by: str = "yang",
    handler: str | None = "chen",
    protocol: str = "ordinary",
    phones: tuple[str, ...] = (LI,),
    accepted: bool = True,
    **more: Any,
) -> Plan:
    """A case about the road through Hewan, taken in and, unless told otherwise, accepted."""
    given: dict[str, Any] = {"category": "land", "place": "河湾村", "request": "修路占地"}
    carrier = await person(rt, handler) if handler else None
    new = NewCase(
        protocol=protocol,
        parties=(NewParty(name="李女士", phones=phones),),
        unit_id=(carrier or await person(rt, by)).unit_id,
        handler_id=carrier.id if carrier else None,
        **(given | more),
    )
    who = await actor(rt, by)
    plan = await write(rt, lambda tx: cases.register(tx, rt.desk, who, new))
    if accepted and handler:
        who = await actor(rt, handler)
        case_id = plan.row.case.id
        plan = await write(rt, lambda tx: cases.accept(tx, rt.desk, who, case_id))
    return plan


async def hear(rt: Runtime, update: dict[str, Any]) -> None:
    """Store one chat update, as the poller does, and deal with everything that waits."""
    moment = datetime.now(UTC) if rt.clock is None else rt.clock.now()

    async def keep(tx: Tx) -> None:
        await inbox.keep(
            tx,
            rt.desk.sealer,
            source="telegram",
            external_id=str(update["update_id"]),
            content=update,
            at=moment,
        )

    await write(rt, keep)
    for letter in await read(rt, lambda tx: inbox.waiting(tx, rt.desk.sealer, 50)):
        await handle(rt, letter)


def day(text: str) -> date:
    return date.fromisoformat(text)
