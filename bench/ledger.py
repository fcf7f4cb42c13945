"""How long does it take to read a ledger of 10,000 rows and to hand it back, and to import one of 20,000?

`python -m bench.ledger [rows]` for the reading, step by step; `python -m bench ledger` for the import.
"""

import asyncio
import io
import json
import resource
import sys
import tempfile
import time
import tomllib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import openpyxl

from bench.kit import Row, python
from bench.planning import desk_at
from bench.stage import file_url
from reminder.actions import imports
from reminder.actions.desk import Actor
from reminder.actions.people import ensure_admin
from reminder.clock import ManualClock
from reminder.domain.limits import Limit
from reminder.ledger import annotate, files
from reminder.ledger.lexicon import Lexicon
from reminder.ledger.reading import Known
from reminder.ledger.records import Ledger, read
from reminder.ledger.report import json_object
from reminder.runtime import Runtime
from reminder.store import people
from reminder.store.database import Database
from reminder.store.migrations import migrate

ROOT = Path(__file__).resolve().parent.parent
HEADER = [
    "序号", "登记时间", "信访人", "联系电话", "住址", "信访形式", "问题类别", "主要诉求", "责任单位",
    "包案领导", "承办人", "办理期限", "办理情况", "答复时间", "是否办结", "满意度", "回访情况", "身份证号",
]  # fmt: skip
WAYS = ("来访", "来信", "来电", "网上", "12345")
MATTERS = ("自来水断水", "道路破损", "土地边界", "低保申请", "拖欠工资", "垃圾清运", "邻里纠纷")
HANDLERS = ("陈立文", "黄志强", "陈立雯")
UNITS = ("县水利局", "柳溪镇政府", "水利局", "石门乡政府")


def workbook(rows: int, *, asks: bool = True) -> bytes:
    """`asks`: every fourth row does not say of which year its day is."""
    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet("2026年")
    page.append(["2026年信访台账"])
    page.append(HEADER)
    for n in range(rows):
        page.append(_row(n, asks=asks))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _row(n: int, *, asks: bool) -> list[object]:
    day = date(2026, 1, 1) + timedelta(days=n % 320)
    written = (f"{day.year}.{day.month}.{day.day}", day, f"{day.month}月{day.day}日", f"{day:%Y%m%d}")[
        n % 4 if asks else n % 2
    ]
    phone = f"{201 + n % 99}-555-01{n % 100:02d}" if n % 20 else 1.3e10
    done = n % 3 == 0
    return [
        n + 1,
        written,
        f"居民{n % 3000}等{n % 40 + 1}人" if n % 9 == 0 else f"居民{n % 3000}",
        phone,
        f"柳溪镇新塘村{n % 30}组",
        WAYS[n % 5],
        "民生",
        f"{MATTERS[n % 7]}第{n}件请求尽快处理",
        UNITS[n % 4],
        "周敏",
        HANDLERS[n % 3],
        ("60日", "15个工作日", "2026-12-30", "24小时")[n % 4],
        "正在处理",
        f"{day.month}月{day.day}日" if done else None,
        "是" if done else "否",
        "满意" if done else None,
        None,
        "330102196501011234",
    ]


def rows(*, full: bool = False) -> list[Row]:
    """The whole import, from file to file; beside it a library that only reads the file."""
    many = 100_000 if full else 20_000
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ledger.xlsx"
        file.write_bytes(workbook(many, asks=False))
        plain = python("bench.ledger", "read", str(file))
        ours = python("bench.ledger", "import", str(file), seconds=3600)
    assert plain is not None
    assert ours is not None
    beside = f"openpyxl alone: {plain['seconds']:.1f} s, {plain['memory']:.0f} MB"
    kept = f"{ours['new']:,.0f} cases made, {ours['waiting']:,.0f} rows wait for an answer; {beside}"
    what = f"{many:,} rows read, written and handed back"
    return [
        Row(work=what, ours=ours["seconds"], unit="s", goal=60 * many / 20_000, less=True, note=kept),
        Row(work=f"{what}: memory", ours=ours["memory"], unit="MB", goal=300, less=True),
    ]


def read_alone(file: Path) -> dict[str, float]:
    """Every cell, and nothing done with it."""
    begun = time.perf_counter()
    cells = sum(len(row) for page in openpyxl.load_workbook(file) for row in page.iter_rows(values_only=True))
    return {"seconds": time.perf_counter() - begun, "memory": most_memory(), "cells": cells}


async def imported(file: Path, content: bytes) -> dict[str, float]:
    """As `reminder import --apply` does it, in an office that knows the ledger's units and people."""
    db = Database(file_url(file.parent))
    rt = Runtime(db=db, desk=desk_at(ManualClock(datetime(2026, 11, 23, 1, tzinfo=UTC))))
    await migrate(db)
    async with db.write() as tx:
        await ensure_admin(tx, rt.desk)
        for unit in UNITS:
            unit_id = await people.add_unit(tx, name=unit, kind="town", parent_id=None)
        for name in HANDLERS:
            await people.add_person(tx, name=name, unit_id=unit_id, roles=())
    begun = time.perf_counter()
    found = await imports.try_out(rt, Actor(), file.name, content)
    found = await imports.apply(rt, Actor(), found)
    imports.annotated(rt.desk, found, "zh")
    seconds = time.perf_counter() - begun
    await db.close()
    waiting = sum(record.held for record in found.reading.records)
    return {"seconds": seconds, "memory": most_memory(), "new": found.counts["new"], "waiting": waiting}


def most_memory() -> float:
    """MB, at its most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    if sys.argv[1:2] == ["read"]:
        print(json.dumps(read_alone(Path(sys.argv[2]))))
    elif sys.argv[1:2] == ["import"]:
        file = Path(sys.argv[2])
        print(json.dumps(asyncio.run(imported(file, file.read_bytes()))))
    else:
        step_by_step()


def step_by_step() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    content = workbook(rows)
    words = tomllib.loads((ROOT / "templates/words/import.zh.toml").read_text(encoding="utf-8"))
    units = {name: name for name in ("县水利局", "柳溪镇政府", "石门乡政府")}
    known = Known(units=units, staff=("陈立文", "黄志强"), villages=(("柳溪镇", "新塘"),))
    ledger = Ledger(
        name="bench", today=date(2026, 11, 23), known=known, count=_count,
        lexicon=Lexicon.load(ROOT / "templates/ledger_headers.toml"),
    )  # fmt: skip
    started = time.perf_counter()
    sheets = files.sheets("bench.xlsx", content)
    opened = time.perf_counter()
    reading = read(sheets, ledger)
    told = time.perf_counter()
    json_object(reading, {}, words)
    printed = time.perf_counter()
    annotate.handed_back("bench.xlsx", content, sheets, reading=reading, outcomes={}, words=words)
    back = time.perf_counter()
    print(f"{rows} rows, {len(content) / 1e6:.1f} MB, {len(reading.questions)} questions")
    print(f"open {opened - started:.2f} s, read {told - opened:.2f} s")
    print(f"report {printed - told:.2f} s, hand back {back - printed:.2f} s")


def _count(anchor: date, limit: Limit) -> date:
    return anchor + timedelta(days=limit.amount)


if __name__ == "__main__":
    main()
