"""Argon2 hashes as values: read from their text, made, compared."""

import base64
import hmac
import re
import secrets
from dataclasses import dataclass, field

from argon2.exceptions import HashingError
from argon2.low_level import Type, hash_secret_raw

from powauth.errors import HashingBusy

MAX_MEMORY = 256 * 1024
"""KiB that one hash may take; what a stored hash asks above this is not computed."""

MAX_WORK = 1024 * 1024
"""KiB times passes that one hash may take: about half a second to a second of one thread."""

MAX_PARALLELISM = 16  # each lane is a thread of its own in the C library

SALT_BYTES = 16  # RFC 9106 §3.1
DIGEST_BYTES = 32

TYPES = {"argon2id": Type.ID, "argon2i": Type.I, "argon2d": Type.D}
NAMES = {kind: name for name, kind in TYPES.items()}
SHAPE = re.compile(
    r"\$(argon2id|argon2i|argon2d)(?:\$v=(16|19))?\$m=([0-9]{1,9}),t=([0-9]{1,9}),p=([0-9]{1,9})"
    r"\$([A-Za-z0-9+/]{11,128})\$([A-Za-z0-9+/]{22,86})"  # salt of 8 bytes or more, digest of 16 to 64
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What one hash costs: memory in KiB, passes over it, lanes."""

    memory: int
    time: int
    parallelism: int
    type: Type = Type.ID
    version: int = 19

    @property
    def is_possible(self) -> bool:
        """Whether the algorithm is defined for them (RFC 9106 §3.1)."""
        return self.time >= 1 and self.parallelism >= 1 and self.memory >= 8 * self.parallelism

    @property
    def is_affordable(self) -> bool:
        """Whether they are bounded, so that a row in a database cannot stall the process."""
        bounded = self.memory <= MAX_MEMORY and self.parallelism <= MAX_PARALLELISM
        return bounded and self.memory * self.time <= MAX_WORK


@dataclass(frozen=True, slots=True)
class Argon2Hash:
    """A salted digest and what it cost. `text` is the PHC string that every Argon2 library reads."""

    parameters: Parameters
    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)

    def matches(self, secret: bytes) -> bool:
        """Compute the digest of `secret` at full cost and compare in constant time."""
        return hmac.compare_digest(self.digest, derive(secret, self.salt, self.parameters, len(self.digest)))

    @property
    def text(self) -> str:
        """The hash as it is stored."""
        cost = self.parameters
        head = f"${NAMES[cost.type]}$v={cost.version}$m={cost.memory},t={cost.time},p={cost.parallelism}"
        return f"{head}${encode(self.salt)}${encode(self.digest)}"


def make(secret: bytes, parameters: Parameters) -> Argon2Hash:
    """Hash `secret` with a new salt."""
    salt = secrets.token_bytes(SALT_BYTES)
    return Argon2Hash(parameters, salt, derive(secret, salt, parameters, DIGEST_BYTES))


def nobodys(parameters: Parameters) -> Argon2Hash:
    """Return a hash that costs as much as any other to verify and that no password has."""
    return Argon2Hash(parameters, secrets.token_bytes(SALT_BYTES), secrets.token_bytes(DIGEST_BYTES))


def parse(text: str) -> Argon2Hash | None:
    """Read a PHC string; `None` if it is malformed or asks for more than may be spent on it."""
    match = SHAPE.fullmatch(text)
    if match is None:
        return None
    name, version, memory, time, parallelism, salt, digest = match.groups()
    parameters = Parameters(int(memory), int(time), int(parallelism), TYPES[name], int(version or 16))
    if not (parameters.is_possible and parameters.is_affordable) or 1 in {len(salt) % 4, len(digest) % 4}:
        return None
    return Argon2Hash(parameters, decode(salt), decode(digest))


def derive(secret: bytes, salt: bytes, parameters: Parameters, length: int) -> bytes:
    """Return the raw digest. Releases the GIL. Raises `HashingBusy` when the machine has no memory for it."""
    try:
        return hash_secret_raw(
            secret,
            salt,
            time_cost=parameters.time,
            memory_cost=parameters.memory,
            parallelism=parameters.parallelism,
            hash_len=length,
            type=parameters.type,
            version=parameters.version,
        )
    except HashingError as error:  # never told as a wrong password: that would count against its owner
        raise HashingBusy from error


def encode(raw: bytes) -> str:
    """Return base64 without padding, as PHC strings have it."""
    return base64.b64encode(raw).decode().rstrip("=")


def decode(text: str) -> bytes:
    """Return the bytes of base64 without padding."""
    return base64.b64decode(text + "=" * (-len(text) % 4))
