"""The demo a stranger sees: both phones ring, taps and replies change the calendar, a seed repeats itself."""

import asyncio
import json
import shutil
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Error, Page, async_playwright, expect

from reminder.actions.check import violations
from reminder.demo.play import Wish, play, run_clock
from reminder.demo.stage import Stage, staged
from reminder.store import cases, residents

pytestmark = pytest.mark.sqlite

MONDAY = date(2026, 11, 23)
WANG, LI = 700_000_019, "+12025550101"


@pytest.fixture
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    lang = getattr(request, "param", "zh")
    async with staged(tmp_path / "demo", lang=lang, as_of=MONDAY, seed=1, port=18_100) as stage:
        yield stage


in_both_languages = pytest.mark.parametrize("stage", ["zh", "en"], indirect=True)


@pytest.fixture
async def page(stage: Stage) -> AsyncIterator[Page]:
    own = shutil.which("/usr/bin/chromium") or shutil.which("chromium")
    async with async_playwright() as engine:
        try:
            browser = await engine.chromium.launch(
                executable_path=own, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            )
        except Error:
            pytest.skip("no Chromium on this machine: the story was not played in a browser")
        page = await browser.new_page(viewport={"width": 1280, "height": 900})
        await page.goto(f"{stage.url}/?lang={stage.lang}")
        clock = asyncio.create_task(run_clock(stage))
        yield page
        async with stage.drive.busy:  # between two steps, as a person would stop it
            clock.cancel()
        await asyncio.wait([clock])
        await browser.close()


WORDS = {
    "zh": {
        "next": "下一件事",
        "done": "办好 1",
        "move": "改期",
        "undo": "撤回",
        "when": "下周三上午9点",
        "right": "对",
    },
    "en": {
        "next": "Next event",
        "done": "Done 1",
        "move": "Move",
        "undo": "Undo",
        "when": "next Wed 9am",
        "right": "Right",
    },
}
RATING = {"zh": "办得怎样请打分", "en": "How did we do?"}
GREETING = {"zh": "王敏，早上好。11月23日周一", "en": "Good morning Wang Min. Mon 23 Nov"}
VISIT = {"zh": "到您家", "en": "visits you tomorrow"}


@pytest.mark.browser
@in_both_languages
async def test_the_story_of_the_first_morning_can_be_played(stage: Stage, page: Page) -> None:
    words = WORDS[stage.lang]
    phone = page.locator("body")
    await expect(phone).to_contain_text(VISIT[stage.lang])  # both phones show something before any press
    await page.get_by_role("button", name=words["next"], exact=True).click()
    await expect(phone).to_contain_text(GREETING[stage.lang])
    await page.get_by_role("button", name=words["done"]).last.click()
    await expect(page.get_by_role("button", name=words["undo"]).last).to_be_visible()
    assert RATING[stage.lang] not in "".join(b["text"] for b in stage.world.thread(f"sms:{LI}"))
    await page.get_by_role("button", name=words["next"], exact=True).click()
    await expect(phone).to_contain_text(RATING[stage.lang])
    await page.get_by_role("button", name="5", exact=True).last.click()
    await _until(stage, lambda: "5" in stage.world.thread(f"telegram:{WANG}")[-1]["text"])
    await page.get_by_role("button", name=words["move"]).last.click()
    await expect(page.get_by_text(await _number_of(stage, LI)).last).to_be_visible()


async def _number_of(stage: Stage, number: str) -> str:
    """Of the latest case of whoever has the phone."""
    async with stage.rt.db.read() as tx:
        phone = await residents.phone_id_of(tx, stage.rt.desk.sealer, number)
        assert phone is not None
        ids = await cases.of_resident(tx, await residents.holders_of(tx, phone))
        return (await cases.many(tx, ids))[ids[0]].case.number


async def _until(stage: Stage, seen: Callable[[], bool]) -> None:
    for _ in range(100):
        await stage.drive.to(stage.clock.now())
        if seen():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(stage.world.thread(f"telegram:{WANG}")[-1])


@in_both_languages
async def test_a_tap_a_text_and_a_reply_change_the_calendar(stage: Stage) -> None:
    drive, world, words = stage.drive, stage.world, WORDS[stage.lang]
    await drive.to_next_ring()
    _press_first(stage)
    await drive.to(stage.clock.now())
    assert not _texts(stage, LI, RATING), "the text waits until it can no longer be undone"
    await drive.to_next_ring()
    assert len(_texts(stage, LI, RATING)) == 1
    world.reply(LI, "5")
    await drive.to(stage.clock.now())
    assert "5" in world.thread(f"telegram:{WANG}")[-1]["text"]
    _press(stage, "move")
    await drive.to(stage.clock.now())
    world.write(WANG, words["when"])
    await drive.to(stage.clock.now())
    _press(stage, label=words["right"])
    await drive.to(stage.clock.now() + timedelta(minutes=1))
    assert any(
        "12月2日" in r["text"] or "2 Dec" in r["text"] for r in world.ledger() if r["channel"] == "sms"
    )
    async with stage.rt.db.read() as tx:
        assert await violations(tx, stage.rt.desk) == []


