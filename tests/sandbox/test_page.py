"""Can a person see and use the phones in a real browser?"""

import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Error, Page, async_playwright, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from reminder.sandbox import World, app_of
from tests.sandbox.conftest import ACCOUNT, AUTH, LI, OURS, THEIRS, TOKEN, WANG, Clock
from tests.sandbox.serve import serving

pytestmark = pytest.mark.browser
LIST = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
STATIC = Path(app_of.__code__.co_filename).parent / "static"  # wherever the package is installed


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium, one on the PATH, or playwright's own."""
    own = shutil.which("/usr/bin/chromium") or shutil.which("chromium")
    async with async_playwright() as engine:
        try:
            browser = await engine.chromium.launch(
                executable_path=own, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            )
        except Error:
            pytest.skip("no Chromium on this machine: the page with the phones was not looked at")
        yield browser
        await browser.close()


@dataclass
class Host:
    """The demo around the sandbox: its clock and its reasons."""

    clock: Clock
    wishes: list[dict[str, Any]] = field(default_factory=list)

    async def clock_page(self, request: Request) -> Response:
        if request.method == "POST":
            self.wishes.append(await request.json())
            self.clock.move(hours=1)
        now = self.clock.now.isoformat()
        return JSONResponse({"now": now, "zone": "Asia/Shanghai", "speed": 0, "next": None})

    async def why_page(self, request: Request) -> Response:
        if request.query_params["id"].startswith("SM"):
            return JSONResponse({"title": "Visit offer", "lines": ["Rule: a day before", "Hours: open"]})
        return JSONResponse({"error": "unknown"}, 404)


@pytest.fixture
def host(clock: Clock) -> Host:
    return Host(clock)


@pytest.fixture
async def demo(world: World, host: Host) -> AsyncIterator[str]:
    app = Starlette(
        routes=[
            Route("/demo/clock", host.clock_page, methods=["GET", "POST"]),
            Route("/demo/why", host.why_page),
            Mount("/", app_of(world)),
        ]
    )
    async with serving(app, before_stop=world.close) as url:
        yield url


Look = Callable[..., Awaitable[Page]]


@pytest.fixture
async def look(browser: Browser) -> AsyncIterator[Look]:
    """Open the page; in the end nothing may have failed in it."""
    slips: list[str] = []

    def failed(request: Any) -> None:
        # An event stream ends by being cut.
        if "/sim/events" not in request.url:
            slips.append(request.url)

    async def opened(url: str, **view: Any) -> Page:
        page = await browser.new_page(**({"viewport": {"width": 1280, "height": 800}} | view))
        page.on("pageerror", lambda error: slips.append(str(error)))
        page.on("requestfailed", failed)
        await page.goto(url, wait_until="commit")
        await page.wait_for_selector("body[data-ready]")
        return page

    yield opened
    found = list(slips)  # closing cuts off whatever the page is asking for at that moment
    for context in browser.contexts:
        await context.close()
    assert found == []


async def send(base: str, **fields: Any) -> None:
    async with httpx.AsyncClient(base_url=base) as http:
        answer = await http.post(f"/bot{TOKEN}/sendMessage", json={"chat_id": WANG, **fields})
        assert answer.status_code == 200


async def text(base: str, body: str, to: str = THEIRS) -> None:
    async with httpx.AsyncClient(base_url=base, auth=(ACCOUNT, AUTH)) as http:
        await http.post(LIST, data={"To": to, "From": OURS, "Body": body})


async def test_a_message_arrives_and_its_button_is_heard(base: str, look: Look, world: World) -> None:
    page = await look(f"{base}/?lang=en")
    keys = {"inline_keyboard": [[{"text": "Done", "callback_data": "d", "style": "success"}]]}
    await send(
        base, text="<b>Case 7</b> <script>alert(1)</script>"[:13], parse_mode="HTML", reply_markup=keys
    )
    await expect(page.locator(".telegram .text b")).to_have_text("Case 7")
    await expect(page.locator("#live p")).to_contain_text(["Wang Min received: Case 7"])
    key = page.get_by_role("button", name="Done")
    await expect(key).to_have_class(re.compile("success"))
    await key.press("Enter")
    await expect(page.locator(".key[aria-busy]")).to_have_count(0)
    assert world.ledger(everything=True)[-1]["data"] == "d"


