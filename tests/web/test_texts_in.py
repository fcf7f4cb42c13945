"""A resident's text and a receipt are kept before Twilio hears that they are, once, and only if it signed."""

from dataclasses import replace
from urllib.parse import urlencode

import pytest

from jobs.inbox import read_inbox
from reminder.runtime import Runtime, Web
from reminder.store import inbox, residents
from reminder.web.app import web
from reminder.web.signature import sign
from tests.office import LI, a_case, read
from tests.web.test_doors import URL, client

ACCOUNT, TOKEN = "AC" + "0" * 32, "the-auth-token"
TEXT = {"AccountSid": ACCOUNT, "MessageSid": "SM1", "From": LI, "To": "+12025550100", "Body": "STOP"}
STATUS = {"AccountSid": ACCOUNT, "MessageSid": "SM2", "MessageStatus": "delivered"}
CASES = pytest.mark.parametrize(
    ("path", "form"), [("/twilio/inbound", TEXT), ("/twilio/status?m=t1", STATUS)], ids=["text", "receipt"]
)


@pytest.fixture
def texted(rt: Runtime) -> Runtime:
    return replace(rt, web=Web(public_url=URL, twilio_tokens=(TOKEN,), twilio_account=ACCOUNT))


async def post(rt: Runtime, path: str, form: dict[str, str], *, token: str = TOKEN) -> int:
    headers = {
        "X-Twilio-Signature": sign(URL + path, form, token),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    async with client(web(rt)) as door:
        return (await door.post(path, content=urlencode(form), headers=headers)).status_code


async def letters(rt: Runtime) -> int:
    return len(await read(rt, lambda tx: inbox.waiting(tx, rt.desk.sealer, 9)))


@CASES
@pytest.mark.failure(15)
async def test_what_is_posted_three_times_is_kept_once(
    texted: Runtime, path: str, form: dict[str, str]
) -> None:
    assert {await post(texted, path, form) for _ in range(3)} <= {200, 204}
    assert await letters(texted) == 1


@CASES
@pytest.mark.failure(2)
async def test_what_cannot_be_kept_is_not_acknowledged(
    texted: Runtime, path: str, form: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = property(lambda _self: (_ for _ in ()).throw(OSError("disk full")))
    with monkeypatch.context() as patched:
        patched.setattr(type(texted.db), "write", broken)
        assert await post(texted, path, form) == 503
    assert await letters(texted) == 0


@CASES
@pytest.mark.failure(15)
async def test_what_somebody_else_signed_is_not_read(
    texted: Runtime, path: str, form: dict[str, str]
) -> None:
    assert await post(texted, path, form, token="another-token") == 403
    assert await letters(texted) == 0


@pytest.mark.failure(18)
async def test_a_stop_that_is_posted_is_heard(texted: Runtime) -> None:
    await a_case(texted)
    assert await post(texted, "/twilio/inbound", TEXT) == 200
    assert await read_inbox(texted) == 1
    assert await read(texted, lambda tx: residents.is_out(tx, texted.desk.sealer, LI))
