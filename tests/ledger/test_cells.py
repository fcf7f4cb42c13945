from datetime import date

import pytest

from reminder.domain.limits import Limit
from reminder.ledger.cells import (
    Due,
    Party,
    name_part,
    read_closed,
    read_count,
    read_due,
    read_flag,
    read_party,
    read_score,
    words,
)
from reminder.ledger.dates import Days
from reminder.ledger.files import Cell
from reminder.ledger.phones import Phones, read_phones
from reminder.ledger.verdicts import Ask, Unreadable
from tests.ledger.books import LEXICON, TODAY

DAYS = Days(today=TODAY, not_before=date(2026, 3, 2))
REGIONS = ("CN", "US")


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("60日", "60 cal"),
        ("60天", "60 cal"),
        ("60日内", "60 cal"),
        ("六十日", "60 cal"),
        ("60个自然日", "60 cal"),
        ("自转办之日起60日", "60 cal"),
        ("15个工作日", "15 wd"),
        ("十五个工作日", "15 wd"),
        ("１５工作日", "15 wd"),
        ("24小时", "24 h"),
        ("48h", "48 h"),
        ("30分钟", "30 min"),
        ("两个月", "2 month"),
        ("2周", "14 cal"),
        ("30 days", "30 cal"),
        ("10 working days", "10 wd"),
        ("10 business days", "10 wd"),
        ("24 hours", "24 h"),
        ("within 30 calendar days", "30 cal"),
        ("1 day", "1 cal"),
        ("3 months", "3 month"),
        ("10-working-days", "10 wd"),
    ],
)
def test_a_limit_is_read_in_words(text: str, limit: str) -> None:
    assert read_due(text, "办理期限", DAYS) == Due(limit=Limit.parse(limit))


def test_a_limit_and_a_day_in_one_cell_are_both_kept() -> None:
    assert read_due("60日（2026.5.1）", "办理期限", DAYS) == Due(
        on=date(2026, 5, 1), limit=Limit.parse("60 cal")
    )
    assert read_due("2027-01-02", "办理期限", DAYS) == Due(on=date(2027, 1, 2))


def test_a_bare_number_takes_the_unit_of_its_header_or_is_asked() -> None:
    assert read_due(60, "办理期限（日）", DAYS) == Due(limit=Limit.parse("60 cal"))
    assert read_due("15", "办理期限（工作日）", DAYS) == Due(limit=Limit.parse("15 wd"))
    assert read_due(10, "Due (working days)", DAYS) == Due(limit=Limit.parse("10 wd"))
    asked = read_due(60, "办理期限", DAYS)
    assert isinstance(asked, Ask)
    assert asked.choices == ("60 cal", "60 wd")


def test_two_limits_in_one_cell_are_a_question() -> None:
    asked = read_due("15个工作日或60日", "办理期限", DAYS)
    assert isinstance(asked, Ask)
    assert set(asked.choices) == {"15 wd", "60 cal"}


@pytest.mark.parametrize("cell", ["立即", "0日", "0", "尽快", "#ERROR", "99999日"])
def test_a_limit_that_says_nothing_is_unreadable(cell: Cell) -> None:
    assert isinstance(read_due(cell, "办理期限", DAYS), Unreadable)


@pytest.mark.parametrize(
    ("text", "party"),
    [
        ("张某等12人", Party(name="张某", group_size=12)),
        ("罗永贵等37人", Party(name="罗永贵", group_size=37)),
        ("张三、李四等五人", Party(name="张三、李四", group_size=5)),
        ("张某等２０余人", Party(name="张某", group_size=20)),
        ("王某等人", Party(name="王某")),
        ("张 三", Party(name="张三")),
        ("匿名", Party(name="", anonymous=True)),
        ("匿名等3人", Party(name="", group_size=3, anonymous=True)),
        ("Anonymous", Party(name="", anonymous=True)),
        ("Peter Lowe and 36 others", Party(name="Peter Lowe", group_size=37)),
        ("Anna Lee (12 people)", Party(name="Anna Lee", group_size=12)),
        ("Grace Bell", Party(name="Grace Bell")),
        ("李桂兰 202-555-0101", Party(name="李桂兰")),
    ],
)
def test_a_party_is_a_name_and_how_many(text: str, party: Party) -> None:
    assert read_party(text, LEXICON) == party


@pytest.mark.parametrize("cell", [12, "---", "#ERROR", "12", date(2026, 3, 5), "？？"])
def test_what_is_no_name_is_unreadable(cell: Cell) -> None:
    assert isinstance(read_party(cell, LEXICON), Unreadable)


