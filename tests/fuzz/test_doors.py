"""Whatever is posted, it is kept and dealt with or refused; what nobody signed is not even read."""

import base64
import hashlib
import hmac
import json
import random
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from jobs.inbox import read_inbox
from reminder.web.signature import sign
from reminder.web.telegram import HEADER
from tests.fuzz import Tally, many, naughty
from tests.fuzz.world import (
    ACCOUNT,
    PATH,
    SECRET,
    STRANGER,
    TOKEN,
    URL,
    Fuzzed,
    fuzzed,
    letters,
    request,
    sound,
    state,
)
from tests.office import LI, STAFF

BATCH = 250
"""Bodies after which the inbox is read."""

OFFICE = 4000
"""Cases of one office; then a new one opens."""

INBOUND, STATUS = "/twilio/inbound", "/twilio/status"


def recorded(number: int, rng: random.Random) -> dict[str, Any]:
    """Updates as Telegram sends them."""
    user = rng.choice([*(who.chat for who in STAFF.values()), STRANGER])
    sender = {"id": user, "is_bot": False, "first_name": "C", "language_code": "zh-hans"}
    chat = {"id": user, "first_name": "C", "type": "private"}
    base = {"message_id": 5, "from": sender, "chat": chat, "date": 1795000000}
    kinds: list[dict[str, Any]] = [
        {
            "message": base
            | {"text": "/today", "entities": [{"type": "bot_command", "offset": 0, "length": 6}]}
        },
        {"message": base | {"text": naughty.text(rng)}},
        {"message": base | {"document": {"file_id": "f1", "file_name": "台账.xlsx", "file_size": 9}}},
        {"message": base | {"photo": [{"file_id": "p", "width": 1, "height": 1}], "caption": "x"}},
        {"edited_message": base | {"text": "/done 1"}},
        {
            "callback_query": {
                "id": "77",
                "from": sender,
                "message": base | {"from": {"id": 1, "is_bot": True}, "text": "as shown"},
                "chat_instance": "1",
                "data": "v1:done:1:1",
            }
        },
        {
            "my_chat_member": {
                "chat": chat,
                "from": sender,
                "date": 1,
                "new_chat_member": {"status": "kicked"},
            }
        },
        {"message": base | {"chat": {"id": -100123, "type": "supergroup", "title": "g"}, "text": "/today"}},
    ]
    return {"update_id": number, **rng.choice(kinds)}


def body_of(rng: random.Random, update: Any) -> bytes:
    """As JSON, or as something that only looks like it."""
    kind = rng.randrange(12)
    text = json.dumps(update, ensure_ascii=rng.random() < 0.7)
    raw = text.encode("utf-8", "surrogatepass")
    if kind == 0:
        return raw[: rng.randrange(len(raw))]
    if kind == 1:
        at = rng.randrange(len(raw))
        return raw[:at] + rng.randbytes(rng.randrange(1, 6)) + raw[at + 1 :]
    if kind == 2:
        depth = rng.choice([10, 100, 300, 600, 900, 980, 2000])
        nested = "[" * depth + "]" * depth
        return b'{"update_id":%d,"message":%s}' % (rng.randrange(10**9, 2**40), nested.encode())
    if kind == 3:
        return rng.choice(
            [b"NaN", b"\xff\xfe{\x00}\x00", b"9" * 5000, b'{"update_id":1e400}', b"null", b'""']
        )
    return raw


async def test_whatever_telegram_posts_is_kept_or_refused_and_kills_nothing(tmp_path: Path) -> None:
    tally = Tally("updates")
    rng, left = tally.rng, many(500)
    while left > 0:
        async with fuzzed(tmp_path / "office") as world:
            for _ in range(min(left, OFFICE)):
                update = recorded(world.next_id(), rng)
                if rng.random() < 0.8:
                    update = naughty.mutated(rng, update)
                body = body_of(rng, update)
                with tally.case(body):
                    status = await request(world.rt, PATH, body, {HEADER: SECRET})
                    assert status in {200, 400}
                tally.count(f"answered {status}")
                if len(tally.took) % BATCH == 0:
                    await read_inbox(world.rt)
                left -= 1
            await read_inbox(world.rt)
            await sound(world.rt)
    tally.in_time()


def form_of(rng: random.Random, path: str, number: int) -> list[tuple[str, str]]:
    sid = f"SM{number:032x}"
    if path == INBOUND:
        said = rng.choice(["1", "2", "STOP", "start", "5", naughty.text(rng), "26000001"])
        form = {"MessageSid": sid, "From": LI, "To": "+12025550100", "Body": said, "NumMedia": "0"}
    else:
        form = {
            "MessageSid": f"SM{rng.randrange(9)}",
            "MessageStatus": rng.choice(["queued", "sent", "delivered", "undelivered", "failed", "x"]),
            "ErrorCode": rng.choice(["", "21610", "30003", "x"]),
        }
    pairs = list(({"AccountSid": ACCOUNT} | form).items())
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(pairs))
        name, held = pairs[at]
        change = rng.randrange(4)
        if change == 0:
            pairs[at] = (name, naughty.text(rng))
        elif change == 1:
            pairs.append((name, held))
        elif change == 2 and len(pairs) > 1:
            del pairs[at]
        else:
            pairs.append((naughty.text(rng)[:30], naughty.text(rng)))
    return pairs


