"""Claims: who of the other system says to have which name, so that no two get one account."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from powauth.accounts import email_key, username_key
from powauth.cli.importing.newcomer import Identity, Newcomer


@dataclass(frozen=True, slots=True)
class Rival:
    """Another account that says to have a name."""

    key: str
    is_proved: bool


class Claims:
    """Kept in a file without a name, as digests: memory stays small, and no address is left behind."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("")
        self._database.execute("CREATE TABLE claims (name BLOB, row TEXT, is_proved INTEGER)")
        self._place = 0

    def add(self, newcomers: Sequence[Newcomer]) -> None:
        """Note the names of accounts."""
        rows = [(digest(name), known.key, known.is_proved) for known in newcomers for name in names(known)]
        self._database.executemany("INSERT INTO claims VALUES (?, ?, ?)", rows)

    def close_list(self) -> None:
        """Make the list ready to be asked."""
        self._database.execute("CREATE INDEX by_name ON claims (name)")

    def rivals(self, name: str, *, is_proved: bool) -> list[Rival]:
        """Return who else says to have a name; nobody if this account alone has proved it.

        Whoever came first is no better than the others: in a system that does not compare addresses, a stranger may
        have signed up with somebody's address long before its owner did.
        """
        found = self._database.execute("SELECT row, is_proved FROM claims WHERE name = ?", (digest(name),)).fetchall()
        if len(found) < 2 or (is_proved and sum(proved for _, proved in found) == 1):
            return []
        return [Rival(key, bool(proved)) for key, proved in found]


def names(newcomer: Newcomer) -> list[str]:
    """Return what only one account can have: key, address, user name, identities."""
    found = [of_key(newcomer.key)]
    if newcomer.email:
        found.append(of_email(newcomer.email))
    if newcomer.username:
        found.append(of_username(newcomer.username))
    return [*found, *dict.fromkeys(map(of_identity, newcomer.identities))]


def of_key(key: str) -> str:
    """Return the claim of a key."""
    return f"key {key}"


def of_email(email: str) -> str:
    """Return the claim of an address, however it is spelt."""
    return f"email {email_key(email)}"


def of_username(username: str) -> str:
    """Return the claim of a user name, however it is spelt."""
    return f"username {username_key(username)}"


def of_identity(identity: Identity) -> str:
    """Return the claim of an identity, as the other system names its provider."""
    return f"identity {len(identity.provider)} {identity.provider} {identity.issuer or ''} {identity.subject}"


def digest(name: str) -> bytes:
    """Return what is kept of a claim."""
    return blake2b(name.encode(errors="surrogatepass"), digest_size=20).digest()