@pytest.mark.failure(28)
async def test_markup_in_a_message_stays_text(base: str, look: Look) -> None:
    page = await look(f"{base}/?lang=en")
    await send(base, text="<img src=x onerror=alert(1)>")
    await expect(page.locator(".telegram .text")).to_have_text("<img src=x onerror=alert(1)>")
    assert await page.locator(".thread img").count() == 0


async def test_a_text_shows_its_size_and_a_digit_answers_it(base: str, look: Look, world: World) -> None:
    page = await look(f"{base}/?lang=zh")
    await text(base, "李女士您好，方便回1")
    await expect(page.locator(".sms .meter")).to_have_text("UCS-2 · 10/70 字 · 1 条")
    await page.locator(".digits button", has_text="1").click()
    await expect(page.locator(".sms .mine .text")).to_have_text("1")
    assert world.ledger(everything=True)[-1]["type"] == "reply"
    await page.get_by_label("回短信").fill("谢谢")
    await page.get_by_label("回短信").press("Enter")
    await expect(page.locator(".sms .mine .text")).to_have_text(["1", "谢谢"])


async def test_an_edit_keeps_its_place_and_a_pin_shows_above(base: str, look: Look) -> None:
    page = await look(f"{base}/?lang=en")
    await send(base, text="one")
    async with httpx.AsyncClient(base_url=base) as http:
        await http.post(f"/bot{TOKEN}/pinChatMessage", json={"chat_id": WANG, "message_id": 1})
        edit = {"chat_id": WANG, "message_id": 1, "text": "two"}
        await http.post(f"/bot{TOKEN}/editMessageText", json=edit)
    await expect(page.locator(".telegram .message")).to_have_count(1)
    await expect(page.locator(".telegram .text")).to_have_text("two")
    await expect(page.locator(".telegram .meta")).to_contain_text("edited")
    await expect(page.locator(".telegram .pin .first")).to_have_text("two")


async def test_news_on_a_phone_not_shown_is_counted_until_it_is_looked_at(
    base: str, look: Look, world: World
) -> None:
    world.add_sms("+12025550124", "Mr Zhou")
    page = await look(f"{base}/?lang=en")
    await text(base, "hello", to="+12025550124")
    chip = page.locator(".sms .chip")
    await expect(chip).to_have_text("Mr Zhou1")
    await chip.click()
    await expect(page.locator(".sms .text")).to_have_text("hello")
    await expect(page.locator(".chip")).to_have_count(0)


async def test_the_demos_clock_and_reasons_are_used_where_there_are_any(
    demo: str, look: Look, host: Host
) -> None:
    page = await look(f"{demo}/?lang=en")
    await expect(page.locator("#clock-time")).to_have_text("08:00")
    await page.get_by_role("button", name="Next event").click()
    await expect(page.locator("#clock-time")).to_have_text("09:00")
    await page.get_by_role("button", name="×60").click()
    await expect(page.locator("#clock-time")).to_have_text("10:00")
    assert host.wishes == [{"step": "next"}, {"speed": 60}]
    await text(demo, "hello")
    await page.locator(".sms .why").click()
    await expect(page.locator("#why-title")).to_have_text("Visit offer")
    await expect(page.locator("#why-lines li")).to_have_text(["Rule: a day before", "Hours: open"])
    await page.keyboard.press("Escape")
    await send(demo, text="no reason known")
    await page.locator(".telegram .why").click()
    await expect(page.locator(".telegram .why")).to_have_count(0)


async def test_alone_the_page_has_neither_clock_nor_reasons(base: str, look: Look) -> None:
    page = await look(base)
    await send(base, text="hello")
    await expect(page.locator(".telegram .text")).to_have_text("hello")
    await expect(page.locator("#clock")).to_be_hidden()
    await expect(page.locator(".why")).to_have_count(0)


async def test_things_can_be_broken_by_hand(base: str, look: Look, world: World) -> None:
    page = await look(f"{base}/?lang=en")
    await page.get_by_text("Break things").click()
    await page.get_by_role("button", name="Next text is not delivered").click()
    await expect(page.locator("#planned")).to_contain_text("Next text is not delivered")
    await text(base, "lost")
    await expect(page.locator(".sms .missed .meta")).to_contain_text("not delivered (30003)")
    await page.get_by_role("button", name="Wang Min: block the bot").click()
    await expect(page.get_by_role("button", name="Wang Min: unblock the bot")).to_be_visible()
    assert world.telegram.chats[WANG].barred


