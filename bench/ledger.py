"""How long does it take to read a ledger of 10,000 rows, and to hand it back?

Run `python bench/ledger.py [rows]`.
"""

import io
import sys
import time
import tomllib
from datetime import date, timedelta
from pathlib import Path

import openpyxl

from reminder.domain.limits import Limit
from reminder.ledger import annotate, files
from reminder.ledger.lexicon import Lexicon
from reminder.ledger.reading import Known
from reminder.ledger.records import Ledger, read
from reminder.ledger.report import json_object

ROOT = Path(__file__).resolve().parent.parent
HEADER = [
    "序号", "登记时间", "信访人", "联系电话", "住址", "信访形式", "问题类别", "主要诉求", "责任单位",
    "包案领导", "承办人", "办理期限", "办理情况", "答复时间", "是否办结", "满意度", "回访情况", "身份证号",
]  # fmt: skip
WAYS = ("来访", "来信", "来电", "网上", "12345")
MATTERS = ("自来水断水", "道路破损", "土地边界", "低保申请", "拖欠工资", "垃圾清运", "邻里纠纷")
UNITS = ("县水利局", "柳溪镇政府", "水利局", "石门乡政府")


def workbook(rows: int) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet("2026年")
    page.append(["2026年信访台账"])
    page.append(HEADER)
    for n in range(rows):
        page.append(_row(n))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _row(n: int) -> list[object]:
    day = date(2026, 1, 1) + timedelta(days=n % 320)
    written = (f"{day.year}.{day.month}.{day.day}", day, f"{day.month}月{day.day}日", f"{day:%Y%m%d}")[n % 4]
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
        ("陈立文", "黄志强", "陈立雯")[n % 3],
        ("60日", "15个工作日", "2026-12-30", "24小时")[n % 4],
        "正在处理",
        f"{day.month}月{day.day}日" if done else None,
        "是" if done else "否",
        "满意" if done else None,
        None,
        "330102196501011234",
    ]


def main() -> None:
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
