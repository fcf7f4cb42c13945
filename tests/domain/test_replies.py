"""What residents text back: the closed list is understood, and everything else reaches a person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminder.domain.numbers import case_number, say_case_number
from reminder.domain.replies import ALWAYS, DIGITS, WORDS, QuestionKind, Reply, ReplyKind, read_reply

QUESTIONS = (None, *QuestionKind)


def kind_of(body: str, question: QuestionKind | None = None, allowed: str | None = None) -> ReplyKind:
    return read_reply(body, question=question, allowed=allowed).kind


STOPS = (
    *("0", "T", "t", "TD", "td", "R", "退订", "退", "拒收", "取消订阅", "不要发了", "停止"),
    *("STOP", "Stop", "STOPALL", "unsubscribe", "CANCEL", "end", "Quit", "REVOKE", "OptOut"),
    *(
        " stop ",
        "STOP.",
        "“退订”",
        "退订。",
        "０",
        "ＴＤ",
        "ｓｔｏｐ！",
        "0!",
        "'STOP'",
        "「退订」",
        "\u200bSTOP\ufeff",
    ),
)


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("body", STOPS)
def test_a_stop_word_is_heard_whatever_was_asked(body: str, question: QuestionKind | None) -> None:
    assert kind_of(body, question) is ReplyKind.STOP


def test_a_stop_word_is_heard_even_where_the_question_would_take_it_for_an_answer() -> None:
    assert kind_of("0", QuestionKind.RATING, "012345") is ReplyKind.STOP


@pytest.mark.parametrize(
    "body",
    [
        "stop by tomorrow",
        "please stop calling my son, call me",
        "the end",
        "退款",
        "停止施工了吗",
        "00",
        "TT",
    ],
)
def test_a_stop_word_inside_a_sentence_is_read_by_a_person(body: str) -> None:
    assert kind_of(body) is ReplyKind.OTHER


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        *((body, ReplyKind.START) for body in ("订阅", "恢复", "KQ", "kq", "START", "UNSTOP", "Yes", "YES!")),
        *((body, ReplyKind.HELP) for body in ("帮助", "人工", "HELP", "info", "Help?", "人工？")),
        *((body, ReplyKind.WRONG_NUMBER) for body in ("不是我", "打错了", "WRONG", "Wrong number.")),
    ],
)
def test_these_words_mean_the_same_at_all_times(
    body: str, kind: ReplyKind, question: QuestionKind | None
) -> None:
    assert kind_of(body, question) is kind


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        *(
            (body, ReplyKind.CONFIRM)
            for body in ("1", "１", "①", "1。", "“1”", "好", "好的", "可以", "行", "OK", "ok!")
        ),
        *((body, ReplyKind.OTHER_DAY) for body in ("2", "２", "改期", "换时间", "不行", "改天", "Change")),
        *((body, ReplyKind.NO_VISIT) for body in ("3", "不用来", "不用来。", "NO", "no.")),
    ],
)
def test_a_visit_question_is_answered_with_a_digit_or_its_word(body: str, kind: ReplyKind) -> None:
    assert kind_of(body, QuestionKind.VISIT) is kind
    assert kind_of(body) is ReplyKind.OTHER, "without an open question it means nothing"


@pytest.mark.parametrize(
    ("body", "score"),
    [
        *((str(score), score) for score in range(1, 6)),
        *(("很好", 5), ("好", 4), ("满意", 4), ("一般", 3), ("差", 2), ("不满意", 2), ("很差", 1)),
        *(("Very good", 5), ("very  poor.", 1), ("５", 5), ("非常满意", 5)),
    ],
)
def test_a_rating_question_is_answered_with_a_score(body: str, score: int) -> None:
    reply = read_reply(body, question=QuestionKind.RATING, allowed=None)
    assert (reply.kind, reply.score) == (ReplyKind.SCORE, score)
    assert kind_of(body) is ReplyKind.OTHER, "without an open question it means nothing"


def test_one_is_a_yes_to_a_visit_but_very_poor_as_a_score() -> None:
    assert kind_of("1", QuestionKind.VISIT) is ReplyKind.CONFIRM
    assert read_reply("1", question=QuestionKind.RATING, allowed="12345").score == 1


@pytest.mark.parametrize("body", ["3", "不用来", "no"])
def test_a_digit_the_question_did_not_offer_is_read_by_a_person_and_so_is_its_word(body: str) -> None:
    assert kind_of(body, QuestionKind.VISIT, "12") is ReplyKind.OTHER
    assert kind_of(body, QuestionKind.VISIT, "123") is ReplyKind.NO_VISIT


@pytest.mark.parametrize("body", ["4", "5", "6", "9", "12", "1 2", "", "1或2", "星期五行吗"])
def test_what_no_visit_question_asks_is_read_by_a_person(body: str) -> None:
    assert kind_of(body, QuestionKind.VISIT) is ReplyKind.OTHER


def test_a_question_that_allows_more_than_its_kind_can_mean_still_gets_no_wrong_answer() -> None:
    assert kind_of("4", QuestionKind.VISIT, "12345") is ReplyKind.OTHER
    assert kind_of("9", QuestionKind.RATING, "9") is ReplyKind.OTHER


def test_an_empty_list_of_allowed_digits_allows_none() -> None:
    assert kind_of("1", QuestionKind.VISIT, "") is ReplyKind.OTHER


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize(
    "body",
    [
        *("26000124", "2600 0124", "2600-0124", "26-00012-4", "２６０００１２４", "26000124。", "26000124号"),
        *("查26000124", "查 2600 0124", "CHECK 26000124", "编号26000124", "case 26000124", "Case #26000124?"),
    ],
)
def test_a_case_number_asks_how_the_case_stands(body: str, question: QuestionKind | None) -> None:
    reply = read_reply(body, question=question, allowed=None)
    assert (reply.kind, reply.number) == (ReplyKind.CASE_NUMBER, "26000124")


@pytest.mark.parametrize(
    "body",
    [
        "26000125",
        "26000142",
        "2600012",
        "260001240",
        "查",
        "check",
        "26000124 怎么样了",
        "2600  --0124",
        "1 2 3",
    ],
)
def test_a_slip_in_a_case_number_is_read_by_a_person(body: str) -> None:
    assert kind_of(body) is ReplyKind.OTHER


def test_a_reply_keeps_the_text_as_it_came() -> None:
    assert read_reply("  我那天要去县医院。\n", question=None, allowed=None) == Reply(
        kind=ReplyKind.OTHER, text="我那天要去县医院。"
    )


def test_no_word_answers_a_question_and_means_something_at_all_times_as_well() -> None:
    always = [word for words in ALWAYS.values() for word in words]
    assert len(always) == len(set(always))
    for question in QuestionKind:
        assert not set(always) & (set(WORDS[question]) | set(DIGITS[question]))
        assert set(WORDS[question].values()) <= set(DIGITS[question])


@given(st.integers(2020, 2050), st.integers(1, 99_999), st.sampled_from(QUESTIONS))
def test_a_case_number_said_aloud_reads_back(year: int, serial: int, question: QuestionKind | None) -> None:
    number = case_number(year, serial)
    assert read_reply(say_case_number(number), question=question, allowed=None).number == number


@given(
    st.text() | st.text("0123456789stopтд退订 .。-\u200b", max_size=12),
    st.sampled_from(QUESTIONS),
    st.none() | st.text("12345", max_size=5),
)
def test_no_text_whatever_raises(body: str, question: QuestionKind | None, allowed: str | None) -> None:
    reply = read_reply(body, question=question, allowed=allowed)
    assert reply.text == body.strip()
    assert (reply.kind is ReplyKind.SCORE) == (reply.score is not None)
    assert (reply.kind is ReplyKind.CASE_NUMBER) == (reply.number is not None)
