"""How many parts does a text cost on a phone network, and which character made it cost that?"""

from dataclasses import dataclass

# 3GPP TS 23.038 §6.2.1: the GSM 7-bit default alphabet; characters of the extension table take two septets.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    encoding: str
    """`GSM-7` or `UCS-2`."""
    units: int
    """Septets for GSM-7, UTF-16 units for UCS-2."""
    segments: int
    forced_by: str | None
    """The first character that ruled GSM-7 out."""


def measure(text: str) -> Measure:
    """Count by 3GPP TS 23.038/23.040: 160/153 septets or 70/67 UTF-16 units a part, pairs never split."""
    forced_by = next((c for c in text if c not in _BASIC and c not in _EXTENSION), None)
    if forced_by is None:
        widths = [2 if c in _EXTENSION else 1 for c in text]
        return Measure(encoding="GSM-7", units=sum(widths), segments=_parts(widths, 160, 153), forced_by=None)
    widths = [2 if ord(c) > 0xFFFF else 1 for c in text]
    return Measure(encoding="UCS-2", units=sum(widths), segments=_parts(widths, 70, 67), forced_by=forced_by)


def _parts(widths: list[int], alone: int, chained: int) -> int:
    if sum(widths) <= alone:
        return 1
    parts, used = 1, 0
    for width in widths:
        if used + width > chained:
            parts, used = parts + 1, 0
        used += width
    return parts
