"""A sandbox on a real port, an office that hears its callbacks, and a clock that stands still until moved."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from telegram import Bot

from reminder.sandbox import Limits, World, app_of
from tests.sandbox.serve import serving

TOKEN = "110201543:AAtoken-for-tests-only"
ACCOUNT = "AC" + "0" * 31 + "7"
AUTH = "auth-token-for-tests"
OURS, THEIRS, LANDLINE = "+12025550100", "+12025550123", "+12025550199"
WANG, LI = 700001, 700002


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say aloud what was left out here; a quiet skip looks like a pass."""
    for report in terminalreporter.stats.get("skipped", []):
        if "tests/sandbox/" in report.nodeid:
            terminalreporter.write_line(f"LEFT OUT {report.nodeid}: {report.longrepr[2]}", yellow=True)


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 25, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Office:
    """Hears callbacks; `answers` are given first in, first out, then 200."""

    url: str = ""
    heard: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    answers: list[Response] = field(default_factory=list)

    async def hear(self, request: Request) -> Response:
        body = await request.body()
        self.bodies.append(body)
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        form = {} if body[:1] == b"{" else dict(parse_qsl(body.decode(), keep_blank_values=True))
        self.heard.append((path, form, dict(request.headers)))
        return self.answers.pop(0) if self.answers else Response("<Response/>", media_type="text/xml")

    def statuses(self) -> list[str]:
        return [form["MessageStatus"] for _, form, _ in self.heard if "MessageStatus" in form]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> World:
    world = World(
        now=clock, bot_token=TOKEN, account_sid=ACCOUNT, auth_token=AUTH, numbers=(OURS,), limits=Limits.off()
    )
    world.add_telegram(WANG, "Wang Min", lang="zh", started=True, number="+12025550111")
    world.add_telegram(LI, "Li Na")
    world.add_sms(THEIRS, "Ms Li")
    world.add_sms(LANDLINE, "The hall", landline=True)
    return world


@pytest.fixture
async def base(world: World) -> AsyncIterator[str]:
    async with serving(app_of(world), before_stop=world.close) as url:
        yield url


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    office = Office()
    app = Starlette(routes=[Route("/{path:path}", office.hear, methods=["POST"])])
    async with serving(app) as office.url:
        yield office


@pytest.fixture
async def http(base: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=base, auth=(ACCOUNT, AUTH), timeout=5) as client:
        yield client


@pytest.fixture
async def near(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """The same without a socket, where only the answer matters."""
    transport = httpx.ASGITransport(app_of(world))
    async with httpx.AsyncClient(base_url="http://near", auth=(ACCOUNT, AUTH), transport=transport) as client:
        yield client


@pytest.fixture(autouse=True)
def _library_answers_in_timedeltas(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client library warns of its own old habit otherwise, and warnings are errors here."""
    monkeypatch.setenv("PTB_TIMEDELTA", "1")


@pytest.fixture
async def bot(base: str) -> AsyncIterator[Bot]:
    async with Bot(TOKEN, base_url=f"{base}/bot", base_file_url=f"{base}/file/bot") as bot:
        yield bot
