"""Whether a password is known from breaches, asked so that nobody learns the password."""

import hashlib
from collections.abc import Mapping
from typing import Protocol

from powauth.errors import FieldError
from powauth.passwords.text import normalise

PREFIX = 5  # k-anonymity: some hundreds of breached passwords share these hexadecimal digits


class NotAnswered(Exception):
    """The list could not be asked, or answered nothing that can be read."""


class BreachLookup(Protocol):
    """A list of breached passwords. Only the first five digits of a SHA-1 leave the process."""

    async def counts(self, prefix: str) -> Mapping[str, int]:
        """Return how often each password was breached whose SHA-1 begins with `prefix`.

        `prefix` is five upper-case hexadecimal digits; the keys are the other 35, the values what the list
        counted (0 for padding). Raises `NotAnswered`: what that means is `Passwords(breach_failure=…)`.
        """
        ...


async def count(password: str, lookup: BreachLookup) -> int:
    """Return how often this password was breached. It must be one that `policy` lets pass."""
    digest = hashlib.sha1(normalise(password).encode(), usedforsecurity=False).hexdigest().upper()
    found = await lookup.counts(digest[:PREFIX])
    return found.get(digest[PREFIX:], 0)


async def problems(password: str, lookup: BreachLookup | None, *, least: int = 1) -> list[FieldError]:
    """Return `breached` if the password was breached that often; nothing without a list to ask.

    Raises `NotAnswered`.
    """
    if lookup is None:
        return []
    times = await count(password, lookup)
    return [FieldError("breached", {"count": times})] if times >= max(1, least) else []
