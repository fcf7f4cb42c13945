"""Whether a webhook was sent by Twilio: its signature over the address we gave it and the form it posted.

The address is the configured one, never the request's Host header, and the algorithm is ours to choose, not
the request's. A signature has no time stamp: what follows must bear being told twice.
Source: twilio.com/docs/usage/security; checked against the RequestValidator of Twilio's own library.
"""

import hmac
from base64 import b64encode
from collections.abc import Sequence
from enum import StrEnum
from urllib.parse import parse_qsl, urlsplit

from reminder.domain.errors import ReminderError

BODY_BYTES = 64 * 1024
FIELDS = 64
_PORTS = {"https": 443, "http": 80}


class Algorithm(StrEnum):
    """Hash of the signature; SHA-1 is Twilio's for auth tokens, SHA-256 for its shared webhook keys."""

    SHA1 = "sha1"
    SHA256 = "sha256"


class Forged(ReminderError):
    """Not Twilio, or not to be told from it. `reason` names the check and holds nothing of the request."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def verify(
    *,
    signature: str,
    path: str,
    query: str,
    body: bytes,
    public_url: str,
    tokens: Sequence[str],
    account_sid: str,
    algorithm: Algorithm = Algorithm.SHA1,
) -> dict[str, str]:
    """The form of a request that Twilio signed. Raises `Forged` on anything else.

    `path` and `query` are raw, as they stood in the request line; `public_url` is the configured origin;
    `tokens` are one auth token, or two while they are being exchanged.
    """
    form = _form(body)
    target = path + (f"?{query}" if query else "")
    given = signature.encode("utf-8", "replace")
    genuine = False
    for token in filter(None, tokens):
        for origin in _spellings(public_url):
            genuine |= hmac.compare_digest(sign(origin + target, form, token, algorithm).encode(), given)
    if not genuine:
        raise Forged("signature")
    if not hmac.compare_digest(form.get("AccountSid", "").encode(), account_sid.encode()):
        raise Forged("account")
    return form


def sign(url: str, form: dict[str, str], token: str, algorithm: Algorithm = Algorithm.SHA1) -> str:
    """Twilio's signature: HMAC over the address and the sorted fields, in Base64."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    return b64encode(
        hmac.digest(token.encode(), signed.encode("utf-8", "surrogatepass"), algorithm.value)
    ).decode()


def _form(body: bytes) -> dict[str, str]:
    if len(body) > BODY_BYTES:
        raise Forged("too_long")
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=FIELDS, errors="strict"
        )
    except ValueError as error:
        raise Forged("unreadable") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        # The signature is over each field once, so a second value could be slipped in unsigned.
        raise Forged("repeated_field")
    return form


def _spellings(public_url: str) -> tuple[str, str]:
    """Our address with and without its port: Twilio signs now one, now the other."""
    parts = urlsplit(public_url)
    host = parts.netloc.removesuffix(f":{parts.port}")
    port = parts.port or _PORTS.get(parts.scheme, 443)
    base = parts.path.rstrip("/")
    return f"{parts.scheme}://{host}{base}", f"{parts.scheme}://{host}:{port}{base}"
