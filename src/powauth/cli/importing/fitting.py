"""Fitting: a newcomer becomes an account of this application, or is left out, and whatever is lost is said."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from powauth.accounts import (
    MAX_EMAIL,
    InvalidEmail,
    InvalidUsername,
    NewAccount,
    email_key,
    parse_email,
    parse_username,
)
from powauth.cli.importing import claims
from powauth.cli.importing.claims import Claims, Rival
from powauth.cli.importing.columns import ROLES, Columns
from powauth.cli.importing.connecting import Connecting, Homeless, Placed
from powauth.cli.importing.granting import Granting
from powauth.cli.importing.newcomer import Identity, LeftOut, Newcomer, Remark
from powauth.passwords.flask_security import DOUBLE, SINGLE, FlaskSecurityHashes, unmarked
from powauth.passwords.foreign import ForeignHash, fault
from powauth.records import is_storable

MAX_HASH = 512  # characters of the column
BCRYPT = ("$2a$", "$2b$", "$2y$", "bcrypt$", "bcrypt_sha256$")

ONCE = Remark(
    "no_usernames",
    "user names are not taken over: accounts of this application have none, see Auth(identifiers=…)",
    "note",
)


@dataclass(frozen=True, slots=True)
class Fitted:
    """An account that can be made, and what is said of it."""

    key: str
    account: NewAccount
    newcomer: Newcomer
    remarks: tuple[Remark, ...]
    roles: tuple[str, ...] = ()
    """What it is granted here."""
    lost_roles: tuple[str, ...] = ()
    """What it had there and is nobody's here."""
    identities: tuple[Placed, ...] = ()
    """By which its owner signs in here."""
    lost_identities: tuple[Identity, ...] = ()
    """By which they signed in there, and cannot here."""


