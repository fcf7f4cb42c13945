"""What does a cell of a ledger say: a name, a limit, a yes, a score?"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from reminder.domain.limits import Limit, Unit
from reminder.ledger.apart import FAULTY_CELL
from reminder.ledger.dates import LOOKED_AT, Days, dates_in, numeral, read_date, simplified
from reminder.ledger.files import Cell
from reminder.ledger.lexicon import Lexicon, plain
from reminder.ledger.verdicts import Ask, Unreadable

LONGEST = 2_000
"""Characters kept of a free text."""
UNREADABLE = Unreadable(key="import.why.unreadable")
FAILED = Unreadable(key="import.why.formula")

_IDENTITY_NUMBER = re.compile(
    r"(?<!\d)[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d{3}[\dXx](?!\d)"
)
_UNWANTED = re.compile(r"[\0-\x08\x0b-\x1f\x7f\ud800-\udfff]|^'(?=[=+\-@])")
"""Control characters, and the apostrophe that keeps a text from becoming a formula."""
_AMOUNT = r"(\d{1,4}|[一二两三四五六七八九十百]{1,4})"
_LIMITS: tuple[tuple[Unit, int, re.Pattern[str]], ...] = tuple(
    (unit, times, re.compile(rf"(?<![\d.年月]){_AMOUNT}\s*-?\s*(?:{words})", re.I))
    for unit, times, words in (
        (Unit.WD, 1, r"个?\s*工作日|个?\s*工作天|(?:working|business|work)\s*-?\s*days?\b|wd\b"),
        (Unit.HOUR, 1, r"个?\s*小时|个?\s*钟头|hours?\b|hrs?\b|h\b"),
        (Unit.MINUTE, 1, r"分钟|minutes?\b|mins?\b"),
        (Unit.MONTH, 1, r"个月|months?\b"),
        (Unit.CAL, 7, r"个?\s*星期|周|weeks?\b"),
        (Unit.CAL, 1, r"个?\s*自然日|个?\s*日历日|日|天|(?:calendar\s*)?days?\b|d\b|cal\b"),
    )
)
_HEADER_UNITS = (
    (Unit.WD, re.compile(r"工作日|working|business", re.I)),
    (Unit.HOUR, re.compile(r"小时|hour", re.I)),
    (Unit.CAL, re.compile(r"[（(\[][^）)\]]*[日天][^）)\]]*[）)\]]|天数|\bdays\b", re.I)),
)
_GROUP = re.compile(
    r"(?:等|及其他|共)\s*(?:共|约)?\s*(\d{1,5}|[一二两三四五六七八九十百]{1,5})\s*(?:余|多)?\s*(?:人|名|户|位)"
)
_ENGLISH_GROUP = re.compile(
    r"\s*(?:,?\s*(?:and|\+|&)\s*(\d{1,5})\s*(?:others?|more)"
    r"|[(,]\s*(?:group of\s*)?(\d{1,5})\s*(?:people|persons|residents)\s*\)?)",
    re.I,
)
_AND_OTHERS = re.compile(r"\s*(?:等人|等$|\bet al\.?|and others)\s*", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Who came. `group_size` counts everybody, the named person too; None if the ledger does not say."""

    name: str
    group_size: int | None = None
    anonymous: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A stated day, a limit, or both."""

    on: date | None = None
    limit: Limit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revisit:
    """A visit that has taken place; the day may be missing."""

    on: date | None
    text: str


def words(cell: Cell) -> str:
    """A cell as text: blanks trimmed, whole numbers without a point, identity numbers struck out."""
    if isinstance(cell, str):
        return "" if cell == FAULTY_CELL else cleaned(cell)
    if cell is None:
        return ""
    return cell.isoformat()[:10] if isinstance(cell, date) else cleaned(str(cell))


@lru_cache(maxsize=20_000)
def cleaned(written: str) -> str:
    """See `words`."""
    text = unicodedata.normalize("NFC", written).replace("\r\n", "\n").replace("\r", "\n")
    text = _UNWANTED.sub("", text).strip()
    return _IDENTITY_NUMBER.sub("***", text) if len(text) >= 18 else text


def is_nothing(cell: Cell, lexicon: Lexicon) -> bool:
    """Empty, or one of the words people write for "nothing"."""
    return cell is None or (
        isinstance(cell, str) and (not cell.strip() or words(cell).casefold() in lexicon.nothing)
    )


def read_party(cell: Cell, lexicon: Lexicon) -> Party | Unreadable | None:
    """ "张某等12人" is 张某 and a group of twelve; "匿名" has no name."""
    if cell == FAULTY_CELL:
        return FAILED
    text = unicodedata.normalize("NFKC", words(cell))[:LOOKED_AT]
    if not text:
        return None
    if lexicon.value("party", text) == "anonymous":
        return Party(name="", anonymous=True)
    size: int | None = None
    for pattern in (_GROUP, _ENGLISH_GROUP):
        if found := pattern.search(text):
            size = _group_size(found)
            text = text[: found.start()] + text[found.end() :]
            break
    name = _AND_OTHERS.sub("", name_part(text) if re.search(r"\d{3}[\d\s-]{4}", text) else text).strip(
        " ,，、;；()（）"
    )
    if lexicon.value("party", name) == "anonymous":
        return Party(name="", group_size=size, anonymous=True)
    if not re.search(r"[^\W\d_]", name) or isinstance(cell, bool | int | float | date):
        return Unreadable(key="import.why.no_name")
    return Party(name=re.sub(r"(?<=[㐀-鿿])\s+(?=[㐀-鿿])", "", name)[:200], group_size=size)


def _group_size(found: re.Match[str]) -> int:
    written = next(part for part in found.groups() if part)
    if found.re is _ENGLISH_GROUP and found[1]:
        return int(found[1]) + 1
    return int(written) if written.isdigit() else numeral(written)


@lru_cache(maxsize=5_000)
def read_limits(text: str) -> tuple[Limit, ...]:
    """Every limit in a text: "60日", "十五个工作日", "24 hours"."""
    rest = unicodedata.normalize("NFKC", text[:LOOKED_AT])
    found: dict[Limit, None] = {}
    for unit, times, pattern in _LIMITS:
        for match in list(pattern.finditer(rest)):
            amount = int(match[1]) if match[1].isdigit() else numeral(match[1])
            if amount > 0:
                found[Limit(amount * times, unit)] = None
            rest = rest.replace(match[0], " " * len(match[0]), 1)
    return tuple(found)


def read_due(cell: Cell, header: str, known: Days) -> Due | Ask | Unreadable | None:
    """A day, a limit or both ("60日(2026.5.1)"). A bare number's unit is the header's, or is asked."""
    if cell is None or cell == "":
        return None
    if cell == FAULTY_CELL:
        return FAILED
    text = words(cell)
    if re.fullmatch(r"\d{1,3}", text):
        return _bare_number(int(text), header)
    if not isinstance(cell, str):
        day = read_date(cell, known)
        return Due(on=day) if isinstance(day, date) else day
    rest = simplified(text)
    day_text = [rest[one.start : one.end] for one in dates_in(text, known) if one.end <= len(rest)]
    for written in day_text:
        rest = rest.replace(written, " ", 1)
    limits = read_limits(rest)
    if len(limits) > 1:
        choices = tuple(str(limit) for limit in limits[:6])
        return Ask(key="import.ask.which_limit", choices=choices, values={"text": text[:60]})
    limit = limits[0] if limits else None
    if not day_text:
        return Due(limit=limit) if limit else UNREADABLE
    day = read_date(text, known)
    return Due(on=day, limit=limit) if isinstance(day, date) else day


def _bare_number(amount: int, header: str) -> Due | Ask | Unreadable:
    if amount == 0:
        return UNREADABLE
    for unit, pattern in _HEADER_UNITS:
        if pattern.search(header):
            return Due(limit=Limit(amount, unit))
    choices = (str(Limit(amount, Unit.CAL)), str(Limit(amount, Unit.WD)))
    return Ask(key="import.ask.which_unit", choices=choices, values={"amount": amount})


def read_closed(cell: Cell, lexicon: Lexicon) -> bool | Ask | Unreadable | None:
    """Whether the matter is closed; words such as 已化解 or 平稳 say something else and are asked."""
    if isinstance(cell, date):
        return True  # the day of closing under a header such as "Closed"
    meaning = _meaning("closed", cell, lexicon)
    if meaning == "ask":
        return Ask(key="import.ask.closed", choices=("yes", "no"), values={"text": words(cell)[:60]})
    return meaning if isinstance(meaning, Unreadable) or meaning is None else meaning == "yes"


def read_flag(cell: Cell, lexicon: Lexicon) -> bool | Unreadable | None:
    """是, √, 重访 … or 否, ×, 初访 …"""
    meaning = _meaning("flag", cell, lexicon)
    return meaning if isinstance(meaning, Unreadable) or meaning is None else meaning == "yes"


def read_score(cell: Cell, lexicon: Lexicon) -> int | Unreadable | None:
    """1 (worst) to 5; None where nobody was asked: silence is not satisfaction."""
    meaning = _meaning("score", cell, lexicon)
    if isinstance(meaning, Unreadable) or meaning is None:
        return meaning
    return None if meaning == "none" else int(meaning)


def _meaning(vocabulary: str, cell: Cell, lexicon: Lexicon) -> str | Unreadable | None:
    if cell == FAULTY_CELL:
        return FAILED
    text = words(cell)
    known = lexicon.value(vocabulary, text) if text else None
    if known is not None or is_nothing(cell, lexicon):
        return known
    return lexicon.value(vocabulary, re.sub(r"[(（].*[)）]$", "", text)) or UNREADABLE


def read_count(cell: Cell) -> int | Unreadable | None:
    """A number of people: 12, "12人", "十二"."""
    if cell == FAULTY_CELL:
        return FAILED
    text = unicodedata.normalize("NFKC", words(cell))
    if not text:
        return None
    found = re.fullmatch(
        r"约?(\d{1,5}|[一二两三四五六七八九十百]{1,5})\s*(?:余|多)?(?:人|名|户|people)?", text
    )
    if not found:
        return UNREADABLE
    return (int(found[1]) if found[1].isdigit() else numeral(found[1])) or UNREADABLE


def name_part(text: str) -> str:
    """ "周敏 13800138000" or "周敏（副县长）" is 周敏."""
    bare = re.sub(r"[(（][^)）]*[)）]?", " ", unicodedata.normalize("NFKC", text[:LOOKED_AT]))
    bare = re.sub(r"\+?[\d\-\s]{5,}|(?:联系)?(?:电话|手机|tel|phone)[.:：]?", " ", bare, flags=re.I)
    return re.sub(r"(?<=[㐀-鿿])\s+(?=[㐀-鿿])", "", bare).strip(" ,，、;；:：/\n")[:120]


def same_name(one: str, other: str) -> bool:
    return plain(one) == plain(other)
