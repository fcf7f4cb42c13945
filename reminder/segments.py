"""How many SMS parts a text costs, and which character makes it dear."""

import re
from dataclasses import dataclass
from enum import StrEnum

import smsutil
from smsutil.codecs import GSM_CHARSET

from reminder.domain.errors import Refused

MOST_SEGMENTS = 2
ONE_UCS2 = 70
PART_UCS2 = 67
"""UTF-16 units in a single part, and in each of several."""

_NOT_GSM = re.compile(f"[^{re.escape(GSM_CHARSET.replace(chr(27), ''))}]")
_ASCII_TWINS = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′ʼ`´", "'"),
        **dict.fromkeys("“”„‟″", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("\u00a0\u2007\u2009\u200a\u202f\u3000\t", " "),
        "…": "...",
        "•": "-",
    }
)


class Encoding(StrEnum):
    """The two alphabets of 3GPP TS 23.038 that phones agree on."""

    GSM7 = "GSM-7"
    UCS2 = "UCS-2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """What a text costs. `units` are septets in GSM-7 (extension characters count two) and UTF-16 units in
    UCS-2; `culprit` is the first character that forces UCS-2, empty in GSM-7."""

    encoding: Encoding
    units: int
    count: int
    culprit: str = ""


def segments(text: str) -> Segments:
    """Count the parts: 160 units in one or 153 in each of several (GSM-7), 70 or 67 (UCS-2); TS 23.040."""
    if found := _NOT_GSM.search(text):
        units = len(text.encode("utf-16-le", "surrogatepass")) // 2
        if units <= ONE_UCS2 or units == len(text):  # no character of two units, which must not be cut
            count = 1 if units <= ONE_UCS2 else -(-units // PART_UCS2)
            return Segments(encoding=Encoding.UCS2, units=units, count=count, culprit=found.group())
        parts = smsutil.unicode_split(text)
        return Segments(
            encoding=Encoding.UCS2,
            units=parts.total_bytes // 2,
            count=len(parts.parts),
            culprit=found.group(),
        )
    if not text:  # the library takes an empty text for a wrong one
        return Segments(encoding=Encoding.GSM7, units=0, count=1)
    parts = smsutil.gsm_split(text)
    return Segments(encoding=Encoding.GSM7, units=parts.total_bytes, count=len(parts.parts))


def plain_punctuation(text: str) -> str:
    """Curly quotes, long dashes and odd spaces as ASCII: a single one would double the price of a text."""
    return text.translate(_ASCII_TWINS)


def sms(text: str, lang: str, signature: str, *, provider_adds: bool = False) -> str:
    """The text as it leaves the house, signed with the office's bare name ("青麓民情", "Qinglu Casework").

    Where the provider adds the signature itself it is counted but not written. Raises Refused("sms.too_long")
    with `count`, `units` and `over` (units to take out) for a third segment.
    """
    signed = sign(text, lang, signature)
    cost = segments(signed)
    if cost.count > MOST_SEGMENTS:
        room = MOST_SEGMENTS * (153 if cost.encoding is Encoding.GSM7 else PART_UCS2)
        raise Refused("sms.too_long", count=cost.count, units=cost.units, over=max(1, cost.units - room))
    return text if provider_adds else signed


def sign(text: str, lang: str, signature: str) -> str:
    """Put exactly one signature in front: 【name】 in Chinese, "name: " elsewhere."""
    name = signature.strip().strip("【】").rstrip(":： ").strip()
    if lang.startswith("zh"):
        return f"【{name}】{text}"
    return f"{plain_punctuation(name)}: {text}"
