"""What a resident's text message means: a closed list of words, and everything else goes to a person.

Stop words come before all else, whatever was asked. Digits answer the one question that is open on the phone;
without one, or outside the digits it allows, they mean nothing and a person reads them.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from reminder.domain.numbers import is_case_number


class QuestionKind(StrEnum):
    """What the open question on a phone asks for."""

    VISIT = "visit"
    RATING = "rating"


class ReplyKind(StrEnum):
    """What a text can mean to us."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    WRONG_NUMBER = "wrong_number"
    CONFIRM = "confirm"
    OTHER_DAY = "other_day"
    NO_VISIT = "no_visit"
    SCORE = "score"
    CASE_NUMBER = "case_number"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A text understood. `text` is the body as it came, without white space around it."""

    kind: ReplyKind
    text: str
    score: int | None = None
    """1 very poor to 5 very good, only for `score`."""
    number: str | None = None
    """Eight digits with a right check digit, only for `case_number`; the case need not exist."""


# Heard always, whatever is asked. Exact words only: "stop by tomorrow" is an invitation.
# A provider that handles STOP or START itself still passes the word on, so we keep the same list.
ALWAYS: dict[ReplyKind, tuple[str, ...]] = {
    ReplyKind.STOP: (
        *("0", "t", "td", "r", "退订", "退", "拒收", "取消订阅", "不要发了", "停止"),
        *("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"),
    ),
    ReplyKind.START: ("订阅", "恢复", "kq", "start", "unstop", "yes"),
    ReplyKind.HELP: ("帮助", "人工", "help", "info"),
    ReplyKind.WRONG_NUMBER: ("不是我", "打错了", "wrong", "wrong number"),
}

# A word stands for the digit it is printed beside in the question; the digit decides.
WORDS: dict[QuestionKind, dict[str, str]] = {
    QuestionKind.VISIT: {
        **dict.fromkeys(("好", "好的", "可以", "行", "ok", "okay"), "1"),
        **dict.fromkeys(("改期", "改天", "换时间", "不行", "change"), "2"),
        **dict.fromkeys(("不用来", "no"), "3"),
    },
    QuestionKind.RATING: {
        **dict.fromkeys(("很好", "很满意", "非常满意", "very good"), "5"),
        **dict.fromkeys(("好", "满意", "good"), "4"),
        **dict.fromkeys(("一般",), "3"),
        **dict.fromkeys(("差", "不满意", "poor"), "2"),
        **dict.fromkeys(("很差", "很不满意", "非常不满意", "very poor"), "1"),
    },
}

DIGITS: dict[QuestionKind, str] = {QuestionKind.VISIT: "123", QuestionKind.RATING: "12345"}

_VISIT_ANSWERS = {"1": ReplyKind.CONFIRM, "2": ReplyKind.OTHER_DAY, "3": ReplyKind.NO_VISIT}

_NUMBER = re.compile(r"(?:查询?|编号|check|case)? ?#?([0-9](?:[ \-–—]?[0-9]){7})号?")


def read_reply(body: str, *, question: QuestionKind | None, allowed: str | None) -> Reply:
    """Read one inbound text; never raises.

    `question` is the open question of this phone, `allowed` the digits its message offered ("12"); without
    `allowed` the question's usual digits hold.
    """
    text = body.strip()
    said = _plain(body)
    for kind, words in ALWAYS.items():
        if said in words:
            return Reply(kind=kind, text=text)
    if question is not None and (answer := _answer(said, question, allowed, text)) is not None:
        return answer
    if found := _NUMBER.fullmatch(said):
        number = re.sub(r"[^0-9]", "", found[1])
        if is_case_number(number):
            return Reply(kind=ReplyKind.CASE_NUMBER, text=text, number=number)
    return Reply(kind=ReplyKind.OTHER, text=text)


def _answer(said: str, question: QuestionKind, allowed: str | None, text: str) -> Reply | None:
    digit = WORDS[question].get(said, said)
    usual = DIGITS[question]
    if len(digit) != 1 or digit not in usual or digit not in (usual if allowed is None else allowed):
        return None
    if question is QuestionKind.RATING:
        return Reply(kind=ReplyKind.SCORE, text=text, score=int(digit))
    return Reply(kind=_VISIT_ANSWERS[digit], text=text)


def _plain(body: str) -> str:
    """Half-width, lower case, single spaces, without invisible signs, end marks and quotes around it."""
    folded = unicodedata.normalize("NFKC", body).casefold()
    visible = "".join(sign for sign in folded if unicodedata.category(sign) != "Cf")
    return " ".join(visible.split()).strip(" .,;:!?~。、'\"“”‘’「」『』《》()")
