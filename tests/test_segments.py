"""Are SMS parts counted as 3GPP TS 23.038 and 23.040 say, and is a dear text refused before it is sent?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminder.domain.errors import Refused
from reminder.segments import Encoding, plain_punctuation, segments, sign, sms

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = "\f^{}\\[~]|€"


def counted(text: str) -> tuple[str, int, int]:
    """The independent counter: encoding, units, parts."""
    gsm = all(char in BASIC + EXTENDED for char in text)
    sizes = [2 if (char in EXTENDED if gsm else ord(char) > 0xFFFF) else 1 for char in text]
    single, joined = (160, 153) if gsm else (70, 67)
    if sum(sizes) <= single:
        return ("GSM-7" if gsm else "UCS-2"), sum(sizes), 1
    parts, room = 1, joined
    for size in sizes:
        if size > room:
            parts, room = parts + 1, joined
        room -= size
    return ("GSM-7" if gsm else "UCS-2"), sum(sizes), parts


latin = st.text(st.sampled_from(BASIC + EXTENDED * 4), max_size=500)
mixed = st.text(st.sampled_from(BASIC + EXTENDED + "您好，办事😀👍🏽’ç"), max_size=300)


@given(st.one_of(latin, mixed))
def test_every_text_costs_what_the_independent_counter_says(text: str) -> None:
    cost = segments(text)
    assert (cost.encoding, cost.units, cost.count) == counted(text)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        *[("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3)],
        *[("您" * 70, 1), ("您" * 71, 2), ("您" * 134, 2), ("您" * 135, 3)],
        *[("€" * 80, 1), ("a" * 152 + "€" * 77, 3), ("😀" * 35, 1), ("😀" * 36, 2), ("😀" * 67, 3)],
    ],
)
@pytest.mark.failure(26)
def test_the_edges_are_where_the_standard_puts_them(text: str, count: int) -> None:
    assert segments(text).count == count


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ("plain", ""),
        ("it’s “fine”", "’"),
        ("garçon", "ç"),
        ("a\tb", "\t"),
        ("`", "`"),
        ("ok 好", "好"),
        ("\x1b", "\x1b"),
    ],
)
def test_the_first_character_that_costs_ucs2_is_named(text: str, culprit: str) -> None:
    assert segments(text).culprit == culprit
    assert segments(text).encoding is (Encoding.UCS2 if culprit else Encoding.GSM7)


def test_curly_marks_dashes_and_odd_spaces_become_ascii() -> None:
    said = plain_punctuation("“Mrs Li’s” – 9—11\u00a0am…")
    assert said == '"Mrs Li\'s" - 9-11 am...'
    assert segments(said).encoding is Encoding.GSM7


def test_each_language_signs_in_its_own_way_and_only_once() -> None:
    assert sign("您好", "zh", "青麓民情") == sign("您好", "zh", "【青麓民情】") == "【青麓民情】您好"
    assert sign("Hello", "en", "Qinglu Casework") == sign("Hello", "en", "Qinglu Casework: ")
    assert sign("Hello", "en", "Qinglu Casework") == "Qinglu Casework: Hello"


def test_a_signature_the_provider_adds_is_counted_but_not_written() -> None:
    assert sms("您" * 128, "zh", "青麓民情", provider_adds=True) == "您" * 128
    with pytest.raises(Refused):
        sms("您" * 129, "zh", "青麓民情", provider_adds=True)


@pytest.mark.parametrize(("lang", "letter", "most"), [("zh", "您", 134 - 6), ("en", "a", 306 - 17)])
@pytest.mark.failure(26)
def test_a_third_part_is_refused_with_how_much_to_take_out(lang: str, letter: str, most: int) -> None:
    signature = {"zh": "青麓民情", "en": "Qinglu Casework"}[lang]
    assert segments(sms(letter * most, lang, signature)).count == 2
    with pytest.raises(Refused) as caught:
        sms(letter * (most + 5), lang, signature)
    assert caught.value.key == "sms.too_long"
    assert (caught.value.values["count"], caught.value.values["over"]) == (3, 5)
