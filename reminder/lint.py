"""Is a text fit for a resident's phone: kind, short, silent about the matter, and answerable?"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reminder.domain.errors import Fault, Faulty
from reminder.domain.people import Channel
from reminder.kinds import Audience, Kind
from reminder.placeholders import MissingValue
from reminder.render import Templates
from reminder.samples import Samples
from reminder.segments import MOST_SEGMENTS, Encoding, segments, sign
from reminder.template_files import Placed

_ZH_ORDERS = ("必须", "不得", "否则", "责令", "后果自负", "逾期不候", "务必", "勒令")
_ZH_LABELS = ("信访", "上访", "越级访", "闹访", "缠访", "稳控", "息诉", "罢访", "重点人员", "刁民")
_EN_ORDERS = (
    "must",
    "failure to",
    "fail to",
    "non-compliance",
    "noncompliance",
    "obliged to",
    "petition",
    "petitioner",
)
_ZH_PRIVATE = ("身份证", "证件号", "金额", "万元", "银行卡", "账号", "密码", "病历", "残疾", "低保", "贫困")
_EN_PRIVATE = (
    *("id number", "id card", "identity card", "passport", "amount", "yuan", "rmb", "bank account"),
    *("password", "illness", "diagnosis", "disability", "welfare"),
)
_CONFIRM_ONE_SEGMENT = frozenset({"R05", "R05b", "R06", "R07"})
"""Offers, moves and eves of a visit: the texts that are sent most and must not be cut in two."""
_FIRST_TEXT = "R01"

_SUBJECT = frozenset(
    {"request", "subject", "title", "category", "matter", "what", "text", "topic", "summary"}
)
_RESERVED = "STOP|STOPALL|UNSUBSCRIBE|CANCEL|END|QUIT|START|YES|UNSTOP|REVOKE|OPTOUT|HELP|INFO"
"""Words the provider keeps to itself, so the office would never hear them."""
_RESERVED_REPLY = re.compile(
    rf"(?:\b(?:reply|text|send|answer)\s+(?:with\s+)?|回复?)\s*[\"'“‘]?(?:{_RESERVED})\b", re.IGNORECASE
)
_WORD_REPLY = re.compile(r"回复(?![0-9])|\breply\s+(?:with\s+)?[\"'](?![0-9])", re.IGNORECASE)
_ASKS_REPLY = re.compile(r"回复?\s*[0-9]|回数字|\breply\b|\btext back\b", re.IGNORECASE)
_ZH_DIGITS = re.compile(r"回复?\s*([0-9])")
_EN_REPLY = re.compile(r"\breply\b[^.]*", re.IGNORECASE)
_DIGIT = re.compile(r"(?<![\d{])\d(?!\d)")
_URL = re.compile(r"https?:|www\.|\b[\w-]+\.(?:com|cn|org|net|gov)\b", re.IGNORECASE)
_MONEY = re.compile(r"[¥￥$€£]|\d\s*元")
_ASCII_MARK = re.compile(r"[\u4e00-\u9fff}][,;?!:]")
_SIGNED = re.compile(r"(?:[A-Z]\w+ ){1,4}[A-Z]\w+:")
_STOP_OFFER = re.compile(r"不想收短信|for no texts", re.IGNORECASE)

Told = tuple[str, str]
"""What is wrong and what to do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """A resident's template and what there is to know about it."""

    kind: Kind
    lang: str
    placed: Placed
    literal: str


def check_templates(folder: Path, *overlays: Path, default_lang: str = "zh") -> list[Fault]:
    """Everything wrong with a templates folder and an office's copies over it; empty if all is well."""
    try:
        templates = Templates.load(folder, *overlays, default_lang=default_lang)
        return lint(templates, Samples.load(folder, *overlays))
    except Faulty as faulty:
        return list(faulty.faults)


def lint(templates: Templates, samples: Samples) -> list[Fault]:
    """The rules for texts to residents, by file."""
    faults: list[Fault] = []
    for kind in templates.kinds.values():
        for lang in templates.languages:
            for channel in kind.channels:
                placed = templates.placed(kind.name, channel, lang)
                found = list(_missing_samples(kind, lang, samples))
                if kind.audience is Audience.STAFF:
                    found += _labels(placed.text.literal)
                elif channel is Channel.SMS:
                    subject = _Subject(kind=kind, lang=lang, placed=placed, literal=placed.text.literal)
                    found += _wording(subject)
                    found += _asking(subject, templates)
                    found += _length(subject, templates, samples)
                faults += [Fault(place=placed.place, what=what, remedy=remedy) for what, remedy in found]
    return faults


