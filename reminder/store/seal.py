"""Personal data at rest: sealed with AES-256-GCM bound to its row, found again by a blind index."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from reminder.domain.errors import Fault, Faulty

_NONCE = 12
_KEY_ID = b"\x01"


class Sealer:
    """Seals and opens values with a key that never enters the database or its backup."""

    def __init__(self, secret: bytes) -> None:
        self._aead = AESGCM(_derive(secret, "seal"))
        self._index = _derive(secret, "blind index")

    @classmethod
    def from_file(cls, path: Path) -> "Sealer":
        """Read the key file; make it (mode 0600) when there is none. Faulty if it is not one of ours."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_hex(32) + "\n")
        try:
            secret = bytes.fromhex(path.read_text().strip())
        except (ValueError, OSError) as error:
            what = "The key file cannot be read."
            raise Faulty([Fault(place=str(path), what=what, remedy="Restore it from its backup.")]) from error
        if len(secret) != 32:
            what = "The key file is not 32 bytes in hexadecimal."
            raise Faulty([Fault(place=str(path), what=what, remedy="Restore it from its backup.")])
        return cls(secret)

    def seal(self, text: str, *, bound_to: str) -> bytes:
        """`bound_to` is table|column|row uid: a sealed value moved to another row does not open."""
        nonce = os.urandom(_NONCE)
        return _KEY_ID + nonce + self._aead.encrypt(nonce, text.encode(), bound_to.encode())

    def open(self, sealed: bytes, *, bound_to: str) -> str:
        """Raises ValueError when the key, the row or a byte is not the one it was sealed with."""
        nonce, body = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        try:
            return self._aead.decrypt(nonce, body, bound_to.encode()).decode()
        except InvalidTag:
            raise ValueError(f"cannot open what is sealed for {bound_to}") from None

    def blind(self, text: str) -> str:
        """Equal for equal text and useless without the key: for look-ups by phone number."""
        return hmac.new(self._index, text.encode(), hashlib.sha256).hexdigest()


def _derive(secret: bytes, purpose: str) -> bytes:
    return hmac.new(secret, b"reminder " + purpose.encode(), hashlib.sha256).digest()
