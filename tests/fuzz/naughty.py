"""Which words, numbers and bodies does nobody expect?"""

import json
import random
from typing import Any

LETTERS = "的一是李女士河湾村路灯不亮abcXYZ0123456789 |,;:./#-–—《》“”'\"\\<>&{}[]()%$=+@~`^*_?!"
STRINGS = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "x\udfff\ud800y",
    "\u202eevil\u202c",
    "\u2066\u2069",
    "مرحبا بالعالم",
    "שלום",
    "👩‍👩‍👧‍👦" * 20,
    "💧" * 3000,
    "e" + "\u0301" * 500,
    "Z̷̧̢͍͕̭" * 100,
    "\ufeff\ufffe\uffff",
    "\r\n\t\v\f\x1b[31m",
    "\u2028\u2029\x85",
    "a" * 10_000,
    "9" * 10_000,
    "-" * 10_000,
    "((" * 2000,
    "{request}{0}{__class__}{{}}",
    "%s%n%x",
    "'; DROP TABLE cases; --",
    "<script>alert(1)</script><b>",
    '=HYPERLINK("x")',
    "../../etc/passwd",
    "NaN",
    "1e999",
    "１２３٣٤٥²",
    "²",
    "٣",
    "0x7f",
    str(2**31),
    str(2**63),
    str(10**30),
    "-1",
    "None",
    "null",
    "9999-12-31",
    "0000-00-00",
    "2026-02-30",
    "10000-01-01",
    "31.2.2026",
    "99:99",
    "25:61",
    "T+99999999",
    "明天",
    "next friday",
    "三十二月",
    "下下下下下周八",
    "+12025550142",
    "+" + "9" * 40,
    "v1:done:1:1",
    "/help",
    "@reminder_bot",
)
NUMBERS = (0, -1, 1, 2, 3, 7, 255, 2**31 - 1, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63), 10**30)


def text(rng: random.Random) -> str:
    """A string somebody should not have sent, alone, joined to others, or made of letters at random."""
    kind = rng.randrange(6)
    if kind < 3:
        return rng.choice(STRINGS)
    if kind == 3:
        return "".join(rng.choice(STRINGS)[:60] for _ in range(rng.randrange(1, 4)))
    if kind == 4:
        return "".join(chr(rng.randrange(0x11000)) for _ in range(rng.randrange(40)))
    return "".join(rng.choice(LETTERS) for _ in range(rng.randrange(60)))


def number(rng: random.Random) -> int:
    return rng.choice(NUMBERS) if rng.random() < 0.5 else rng.randrange(12)


def value(rng: random.Random, depth: int = 0) -> Any:
    """Anything JSON can say."""
    kind = rng.randrange(10 if depth < 4 else 7)
    if kind >= 7:
        inside = [value(rng, depth + 1) for _ in range(rng.randrange(4))]
        return inside if kind == 7 else {text(rng)[:20]: one for one in inside}
    simple: list[Any] = [None, True, False, number(rng), rng.random() * 1e18, text(rng), str(number(rng))]
    return simple[kind]


def mutated(rng: random.Random, body: Any) -> Any:
    """Like it, but for a few places: another value, none, twice as deep, somebody else's."""
    found = json.loads(json.dumps(body))
    for _ in range(rng.randrange(1, 4)):
        spot, parent = found, None
        key: Any = None
        while isinstance(spot, dict | list) and spot and rng.random() < 0.85:
            parent = spot
            key = rng.choice(list(spot)) if isinstance(spot, dict) else rng.randrange(len(spot))
            spot = spot[key]
        if parent is None:
            continue
        if rng.random() < 0.25:
            del parent[key]
        else:
            parent[key] = value(rng) if rng.random() < 0.8 else [spot]
    return found
