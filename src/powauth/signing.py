"""Keys derived per purpose and `Auth`, rotation, small signed values."""

import base64
import binascii
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

SHORTEST_SECRET = 32  # characters: 128 bits in hexadecimal, more in anything denser

_DEFAULTS = frozenset({"secret", "changeme", "change-me", "change_me", "example", "default", "insecure", "your-secret"})
_LEAST_VARIETY = 8  # different characters; a random 32-character hexadecimal secret has 14 on average


def secret_problems(secrets: Sequence[str]) -> tuple[str, ...]:
    """Return why these secrets may not be used, a sentence each."""
    if not secrets:
        return ("secret is missing: run `powauth secret` and pass what it prints",)
    problems: list[str] = []
    for secret in secrets:
        if len(secret) < SHORTEST_SECRET:
            problems.append(f"secret is shorter than {SHORTEST_SECRET} characters: run `powauth secret` for a good one")
        elif len(set(secret)) < _LEAST_VARIETY or any(word in secret.lower() for word in _DEFAULTS):
            problems.append("secret looks like a default or an example: run `powauth secret` for one of your own")
    if len(set(secrets)) < len(secrets):
        problems.append("secret is listed twice: a rotation needs a new one")
    return tuple(problems)


class Signer:
    """Signs for one `Auth`: the first secret signs, the others only verify (S19)."""

    def __init__(self, secrets: Sequence[str], *, name: str) -> None:
        self._secrets = tuple(secret.encode() for secret in secrets)
        self._name = name.encode()
        self._started = lru_cache(maxsize=64)(self._start)

    @property
    def retired(self) -> int:
        """How many secrets only verify."""
        return len(self._secrets) - 1

    def _start(self, purpose: str) -> tuple[hmac.HMAC, ...]:
        """Return the signatures of this purpose, as far as they go without a message: one is a copy of that."""
        # Length-prefixed, so that no name and purpose together read like another pair.
        info = b"powauth\0" + len(self._name).to_bytes(2, "big") + self._name + purpose.encode()
        keys = [hmac.digest(secret, info, "sha256") for secret in self._secrets]
        return tuple(hmac.new(key, digestmod="sha256") for key in keys)

    def sign(self, purpose: str, message: bytes) -> bytes:
        """Return the 32 bytes that prove the message was made here for this purpose."""
        return _signature(self._started(purpose)[0], message)

    def verify(self, purpose: str, message: bytes, signature: bytes) -> bool:
        """Say whether this `Auth` signed the message for this purpose, with any secret it still lists."""
        return any(hmac.compare_digest(_signature(started, message), signature) for started in self._started(purpose))

    def seal(self, purpose: str, value: object, *, expires_at: datetime) -> str:
        """Return a readable, unforgeable text that holds plain data until a time."""
        body = json.dumps([int(expires_at.timestamp()), value], separators=(",", ":")).encode()
        return f"{encode(body)}.{encode(self.sign(purpose, body))}"

    def unseal(self, purpose: str, text: str, *, now: datetime) -> object | None:
        """Return what was sealed; `None` if it was forged, made for another purpose, or is over."""
        body_text, _, signature_text = text.partition(".")
        body, signature = decode(body_text), decode(signature_text)
        if body is None or signature is None or not self.verify(purpose, body, signature):
            return None
        expires_at, value = json.loads(body)
        return value if datetime.fromtimestamp(expires_at, UTC) > now else None


def _signature(started: hmac.HMAC, message: bytes) -> bytes:
    signing = started.copy()  # half the time of beginning with the key
    signing.update(message)
    return signing.digest()


_ALPHABET = bytes.maketrans(b"-_+/=", b"+/!!!")  # what is not base64url becomes what is no base64 either


def encode(data: bytes) -> str:
    """Return bytes as base64url without padding (RFC 4648 §5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes | None:
    """Return the bytes of a base64url text without padding; `None` if it is not one, or not the canonical one."""
    padding = b"=" * (-len(text) % 4)
    try:
        data = binascii.a2b_base64(text.encode().translate(_ALPHABET) + padding, strict_mode=True)
    except ValueError:
        return None
    # Bits are left over only where there is padding; they have to be zero.
    return data if not padding or encode(data) == text else None