def _texts(stage: Stage, number: str, what: dict[str, str]) -> list[dict[str, str]]:
    rows = stage.world.ledger()
    return [r for r in rows if r["to"] == number and what[stage.lang] in r["text"]]


def _press(stage: Stage, act: str = "", label: str = "") -> int:
    """Tap the newest button that does `act` or reads `label`; the message it stands under."""
    for bubble in reversed(stage.world.thread(f"telegram:{WANG}")):
        for button in (b for row in bubble["buttons"] for b in row):
            if (act and f":{act}:" in button["callback_data"]) or (label and button["text"] == label):
                stage.world.press(WANG, bubble["message_id"], button["callback_data"])
                return int(bubble["message_id"])
    raise AssertionError(f"no button {act}{label}")


async def test_everybody_finds_their_commands_behind_the_slash(stage: Stage) -> None:
    menus = stage.world.snapshot()["commands"]
    joined = [card for card in stage.world.phones() if card["channel"] == "telegram" and card["started"]]
    assert joined
    for card in joined:
        [menu] = [menu for key, menu in menus.items() if key.startswith(f"chat:{card['user']}:")]
        assert "today" in {command["command"] for command in menu}


async def test_undo_never_leaves_a_text_out(stage: Stage) -> None:
    await stage.drive.to_next_ring()
    before = len(stage.world.ledger())
    _press_first(stage)
    await stage.drive.to(stage.clock.now())
    _press(stage, "undo")
    await stage.drive.to_next_ring()
    texts = [r for r in stage.world.ledger()[before:] if r["to"] == LI]
    assert texts == []


def _press_first(stage: Stage) -> None:
    """Done, beside the first thing of today's list: Ms Li's visit."""
    digest = [b for b in stage.world.thread(f"telegram:{WANG}") if b["pinned"]][-1]
    stage.world.press(WANG, digest["message_id"], digest["buttons"][0][0]["callback_data"])


async def test_the_clock_is_the_demos_alone_and_says_why(stage: Stage) -> None:
    async with httpx.AsyncClient(base_url=stage.url) as client:
        assert (await client.get("/demo/clock")).json()["now"] == stage.clock.now().isoformat()
        moved = await client.post("/demo/clock", json={"step": "next"}, timeout=30)
        assert moved.json()["now"].startswith("2026-11-23T00:10:00")
        wrong = await client.post("/demo/clock", json={"step": "back"})
        assert wrong.status_code == 400
        last = stage.world.thread(f"sms:{LI}")[-1]
        why = (await client.get("/demo/why", params={"id": last["id"], "lang": stage.lang})).json()
        assert len(why["lines"]) >= 4
        assert (await client.get("/demo/why", params={"id": "SM0"})).status_code == 404


async def test_the_same_seed_gives_the_same_transcript_to_the_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    for name in ("one", "two"):
        monkeypatch.setenv("REMINDER_DATA_DIR", str(tmp_path / name))
        wish = Wish(
            lang="zh", as_of=MONDAY, days=2, seed=7, port=18_200, transcript=tmp_path / f"{name}.jsonl"
        )
        assert await play(wish, headless=True, say=said.append) == 0
    one, two = ((tmp_path / f"{name}.jsonl").read_bytes() for name in ("one", "two"))
    assert one == two
    rows = [json.loads(line) for line in one.splitlines()]
    assert {row["channel"] for row in rows} == {"sms", "telegram"}
    assert all(set(row) == {"at", "channel", "to", "text", "kind", "case"} for row in rows)
    hours = {datetime.fromisoformat(row["at"]).hour for row in rows if row["channel"] == "sms"}
    assert hours <= set(range(7, 22)), "no text at night"
    assert [line for line in said if "checked" in line] == ["day 2: checked, 0 violations"] * 2
    assert len(said) == 4, "no promise was broken on the way"


async def test_a_headless_play_is_checked_every_seventh_day_and_on_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REMINDER_DATA_DIR", str(tmp_path))
    said: list[str] = []

    def say(line: str) -> None:
        """Break a promise behind the office's back, as soon as the first check has found none."""
        said.append(line)
        if line == "day 7: checked, 0 violations":
            with sqlite3.connect(tmp_path / "demo-headless" / "demo.db") as raw:
                raw.execute("UPDATE cases SET responsible_id = NULL")
            raw.close()

    wish = Wish(lang="en", as_of=MONDAY, days=8, seed=7, port=18_300)
    assert await play(wish, headless=True, say=say) == 1
    found = [line for line in said if line.endswith(": nobody_responsible")]
    assert found
    assert all(line.startswith("day 8: ") for line in found)
    assert f"day 8: checked, {len(found)} violations" in said
    assert f", 2 checks, {len(found)} violations, " in said[-1]


async def test_a_busy_port_is_passed_over(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with staged(tmp_path / "demo", lang="en", as_of=MONDAY, seed=1, port=port) as stage:
            assert stage.url != f"http://127.0.0.1:{port}"
            async with httpx.AsyncClient() as client:
                assert (await client.get(stage.url)).status_code == 200
