"""Whatever an import, a calendar, a template or a protocol holds, it is read or refused in sentences."""

import io
import random
import shutil
import zipfile
from pathlib import Path

import pytest

from reminder.domain.calendar_files import read_calendar
from reminder.domain.errors import Faulty, Refused
from reminder.domain.protocol_files import read_protocols
from reminder.ledger import files
from reminder.ledger.annotate import handed_back
from reminder.ledger.records import read
from reminder.ledger.report import summary
from reminder.render import Templates
from tests.fuzz import Tally, many, naughty
from tests.ledger.books import HEADER, KNOWN, WORDS, ledger
from tests.office import ROOT, templates

CODECS = ("utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "big5", "latin-1", "cp1252")


def csv_of(rng: random.Random) -> bytes:
    """A ledger in some encoding, with some separator, with cells nobody expects."""
    rows = [list(HEADER)] if rng.random() < 0.8 else []
    for _ in range(rng.randrange(6)):
        rows.append(["1", "2026-11-02", "李女士", "+12025550142", "河湾村", "路灯不亮"])
        for _ in range(rng.randrange(4)):
            rows[-1][rng.randrange(len(rows[-1]))] = naughty.text(rng)[:2000]
    mark = rng.choice([",", ",", ";", "\t", "|"])
    quoted = [[f'"{cell}"' if rng.random() < 0.3 else cell for cell in row] for row in rows]
    content = rng.choice(["\n", "\r\n", "\r"]).join(mark.join(row) for row in quoted)
    raw = content.encode(rng.choice(CODECS), "replace")
    if rng.random() < 0.3 and raw:
        at = rng.randrange(len(raw))
        raw = raw[:at] + rng.randbytes(rng.randrange(8)) + raw[at + rng.randrange(3) :]
    return raw


def package_of(rng: random.Random) -> bytes:
    """A zip that says it is a workbook: bombs, lies, formulas, entities. Most never reach the parser."""
    out = io.BytesIO()
    name = rng.choice(["xl/workbook.xml", "word/document.xml", "../x", naughty.text(rng)[:60]])
    name = name.encode("utf-8", "replace").decode()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        inside = rng.choice(
            [
                b"0" * 6_000_000,
                b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><workbook>&b;</workbook>',
                b"<workbook/>",
                rng.randbytes(50),
            ]
        )
        package.writestr(name.replace("\0", "") or "0", inside)
        for n in range(rng.choice([0, 1, 3, 1200])):
            package.writestr(f"xl/worksheets/{n}.xml", b"<f>=1+1</f>")
    raw = bytearray(out.getvalue())
    for _ in range(rng.randrange(12)):
        raw[rng.randrange(len(raw))] = rng.randrange(256)
    return bytes(raw[: rng.randrange(1, len(raw))]) if rng.random() < 0.3 else bytes(raw)


def _imported(name: str, content: bytes) -> bool:
    try:
        found = files.sheets(name, content)
        reading = read(found, ledger(known=KNOWN))
        for lang, words in WORDS.items():
            summary(reading, {}, words)
            assert lang
        handed_back(name, content, found, reading=reading, outcomes={}, words=WORDS["zh"])
    except Refused as refused:
        assert all(words[refused.key].format_map(refused.values) for words in WORDS.values())
        return False
    return True


@pytest.mark.failure(21)
def test_no_ledger_breaks_the_import() -> None:
    tally = Tally("csv")
    for _ in range(many(250)):
        content = csv_of(tally.rng)
        name = tally.rng.choice(["a.csv", "台账.txt", "a.xlsx", naughty.text(tally.rng)[:80]])
        with tally.case((name, content)):
            tally.count("read" if _imported(name, content) else "refused")
    tally.in_time()
    assert tally.counts["read"] > 10


@pytest.mark.failure(21)
def test_no_package_breaks_the_import() -> None:
    tally = Tally("packages")
    for _ in range(many(100)):
        content = package_of(tally.rng)
        with tally.case(content):
            tally.count("read" if _imported("book.xlsx", content) else "refused")
    tally.in_time()


def test_no_calendar_file_breaks_the_reading() -> None:
    tally = Tally("calendars")
    recorded = [path.read_bytes() for path in sorted((ROOT / "tests/calendar_files").iterdir())]
    for _ in range(many(150)):
        raw = bytearray(tally.rng.choice(recorded)[: tally.rng.choice([200, 1000, 5000])])
        for _ in range(tally.rng.randrange(6)):
            at = tally.rng.randrange(len(raw))
            raw[at : at + tally.rng.randrange(4)] = naughty.text(tally.rng)[:40].encode("utf-8", "replace")
        name = tally.rng.choice(["2027.csv", "2027.ics", "2027.json", "x"])
        with tally.case((name, bytes(raw))):
            try:
                read_calendar(name, bytes(raw))
                tally.count("read")
            except Faulty as faulty:
                assert all(fault.what and fault.remedy for fault in faulty.faults)
                tally.count("refused")
    tally.in_time()


def test_no_protocol_file_breaks_the_reading() -> None:
    tally = Tally("protocols")
    names = ("common.toml", "ordinary.toml")
    whole = {name: (ROOT / "templates/protocols" / name).read_text("utf-8") for name in names}
    kinds = templates().kinds.keys()
    for _ in range(many(60)):
        name = tally.rng.choice(list(whole))
        lines = whole[name].split("\n")
        for _ in range(tally.rng.randrange(1, 4)):
            at = tally.rng.randrange(len(lines))
            key, sign, _ = lines[at].partition("=")
            other = tally.rng.choice(lines)
            lines[at] = tally.rng.choice(
                [f'{key}{sign} "{naughty.text(tally.rng)[:200]}"', other, key + sign, ""]
            )
        text = "\n".join(lines).encode("utf-8", "replace").decode()
        with tally.case((name, at, lines[at])):
            try:
                read_protocols({**whole, name: text}, kinds=kinds, calendars=None)
                tally.count("read")
            except Faulty as faulty:
                assert all(fault.what and fault.remedy for fault in faulty.faults)
                tally.count("refused")
    tally.in_time()


@pytest.mark.failure(23)
def test_no_template_breaks_the_loading(tmp_path: Path) -> None:
    tally = Tally("templates")
    folder = tmp_path / "templates"
    shutil.copytree(ROOT / "templates", folder)
    paths = sorted(
        p for p in folder.rglob("*") if p.suffix in {".txt", ".toml"} and "protocols" not in p.parts
    )
    for _ in range(many(12)):
        path = tally.rng.choice(paths)
        was = path.read_bytes()
        text = was.decode()
        at = tally.rng.randrange(len(text) + 1)
        broken = text[:at] + naughty.text(tally.rng)[:4000] + text[at + tally.rng.randrange(9) :]
        path.write_bytes(broken.encode("utf-8", "surrogatepass"))
        with tally.case((path.name, at)):
            try:
                Templates.load(folder)
                tally.count("read")
            except Faulty as faulty:
                assert all(fault.what and fault.remedy for fault in faulty.faults)
                tally.count("refused")
        path.write_bytes(was)
    tally.in_time()