class NeedsFamily(Exception):
    """Hashes that the application could read with a setting, and does not: nothing may be written before that."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """What this application asks of an account."""

    identifiers: Sequence[str]
    families: Sequence[ForeignHash]
    columns: Columns
    claims: Claims
    now: datetime
    locks_end_after: timedelta | None
    """How long a lock lasts in the other system, if it ends by itself."""
    granting: Granting
    connecting: Connecting

    def fit(self, newcomer: Newcomer) -> Fitted:
        """Return the account. Raises `LeftOut`."""
        remarks = list(newcomer.remarks)
        if self.claims.rivals(claims.of_key(newcomer.key), is_proved=False):
            raise LeftOut("duplicate", "several rows have this key")
        email, username = self._email(newcomer, remarks), self._username(newcomer, remarks)
        if email is None and username is None:
            raise refusal(remarks) or LeftOut("no_identifier", f"it has no {' or '.join(self.identifiers)}")
        locked_at = self._locked_at(newcomer)
        account = NewAccount(
            email=email,
            username=username,
            password_hash=self._hash(newcomer, remarks),
            confirmed_at=(newcomer.proved_at or self.now) if newcomer.is_proved and email else None,
            created_at=min(newcomer.created_at or self.now, self.now),
            locked_at=locked_at,
            locked_by="administrator" if locked_at else None,
            values=self.columns.values(newcomer),
        )
        placed, homeless = self._identities(newcomer)
        remarks += [one.remark for one in homeless]
        remarks += self._set_aside(newcomer)
        remarks += [Remark("locked", "it was locked or inactive: it stays locked", "note")] if locked_at else []
        return Fitted(
            newcomer.key,
            account,
            newcomer,
            tuple(replace(r, key=newcomer.key) for r in remarks),
            roles=self.granting.granted(newcomer),
            lost_roles=self.granting.without_place(newcomer),
            identities=placed,
            lost_identities=tuple(one.identity for one in homeless),
        )

    def _identities(self, newcomer: Newcomer) -> tuple[tuple[Placed, ...], tuple[Homeless, ...]]:
        """Return the identities that have a place here, and the others; one that several there have is none's."""
        alone: list[Identity] = []
        shared_by: list[Homeless] = []
        for known in dict.fromkeys(newcomer.identities):
            if rivals := self.claims.rivals(claims.of_identity(known), is_proved=False):
                says = shared(f"identity at {known.provider}", newcomer, rivals)
                shared_by.append(Homeless(known, Remark("duplicate", says)))
            else:
                alone.append(known)
        placed, homeless = self.connecting.sort(alone)
        return placed, (*shared_by, *homeless)

    def _email(self, newcomer: Newcomer, remarks: list[Remark]) -> str | None:
        typed = newcomer.email
        if typed is None or "email" not in self.identifiers:
            return None
        rivals = self.claims.rivals(claims.of_email(typed), is_proved=newcomer.is_proved)
        if rivals:
            remarks.append(Remark("duplicate", shared("address", newcomer, rivals)))
            return None
        if (email := as_email(typed)) is None:
            remarks.append(Remark("invalid_email", "its address is none that mail can be sent to"))
        return email

    def _username(self, newcomer: Newcomer, remarks: list[Remark]) -> str | None:
        typed = newcomer.username
        if typed is None:
            return None
        if "username" not in self.identifiers:
            remarks.append(ONCE)
            return None
        if newcomer.email and email_key(typed) == email_key(newcomer.email):
            return None  # nothing is lost
        if rivals := self.claims.rivals(claims.of_username(typed), is_proved=False):
            remarks.append(Remark("duplicate", shared("user name", newcomer, rivals)))
            return None
        try:
            return parse_username(typed)
        except InvalidUsername:
            remarks.append(Remark("invalid_username", "its user name is none: 1 to 64 characters, no space, no @"))
            return None

    def _hash(self, newcomer: Newcomer, remarks: list[Remark]) -> str | None:
        hash = newcomer.password_hash
        if hash is None:
            remarks.append(
                Remark("no_password", "it has no password: its owner resets it, or comes in otherwise", "note")
            )
            return None
        found = "unsound" if len(hash) > MAX_HASH or not hash.isascii() or not hash.isprintable() else None
        found = found or fault(hash, self.families)
        if found == "unknown" and self._lacks_setting(hash):
            raise NeedsFamily(needed(hash))
        if found:
            remarks.append(
                Remark(f"{found}_hash", f"{WHY[found]}: it comes without, and its owner resets the password")
            )
        return None if found else hash

    def _lacks_setting(self, hash: str) -> bool:
        """Whether a hash that is not known here would be with a setting, rather than never."""
        if not hash.startswith((DOUBLE, SINGLE)):
            return hash.startswith(BCRYPT)
        knows_mark = any(isinstance(family, FlaskSecurityHashes) for family in self.families)
        return not knows_mark or unmarked(hash).startswith(BCRYPT)

    def _locked_at(self, newcomer: Newcomer) -> datetime | None:
        since = newcomer.locked_at
        if since and self.locks_end_after is not None and since + self.locks_end_after <= self.now:
            since = None
        return min(since, self.now) if since else self.now if newcomer.is_inactive else None

    def _set_aside(self, newcomer: Newcomer) -> Iterator[Remark]:
        if newcomer.addresses:
            yield Remark("addresses", "its further addresses are set aside: an account has one")
        if self.granting.without_place(newcomer) and ROLES not in self.columns.mapped.values():
            says = (
                "roles of it are set aside: --role theirs=ours grants one, --map roles=column fills a column of yours"
            )
            yield Remark("roles", says)


WHY = {
    "unknown": "its password's hash is of a kind that is not known here",
    "unsound": "its password's hash is malformed, or would cost more than may be spent on one",
}


def as_email(typed: str) -> str | None:
    """Return an address as it is stored; `None` if it is none."""
    if not is_storable(typed) or len(email_key(typed)) > MAX_EMAIL:
        return None
    try:
        return parse_email(typed)
    except InvalidEmail:
        return None


def refusal(remarks: Sequence[Remark]) -> LeftOut | None:
    """Return why an account has no name left, from what was said of its names."""
    why = [remark for remark in remarks if remark.code in {"invalid_email", "invalid_username", "duplicate"}]
    return LeftOut(why[0].code, why[0].says) if why else None


def shared(what: str, newcomer: Newcomer, rivals: Sequence[Rival]) -> str:
    """Return what is said of a name that several accounts have."""
    others = [rival.key for rival in rivals if rival.key != newcomer.key][:5]
    proved = "" if what != "address" else ", and not exactly one of them has proved it"
    return f"its {what} is also that of {', '.join(others)}{proved}: say in the other system whose it is"


def needed(hash: str) -> str:
    """Return which setting lets the application read a hash."""
    if hash.startswith((DOUBLE, SINGLE)):
        return "Passwords(foreign=[FlaskSecurityHashes(salt=…, inner=[BcryptHashes()])]), of powauth.passwords"
    return "Passwords(foreign=[BcryptHashes()]), of powauth.bcrypt; Devise may need BcryptHashes(pepper=…)"