async def test_a_newcomer_presses_start(base: str, look: Look, world: World) -> None:
    page = await look(f"{base}/?lang=en")
    await page.locator(".telegram select").select_option(f"telegram:{LI}")
    await page.get_by_role("button", name="Start").click()
    await expect(page.locator(".telegram .text")).to_have_text("/start")
    await expect(page.get_by_label("Message", exact=True)).to_be_visible()
    assert world.telegram.chats[LI].started


async def test_the_keys_of_a_reply_keyboard_send_their_label_or_the_number(
    base: str, look: Look, world: World
) -> None:
    page = await look(f"{base}/?lang=en")
    keys = {"keyboard": [["Today"], [{"text": "Share my number", "request_contact": True}]]}
    await send(base, text="hello", reply_markup=keys)
    await page.get_by_role("button", name="Today").click()
    await page.get_by_role("button", name="Share my number").click()
    await expect(page.locator(".telegram .mine")).to_have_count(2)
    assert [row["type"] for row in world.ledger(everything=True)] == ["message", "write", "contact"]
    await send(base, text="bye", reply_markup={"remove_keyboard": True})
    await expect(page.locator(".reply-keys")).to_have_count(0)


VIEWS = [(1280, 800, 100), (390, 800, 100), (360, 640, 100), (1280, 800, 200)]
SMALL = """[...document.querySelectorAll('button:not(.why), select, summary')]
    .filter((b) => b.offsetParent && (b.offsetHeight < 44 || b.offsetWidth < 44)).map((b) => b.outerHTML)"""
NAMELESS = """[...document.querySelectorAll('button, select, input, a')]
    .filter((b) => b.offsetParent && !(b.textContent.trim() || b.ariaLabel || b.ariaHidden))
    .map((b) => b.outerHTML)"""


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_nothing_spills_over_and_every_button_is_large_enough(demo: str, look: Look, lang: str) -> None:
    page = await look(f"{demo}/?lang={lang}")
    keys = [[{"text": "办好了", "callback_data": "d"}, {"text": "改期", "callback_data": "m"}]]
    await send(demo, text="一" * 200, reply_markup={"inline_keyboard": keys})
    for width, height, zoom in VIEWS:
        await page.set_viewport_size({"width": width, "height": height})
        await page.evaluate(f"document.documentElement.style.fontSize = '{zoom}%'")
        await expect(page.locator(".keys").first).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert await page.evaluate(SMALL) == []
        assert await page.evaluate(NAMELESS) == []


async def test_those_who_asked_for_less_motion_get_none(base: str, look: Look) -> None:
    page = await look(base, reduced_motion="reduce")
    await send(base, text="hello")
    await expect(page.locator(".telegram .text")).to_have_text("hello")
    assert await page.evaluate("document.getAnimations().length") == 0


async def test_the_language_follows_the_link_then_the_browser(near: httpx.AsyncClient, world: World) -> None:
    async def lang(query: str, accept: str) -> Any:
        html = (await near.get(f"/{query}", headers={"accept-language": accept})).text
        return re.findall(r'<html lang="([^"]+)"', html)[0]

    assert await lang("", "fr,zh-TW;q=0.8") == "zh-CN"
    assert await lang("", "fr") == "en"
    assert await lang("?lang=en", "zh") == "en"
    world.lang = "zh"
    assert await lang("", "en") == "zh-CN"


def test_the_page_is_small_and_asks_nobody_else() -> None:
    files = [path for path in STATIC.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 150_000
    for path in files:
        outside = re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", path.read_text("utf-8"))
        assert [url for url in outside if "www.w3.org" not in url] == [], path.name


def test_both_languages_have_the_same_words_and_each_is_used() -> None:
    words = (STATIC / "words.js").read_text("utf-8").partition("\n};")[0]
    zh, en = (re.findall(r"(\w+): \"", part) for part in words.split("  en: {"))
    assert sorted(zh) == sorted(en)
    pages = "".join(
        (STATIC / name).read_text("utf-8") for name in ("index.html", "draw.js", "phones.js", "desk.js")
    )
    assert [word for word in zh if not re.search(rf"\W{word}\W", pages)] == []