def unfit_words(text: str) -> list[str]:
    """Words in a text that a resident should not read, such as a caseworker's own reason or result."""
    lowered = text.casefold()
    found = [word for word in (*_ZH_ORDERS, *_ZH_LABELS, *_ZH_PRIVATE) if word in lowered]
    return found + [w for w in (*_EN_ORDERS, *_EN_PRIVATE) if re.search(rf"\b{re.escape(w)}\b", lowered)]


def _missing_samples(kind: Kind, lang: str, samples: Samples) -> Iterator[Told]:
    for variable in sorted(kind.variables - set(samples.ordinary(kind.name, lang))):
        yield f"{{{variable}}} has no sample in {lang}.", "Add one to messages/samples.toml."


def _labels(literal: str) -> Iterator[Told]:
    for word in _ZH_LABELS:
        if word in literal:
            yield f"{word!r} labels a person.", "Say what happened instead."


def _wording(subject: _Subject) -> Iterator[Told]:
    literal = subject.literal
    for word in unfit_words(literal):
        yield f"{word!r} does not belong in a text to a resident.", "Say it as you would at the door."
    for variable in sorted(subject.placed.text.placeholders & _SUBJECT):
        yield f"{{{variable}}} names the matter on a phone others read.", "Say the number {no} instead."
    if "【" in literal or "】" in literal or _SIGNED.match(literal):
        yield "It signs itself.", "Leave the signature out; it is added when the text is sent."
    if _URL.search(literal):
        yield "It holds a web address.", "Carriers drop such texts; give {phone}."
    if _MONEY.search(literal):
        yield "It speaks of money.", "Leave the amount out; the letter has it."
    if "\n" in literal:
        yield "It has more than one line.", "Write it in one."
    if emoji := next((c for c in literal if unicodedata.category(c) in {"So", "Sk"} and c not in "`^"), ""):
        yield f"It holds the picture sign {emoji}.", "Say it in words."
    if subject.lang.startswith("zh") and (mark := _ASCII_MARK.search(literal)):
        yield f"{mark.group()!r} has a half-width mark.", "Use ，。？！： in Chinese."


def _asking(subject: _Subject, templates: Templates) -> Iterator[Told]:
    kind, literal = subject.kind, subject.literal
    is_stand_in = any(other.one_way == kind.name for other in templates.kinds.values())
    asks = _ASKS_REPLY.search(literal) is not None
    if _RESERVED_REPLY.search(literal):
        yield "It asks for a word the provider keeps to itself.", "Ask for a digit."
    elif _WORD_REPLY.search(literal):
        yield "It asks for a word.", "Ask for a digit."
    if asks and is_stand_in:
        yield "It asks for a reply where none can come.", "Ask to ring {phone}."
    elif asks and kind.one_way is None:
        yield "It asks for a reply and has no one_way variant.", "Write one and name it in kinds.toml."
    if kind.question is not None and not asks:
        yield "It is a question and offers no reply.", "Say which digit means what."
    if kind.question is not None and kind.one_way is None:
        yield "It is a question without a one_way variant.", "Write one and name it in kinds.toml."
    if wrong := _digits_offered(literal) - set(kind.digits) - {"0"}:
        yield f"It offers {', '.join(sorted(wrong))}, which digits does not allow.", "Correct one of the two."
    if kind.key.startswith(_FIRST_TEXT) and not _STOP_OFFER.search(literal):
        yield "The first text does not say how to stop them.", "Add it, as in the one it replaces."


def _digits_offered(literal: str) -> set[str]:
    digits = set(_ZH_DIGITS.findall(literal))
    for offer in _EN_REPLY.findall(literal):
        digits |= set(_DIGIT.findall(offer))
    return digits


def _length(subject: _Subject, templates: Templates, samples: Samples) -> Iterator[Told]:
    name, lang = subject.kind.name, subject.lang
    most = 1 if subject.kind.key in _CONFIRM_ONE_SEGMENT else MOST_SEGMENTS
    measured: tuple[tuple[str, Mapping[str, str], int], ...] = (
        ("ordinary", samples.ordinary(name, lang), most),
        ("the longest", samples.longest(name, lang), MOST_SEGMENTS),
    )
    for which, values, allowed in measured:
        try:
            text = templates.text(name, Channel.SMS, lang, values)
        except MissingValue:
            return  # told by _missing_samples
        cost = segments(sign(text, lang, samples.signature(lang)))
        if cost.count > allowed:
            yield f"With {which} values it takes {cost.count} parts ({cost.units} units).", "Shorten it."
        if not lang.startswith("zh") and cost.encoding is Encoding.UCS2:
            yield f"{cost.culprit!r} forces 70 characters a part.", "Use plain letters and marks."
