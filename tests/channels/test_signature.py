"""Nobody but Twilio is believed; Twilio's own validator is the judge of what it would accept."""

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from reminder.web.signature import BODY_BYTES, FIELDS, Algorithm, Forged, sign, verify

OLD, TOKEN = "the-token-of-yesterday", "the-token-of-today"
ACCOUNT = "AC" + "0" * 32
ORIGIN = "https://office.example"
PATH, QUERY = "/twilio/status", "m=att%2F1&b=2&a=1"
FORM = {
    "AccountSid": ACCOUNT,
    "MessageSid": "SM1",
    "MessageStatus": "delivered",
    "Body": "好的，周三见 & thanks+",
    "ErrorCode": "",
    "OfTheFuture": "yes",
}
BODY = urlencode(FORM).encode()


def theirs(url: str = f"{ORIGIN}{PATH}?{QUERY}", form: dict[str, str] = FORM, token: str = TOKEN) -> str:
    return str(RequestValidator(token).compute_signature(url, form))


def check(
    signature: str | None = None,
    *,
    path: str = PATH,
    query: str = QUERY,
    body: bytes = BODY,
    public_url: str = ORIGIN,
    tokens: tuple[str, ...] = (TOKEN,),
    algorithm: Algorithm = Algorithm.SHA1,
) -> dict[str, str]:
    return verify(
        signature=theirs() if signature is None else signature,
        path=path,
        query=query,
        body=body,
        public_url=public_url,
        tokens=tokens,
        account_sid=ACCOUNT,
        algorithm=algorithm,
    )


def reason(**changes: object) -> str:
    with pytest.raises(Forged) as caught:
        check(**changes)  # type: ignore[arg-type]
    return caught.value.reason


def test_what_twilio_signed_is_read_with_every_field_empty_ones_too() -> None:
    assert check() == FORM


@pytest.mark.failure(15)
def test_every_byte_changed_anywhere_is_refused() -> None:
    signature = theirs()
    for place in range(len(BODY)):
        changed = BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]
        with pytest.raises(Forged):
            check(body=changed)
    for place in range(len(signature)):
        assert reason(signature=signature[:place] + chr(ord(signature[place]) ^ 1) + signature[place + 1 :])
    for place in range(len(QUERY)):
        assert reason(query=QUERY[:place] + chr(ord(QUERY[place]) ^ 1) + QUERY[place + 1 :]) == "signature"
    for place in range(1, len(PATH)):
        assert reason(path=PATH[:place] + chr(ord(PATH[place]) ^ 1) + PATH[place + 1 :]) == "signature"


@given(place=st.integers(0, len(BODY)), cut=st.integers(0, 9), put=st.binary(max_size=9))
@pytest.mark.failure(15)
def test_a_mutated_body_is_refused_or_says_exactly_the_same(place: int, cut: int, put: bytes) -> None:
    try:
        form = check(body=BODY[:place] + put + BODY[place + cut :])
    except Forged:
        return
    assert form == FORM


@given(
    form=st.dictionaries(
        st.text(st.characters(codec="utf-8"), min_size=1), st.text(st.characters(codec="utf-8"))
    ),
    query=st.text("abc=&%20+", max_size=12),
    origin=st.sampled_from(
        [
            "https://office.example",
            "https://office.example:443",
            "https://office.example:8443/app/",
            "http://127.0.0.1:8000",
        ]
    ),
)
def test_we_sign_as_twilio_does(form: dict[str, str], query: str, origin: str) -> None:
    form |= {"AccountSid": ACCOUNT}
    url = origin.rstrip("/") + PATH + (f"?{query}" if query else "")
    assert sign(url, form, TOKEN) == theirs(url, form)
    body = urlencode(form).encode()
    if len(form) <= FIELDS:
        assert check(theirs(url, form), query=query, body=body, public_url=origin) == form
        assert RequestValidator(TOKEN).validate(
            url, dict(parse_qsl(body.decode(), keep_blank_values=True)), theirs(url, form)
        )


@pytest.mark.parametrize("public_url", [ORIGIN, f"{ORIGIN}:443", f"{ORIGIN}/"])
@pytest.mark.parametrize("signed", [ORIGIN, f"{ORIGIN}:443"])
def test_the_standard_port_may_be_signed_or_not(public_url: str, signed: str) -> None:
    assert check(theirs(f"{signed}{PATH}?{QUERY}"), public_url=public_url) == FORM


def test_another_host_or_scheme_is_refused() -> None:
    for origin in ("https://evil.example", "http://office.example", f"{ORIGIN}:8443"):
        assert reason(signature=theirs(f"{origin}{PATH}?{QUERY}")) == "signature"


def test_the_order_of_the_query_is_signed_and_that_of_the_form_is_not() -> None:
    assert reason(query="a=1&b=2&m=att%2F1") == "signature"
    assert check(body=urlencode(dict(reversed(FORM.items()))).encode()) == FORM


def test_two_tokens_are_good_while_they_are_exchanged_and_no_longer() -> None:
    old = theirs(token=OLD)
    assert check(old, tokens=(TOKEN, OLD)) == FORM
    assert check(tokens=(TOKEN, OLD)) == FORM
    assert reason(signature=old) == "signature"


def test_without_a_token_nobody_is_believed() -> None:
    assert reason(tokens=()) == "signature"
    assert reason(signature=sign(f"{ORIGIN}{PATH}?{QUERY}", FORM, ""), tokens=("",)) == "signature"


def test_a_missing_signature_is_refused() -> None:
    for signature in ("", " ", "é", "\udc80", "\ud800"):
        assert reason(signature=signature) == "signature"


def test_the_algorithm_is_ours_to_choose() -> None:
    url = f"{ORIGIN}{PATH}?{QUERY}"
    strong = str(RequestValidator(TOKEN).compute_signature(url, FORM, "HMAC_SHA256"))
    assert sign(url, FORM, TOKEN, Algorithm.SHA256) == strong
    assert check(strong, algorithm=Algorithm.SHA256) == FORM
    assert reason(signature=strong) == "signature"
    assert reason(algorithm=Algorithm.SHA256) == "signature"


def test_a_repeated_field_is_refused_even_where_twilios_validator_would_accept_it() -> None:
    assert reason(body=BODY + b"&MessageStatus=delivered") == "repeated_field"
    assert reason(body=BODY + b"&MessageStatus=failed") == "repeated_field"


def test_another_account_is_refused_even_with_a_good_signature() -> None:
    for form in (FORM | {"AccountSid": "AC" + "1" * 32}, {"MessageSid": "SM1"}):
        assert reason(signature=theirs(form=form), body=urlencode(form).encode()) == "account"


def test_a_body_out_of_bounds_is_refused_before_it_is_read() -> None:
    assert reason(body=b"a" * (BODY_BYTES + 1)) == "too_long"
    many = {f"f{n}": "" for n in range(FIELDS + 1)}
    assert reason(signature=theirs(form=many), body=urlencode(many).encode()) == "unreadable"
    assert reason(body="AccountSid=平安".encode()) == "unreadable"
    assert reason(body=b"AccountSid=%ff") == "unreadable"


@pytest.mark.failure(33)
def test_the_refusal_holds_nothing_of_the_request() -> None:
    with pytest.raises(Forged) as caught:
        check(signature="wrong")
    assert caught.value.args == ("signature",)
