"""How long from `reminder run` to its first message, on a database where many wait: python -m bench.restart.

`[waiting] [rounds]`. The program itself, its process started anew, with Twilio played by a stub that answers
at once. A text became due while it was down.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.kit import ROOT, machine, surroundings
from bench.stage import wait_for_later
from reminder.actions import arming, cases
from reminder.actions.cases import NewCase, NewParty
from reminder.actions.desk import Actor
from reminder.actions.people import ensure_admin
from reminder.app import opened
from reminder.instance import Instance
from reminder.settings_reading import load

NOON = 12
MOST = 60
"""Seconds to wait for the first message."""


class Provider(BaseHTTPRequestHandler):
    """Takes on every text and remembers when the first came; its log is empty."""

    first = 0.0
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        Provider.first = Provider.first or time.monotonic()
        self.rfile.read(int(self.headers["Content-Length"]))
        self._say(201, {"sid": "SM" + "0" * 32, "status": "queued", "error_code": None})

    def do_GET(self) -> None:
        self._say(200, {"messages": [], "next_page_uri": None, "page": 0, "page_size": 50})

    def _say(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Nothing."""


@contextmanager
def provider() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def noon() -> str:
    """A zone where it is noon now, so that texts may leave whenever somebody measures."""
    ahead = NOON - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "UTC"


def settings(folder: str, base: str) -> dict[str, str]:
    return {
        "REMINDER_DATA_DIR": folder,
        "REMINDER_OFFICE__TIMEZONE": noon(),
        "REMINDER_OFFICE__UNDO_SECONDS": "0",
        "REMINDER_OFFICE__PHONE": "+12025550101",
        "REMINDER_TWILIO__ACCOUNT_SID": "AC" + "0" * 32,
        "REMINDER_TWILIO__AUTH_TOKEN": "0" * 32,
        "REMINDER_TWILIO__SENDER": "+12025550100",
        "REMINDER_TWILIO__BASE_URL": base,
        "REMINDER_WEB__PORT": "18373",
        "REMINDER_WEB__PUBLIC_URL": "https://office.invalid",
    }


async def build(waiting: int) -> None:
    """An office armed for this machine, and many messages that wait for a year nobody sees."""
    found = load()
    async with opened(found) as rt:
        here = Instance(found.data_dir)
        await arming.at_start(rt.db, here.name, here.sent_to)
        await wait_for_later(rt, waiting)
        async with rt.db.write() as tx:
            for table, column in (("reminders", "send_after"), ("reminders", "due_at"), ("agenda", "due_at")):
                await tx.execute(sa.text(f"UPDATE {table} SET {column} = '2099' || substr({column}, 5)"))


async def fall_due(number: int) -> None:
    """A case is registered; its resident is owed a text at once."""
    async with opened(load()) as rt, rt.db.write() as tx:
        admin = await ensure_admin(tx, rt.desk)
        party = NewParty(name="R", phones=[f"+1202555{number:04d}"])
        await cases.register(
            tx, rt.desk, Actor(), NewCase(protocol="ordinary", parties=[party], handler_id=admin)
        )


def worked(pid: int) -> float:
    """Seconds of CPU that a process has had so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def restarted() -> tuple[float, float]:
    """Seconds from the start of the process to the first message, and how many of CPU that took."""
    Provider.first = 0.0
    begun = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "reminder", "run"],
        cwd=ROOT,
        env=surroundings(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not Provider.first and time.monotonic() - begun < MOST and process.poll() is None:
        time.sleep(0.005)
    cpu = worked(process.pid) if Provider.first else 0.0
    process.terminate()
    process.wait(30)
    if not Provider.first:
        raise SystemExit("no message left")
    return Provider.first - begun, cpu


def main() -> None:
    waiting = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as folder, provider() as base:
        os.environ.update(settings(folder, base))
        asyncio.run(build(waiting))
        taken = []
        for number in range(rounds):
            asyncio.run(fall_due(number))
            taken.append(restarted())
    print(f"{machine()}; {waiting:,} waiting")
    for what, found in zip(("first message after", "CPU until then"), zip(*taken, strict=True), strict=True):
        print(f"{what}: median {statistics.median(found):.2f} s of", *(f"{one:.2f}" for one in found))


if __name__ == "__main__":
    main()
