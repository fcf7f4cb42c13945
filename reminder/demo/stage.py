"""The demo's stage: a fresh database, the sandbox's world, one server for both, and one clock for all."""

import asyncio
import itertools
import random
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from reminder.actions import versions
from reminder.actions.agenda import future_only
from reminder.app import new_desk
from reminder.bot.menu import set_menus
from reminder.channels.base import DEADLINE
from reminder.channels.telegram import Telegram
from reminder.channels.twilio import Twilio
from reminder.clock import ManualClock
from reminder.demo.deals import county_cases
from reminder.demo.drive import Drive
from reminder.demo.histories import Past
from reminder.demo.nearby import nearby
from reminder.demo.people import SENDER, Cast, county, resident_cards, settle_county, staff_cards
from reminder.domain.calendars import Overrides
from reminder.domain.offices import Office
from reminder.domain.workdays import at
from reminder.runtime import Runtime, Web
from reminder.sandbox import Limits, World, app_of
from reminder.serving import Server, address, listening
from reminder.store import people
from reminder.store.database import Database
from reminder.store.migrations import migrate
from reminder.store.seal import Sealer
from reminder.web.app import web

BOT_TOKEN = "123456:demo-token-of-the-sandbox"  # noqa: S105 - opens nothing but the sandbox beside it
ACCOUNT = "AC" + "0" * 31 + "1"
AUTH_TOKEN = "demo-auth-token-of-the-sandbox"  # noqa: S105
MORNING = time(7, 58)
PATIENCE = timedelta(minutes=10)
"""Within our own process no answer gets lost; on a busy machine it may only take long."""


@dataclass(slots=True, kw_only=True)
class Stage:
    """Everything the demo holds while it runs."""

    rt: Runtime
    world: World
    clock: ManualClock
    drive: Drive
    cast: Cast
    lang: str
    url: str
    speed: int = 1


def office_of(lang: str, overrides: Overrides) -> Office:
    facts = county()["office"]
    return Office(
        zone=ZoneInfo(facts["timezone"]),
        calendar=overrides.over(facts["country"]),
        lang=lang,
        name=facts[lang],
        signatures={"zh": facts["zh"], "en": facts["en"]},
        phone=facts["phone"],
        review_body=facts["review"],
    )


@asynccontextmanager
async def staged(
    folder: Path, *, lang: str, as_of: date, seed: int, port: int, keep: bool = False, direct: bool = False
) -> AsyncIterator[Stage]:
    """Set everything up at 07:58 of the day, the working day before already played.

    `direct` hands the requests to the sandbox without a socket between: nobody looks, and it is faster.
    """
    _clear(folder, keep=keep)
    zone = ZoneInfo(county()["office"]["timezone"])
    clock = ManualClock(at(as_of, MORNING, zone))
    counter = itertools.count(1)
    desk = new_desk(
        lambda overrides: office_of(lang, overrides),
        sealer=Sealer.from_file(folder / "demo.key"),
        clock=clock,
        new_id=lambda: f"demo-{seed}-{next(counter):08d}",
        sender=SENDER,
    )
    db = Database(f"sqlite+aiosqlite:///{folder / 'demo.db'}", inline=True)
    await migrate(db)
    await versions.at_start(db, desk)
    world = _world(clock, seed, zone, lang)
    with listening("127.0.0.1", port) as sock:
        async with _open(db, desk, world, sock, direct=direct) as rt:
            drive = Drive(rt, world, clock)
            cast = await _people(rt, drive, world, lang, as_of, random.Random(seed))  # noqa: S311
            stage = Stage(
                rt=rt, world=world, clock=clock, drive=drive, cast=cast, lang=lang, url=address(sock)
            )
            async with _serving(stage, sock):
                await set_menus(rt)
                await _day_before(stage, as_of)
                yield stage


def _world(clock: ManualClock, seed: int, zone: ZoneInfo, lang: str) -> World:
    """Both providers and everybody's phones, on the office's own clock."""
    return World(
        now=clock.now,
        bot_token=BOT_TOKEN,
        account_sid=ACCOUNT,
        auth_token=AUTH_TOKEN,
        seed=seed,
        numbers=(SENDER,),
        zone=str(zone),
        lang=lang,
        limits=Limits.off(),
    )


def _clear(folder: Path, *, keep: bool) -> None:
    if folder.exists() and not keep:
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)


@asynccontextmanager
async def _open(
    db: Database, desk: Any, world: World, sock: socket.socket, *, direct: bool
) -> AsyncIterator[Runtime]:
    url = address(sock)
    world.configure({"inbound_url": f"{url}/twilio/inbound"})
    carrier = nearby(app_of(world)) if direct else None
    deadline = PATIENCE if direct else DEADLINE
    chat = Telegram(token=BOT_TOKEN, base_url=url, carrier=carrier, deadline=deadline)
    sms = Twilio(
        account_sid=ACCOUNT,
        auth_token=AUTH_TOKEN,
        sender=SENDER,
        public_url=url,
        base_url=url,
        carrier=carrier,
        deadline=deadline,
    )
    sealed = Web(public_url=url, twilio_tokens=(AUTH_TOKEN,), twilio_account=ACCOUNT)
    try:
        # One message at a time: the order in which phones ring is part of what the same seed repeats.
        names: dict[int | None, str] = {None: "reminder_bot"}
        yield Runtime(db=db, desk=desk, chat=chat, sms=sms, web=sealed, bot_names=names, concurrency=1)
    finally:
        await chat.close()
        await sms.close()
        await db.close()


async def _people(
    rt: Runtime, drive: Drive, world: World, lang: str, as_of: date, rng: random.Random
) -> Cast:
    """The county's people, and its cases as they stood at the end of the day before yesterday's work."""
    office = rt.desk.office
    async with rt.db.write() as tx:
        cast = await settle_county(tx, rt, lang, rng)
    async with rt.db.write() as tx:
        staff = await people.staff(tx)
        first = office.calendar.add_working(as_of, -1)
        drive.clock.set(at(first, time(0, 1), office.zone))
        past = Past(rt=rt, cast=cast, staff=staff, as_of=as_of, lang=lang, rng=rng)
        await county_cases(tx, past, drive)
        await future_only(tx, rt.desk)
    chats = staff_cards(staff, cast, rt.desk.templates, lang)
    world.add_phones({"telegram": chats, "sms": resident_cards(cast, lang)})
    return cast


async def _day_before(stage: Stage, as_of: date) -> None:
    """Play the working day before silently, so that both phones already show something."""
    await stage.drive.to(at(as_of, MORNING, stage.rt.desk.office.zone))


@asynccontextmanager
async def _serving(stage: Stage, sock: socket.socket) -> AsyncIterator[None]:
    from reminder.demo.pages import routes

    ours = web(stage.rt)
    site = Starlette(routes=[*routes(stage), *ours.routes, Mount("/", app_of(stage.world))])
    server = Server(uvicorn.Config(site, log_level="critical", lifespan="off", access_log=False))
    running = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        while not server.started:
            if running.done():
                running.result()
                raise RuntimeError("the demo's server did not start")
            await asyncio.sleep(0.005)
        yield
    finally:
        stage.world.close()
        server.should_exit = True
        await running


def default_day(today: date, office: Office) -> date:
    """The day the demo plays: today, or the next working day."""
    return office.calendar.forward(today)