@pytest.mark.parametrize(
    ("cell", "numbers"),
    [
        ("202-555-0101", ["+12025550101"]),
        ("2025550101", ["+12025550101"]),
        (2025550101, ["+12025550101"]),
        (2025550101.0, ["+12025550101"]),
        ("2025550101.0", ["+12025550101"]),
        ("+1 (202) 555-0101", ["+12025550101"]),
        ("２０２－５５５－０１０１", ["+12025550101"]),
        ("电话：202 555 0101（本人）", ["+12025550101"]),
        ("202-555-0102、202-555-0103", ["+12025550102", "+12025550103"]),
        ("202-555-0102/202-555-0103", ["+12025550102", "+12025550103"]),
        ("202-555-0102；202-555-0103", ["+12025550102", "+12025550103"]),
        ("202-555-0102，202-555-0103", ["+12025550102", "+12025550103"]),
        ("2025550102 2025550103", ["+12025550102", "+12025550103"]),
        ("202-555-0102\n202-555-0103", ["+12025550102", "+12025550103"]),
        ("202-555-0102 or 202-555-0103", ["+12025550102", "+12025550103"]),
        ("202-555-0102、202-555-0102", ["+12025550102"]),
        ("'202-555-0101", ["+12025550101"]),
    ],
)
def test_telephone_numbers_are_read_as_e164(cell: Cell, numbers: list[str]) -> None:
    assert read_phones(cell, REGIONS) == Phones(numbers=tuple(numbers))


@pytest.mark.parametrize(
    "cell",
    [
        "1.3E+10",
        "1.3e10",
        "2.03 E+09",
        "2.025550123E+10",
        1.3e10,
        13000000000,
        2025550101.5,
        1e18,
        "请问本人",
        "12",
        True,
        12,
        float("nan"),
        float("inf"),
        "88880000",
    ],
)
def test_a_number_whose_digits_are_lost_is_unread_and_never_half_read(cell: Cell) -> None:
    found = read_phones(cell, REGIONS)
    assert (found.numbers, found.landlines, found.unread) == ((), (), True)


def test_a_good_number_beside_a_bad_one_is_kept() -> None:
    assert read_phones("202-555-0101、1234567", REGIONS) == Phones(numbers=("+12025550101",), unread=True)


@pytest.mark.parametrize(
    "cell",
    [
        "0571-88880000",
        "057188880000",
        "(0571)88880000",
        "+86 571 8888 0000",
        57188880000,
        "0571-88880000转8012",
    ],
)
def test_a_landline_is_known_as_one(cell: Cell) -> None:
    assert read_phones(cell, REGIONS) == Phones(numbers=("+8657188880000",), landlines=("+8657188880000",))


@pytest.mark.parametrize(
    ("cell", "closed"),
    [
        ("是", True),
        ("√", True),
        ("已办结", True),
        ("办结", True),
        ("Y", True),
        (True, True),
        ("Closed", True),
        ("否", False),
        ("×", False),
        ("在办", False),
        ("未办结", False),
        ("In progress", False),
        (None, None),
        (" ", None),
        (date(2026, 3, 5), True),
    ],
)
def test_whether_a_matter_is_closed(cell: Cell, closed: bool | None) -> None:
    assert read_closed(cell, LEXICON) is closed


@pytest.mark.parametrize("cell", ["已化解", "未化解", "平稳", "部分办结", "On hold"])
def test_words_that_say_something_else_than_closed_are_asked(cell: str) -> None:
    asked = read_closed(cell, LEXICON)
    assert isinstance(asked, Ask)
    assert asked.choices == ("yes", "no")


@pytest.mark.parametrize(
    ("cell", "score"),
    [
        ("满意", 5),
        ("基本满意", 4),
        ("一般", 3),
        ("不满意", 2),
        (4, 4),
        ("", None),
        (None, None),
        ("未评价", None),
        ("Satisfied", 5),
        ("Dissatisfied", 2),
    ],
)
def test_a_score_is_read_and_silence_is_none(cell: Cell, score: int | None) -> None:
    assert read_score(cell, LEXICON) == score


def test_a_score_on_another_scale_is_unreadable() -> None:
    assert isinstance(read_score(95, LEXICON), Unreadable)


def test_flags_and_counts() -> None:
    assert [read_flag(cell, LEXICON) for cell in ("是", "重访", "初访", "否", None)] == [
        True,
        True,
        False,
        False,
        None,
    ]
    assert [read_count(cell) for cell in (12, "12人", "十二", None)] == [12, 12, 12, None]
    assert isinstance(read_count("很多"), Unreadable)


@pytest.mark.parametrize(
    "text", ["周敏", "周敏 202-555-0107", "周敏（副县长）202-555-0107", "周敏，电话：202-555-0107", "周 敏"]
)
def test_only_the_name_of_a_leader_is_kept(text: str) -> None:
    assert name_part(text) == "周敏"


def test_an_identity_number_in_any_text_is_struck_out() -> None:
    assert words("李桂兰，身份证330102196501011234，住3组") == "李桂兰，身份证***，住3组"
    assert words("金额 123456789012345678 元") == "金额 123456789012345678 元"