def encoded(rng: random.Random, pairs: list[tuple[str, str]]) -> bytes:
    """A form as it should be, or in another encoding, with bad escapes, or a megabyte long."""
    kind = rng.randrange(10)
    if kind == 0:
        return urlencode(pairs, encoding="utf-16", errors="surrogatepass").encode()
    body = urlencode(pairs, errors="surrogatepass").encode()
    if kind == 1:
        return body.replace(b"%", b"%%", 1) + b"&%zz=%ff&&==&;"
    if kind == 2:
        return body + b"&Body=" + b"a" * rng.choice([100, 65_536, 1_048_576])
    if kind == 3:
        return body + b"&x=1" * 100
    if kind == 4:
        return rng.randbytes(rng.randrange(200))
    return body


async def test_whatever_twilio_signs_is_kept_or_refused_and_kills_nothing(tmp_path: Path) -> None:
    tally = Tally("forms")
    rng, left = tally.rng, many(350)
    while left > 0:
        async with fuzzed(tmp_path / "office") as world:
            for _ in range(min(left, OFFICE)):
                path = rng.choice([INBOUND, STATUS])
                pairs = form_of(rng, path, world.next_id())
                if path == STATUS:
                    path += f"?m={quote(naughty.text(rng)[:80], errors='replace')}"
                signature = sign(URL + path, dict(pairs), TOKEN)
                with tally.case((path, pairs)):
                    body = encoded(rng, pairs)
                    status = await request(world.rt, path, body, {"X-Twilio-Signature": signature})
                    assert status in {200, 204, 403}
                tally.count(f"answered {status}")
                if len(tally.took) % BATCH == 0:
                    await read_inbox(world.rt)
                left -= 1
            await read_inbox(world.rt)
            await sound(world.rt)
    tally.in_time()
    assert tally.counts["answered 200"], "every form was refused: nothing was tried"


def forged_secret(rng: random.Random) -> bytes:
    """Not the secret, but near it, or anything."""
    real = SECRET.encode()
    kind = rng.randrange(6)
    if kind == 0:
        at = rng.randrange(len(real) * 8)
        return bytes(b ^ (1 << at % 8 if n == at // 8 else 0) for n, b in enumerate(real))
    if kind == 1:
        return real[: rng.randrange(len(real))]
    if kind == 2:
        return real + rng.choice([b"x", b"\x00", b",", b" " + real])
    if kind == 3:
        return rng.choice([real.upper(), real[::-1], b'"' + real + b'"', b"", b"null", b"\xff\xfe"])
    return rng.randbytes(rng.randrange(1, 40))


def forged_signature(rng: random.Random, path: str, form: dict[str, str]) -> tuple[str, bytes, bytes]:
    """(path, body, signature): a real signature of something else, a broken one, or none."""
    url, body = URL + path, urlencode(form).encode()
    right = sign(url, form, TOKEN)
    kind = rng.randrange(10)
    raw = bytearray(base64.b64decode(right))
    if kind == 0:
        raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
        return path, body, base64.b64encode(bytes(raw))
    if kind == 1:
        at = rng.randrange(len(body))
        return path, body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :], right.encode()
    if kind == 2:
        return path + rng.choice(["?x=1", "?m=t1"]), body, right.encode()
    if kind == 3:
        elsewhere = rng.choice(
            ["http://office.example", "https://office.example:8443", "https://evil.example"]
        )
        return path, body, sign(elsewhere + path, form, TOKEN).encode()
    if kind == 4:
        return path, body + b"&Body=STOP", right.encode()
    if kind == 5:
        other = rng.choice(["", TOKEN.upper(), TOKEN[:-1], ACCOUNT, SECRET])
        return path, body, sign(url, form, other).encode()
    if kind == 6:
        digest = hmac.new(
            TOKEN.encode(), (url + "".join(map("".join, sorted(form.items())))).encode(), "sha256"
        )
        return path, body, base64.b64encode(digest.digest())
    if kind == 7:
        stranger = form | {"AccountSid": "AC" + "1" * 32}
        return path, urlencode(stranger).encode(), sign(url, stranger, TOKEN).encode()
    if kind == 8:
        return path, body, hashlib.sha1(body).hexdigest().encode()  # noqa: S324 - not for safety
    return (
        path,
        body,
        rng.choice([b"", right.lower().encode(), right.encode()[:-1], b"\xff", rng.randbytes(28)]),
    )


async def _forge(world: Fuzzed, rng: random.Random, number: int) -> int:
    kind = rng.randrange(3)
    if kind == 0:
        body = json.dumps(recorded(number, rng)).encode()
        secret = forged_secret(rng)
        if secret == SECRET.encode():
            return 403
        return await request(world.rt, PATH, body, {HEADER: secret})
    path = INBOUND if kind == 1 else STATUS
    form = {"AccountSid": ACCOUNT, "MessageSid": f"SM{number}", "From": LI, "Body": "STOP"}
    if kind == 2:
        form = {"AccountSid": ACCOUNT, "MessageSid": "SM1", "MessageStatus": "failed"}
    path, body, signature = forged_signature(rng, path, form)
    return await request(world.rt, path, body, {"X-Twilio-Signature": signature})


@pytest.mark.failure(15)
async def test_of_all_forgeries_none_is_accepted_and_nothing_changes(tmp_path: Path) -> None:
    tally = Tally("forgeries")
    async with fuzzed(tmp_path / "office") as world:
        before, kept = await state(world.rt), await letters(world.rt)
        for number in range(many(2000)):
            with tally.case(number):
                status = await _forge(world, tally.rng, number)
                tally.count(f"answered {status}")
                assert status == 403
        assert await read_inbox(world.rt) == 0
        assert (await state(world.rt), await letters(world.rt)) == (before, kept)
    tally.count("accepted", 0)
