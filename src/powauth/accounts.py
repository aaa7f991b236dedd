"""Account: what Powauth knows of a person. Accounts: what a database adapter provides."""

import re
import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NewType, Protocol

from email_validator import EmailNotValidError, validate_email

AccountId = NewType("AccountId", str)
"""The application's own primary key, written as a string, strictly both ways."""

Handle = NewType("Handle", str)
"""16 random bytes in hexadecimal, never reused: the owner in stores and records, the subject in what leaves."""

LockedBy = str
"""Who locked: `administrator`, `owner` or `limit`. An administrator's lock is lifted by an administrator only."""

Change = Literal["password", "email", "lock", "factor", "close"]
"""What raises an account's epoch, and with it ends sessions and tokens."""

MAX_EMAIL = 254  # RFC 5321 §4.5.3.1.3, less the angle brackets
MAX_USERNAME = 64
MAX_KEY = 255  # the column in which it is searched


def new_handle() -> Handle:
    """Return a handle that no account ever had."""
    return Handle(secrets.token_hex(16))


@dataclass(frozen=True, slots=True)
class Account:
    """What Powauth knows of a person; the rest is the application's `User`."""

    id: AccountId
    handle: Handle
    email: str | None
    username: str | None
    password_hash: str | None = field(repr=False)
    created_at: datetime
    confirmed_at: datetime | None = None
    locked_at: datetime | None = None
    locked_by: LockedBy | None = None
    closed_at: datetime | None = None
    epoch: int = 0
    """Grows with every change of a credential; never falls."""

    @property
    def is_confirmed(self) -> bool:
        """Whether the address was proved."""
        return self.confirmed_at is not None

    @property
    def is_locked(self) -> bool:
        """Whether it may not be used until somebody unlocks it."""
        return self.locked_at is not None

    @property
    def is_closed(self) -> bool:
        """Whether its owner closed it."""
        return self.closed_at is not None

    @property
    def is_guarded(self) -> bool:
        """Whether a limit locked it: only a browser that it knows may sign in with a password."""
        return self.locked_at is not None and self.locked_by == "limit"

    @property
    def is_open(self) -> bool:
        """Whether somebody may be signed in to it: neither closed nor locked by its owner or an administrator."""
        return self.closed_at is None and (self.locked_at is None or self.is_guarded)

    @property
    def label(self) -> str:
        """What a person recognises it by: the user name, or the address."""
        return self.username or self.email or self.handle


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """An account that is about to exist. `values` fill the application's own columns."""

    email: str | None = None
    username: str | None = None
    password_hash: str | None = field(default=None, repr=False)
    confirmed_at: datetime | None = None
    created_at: datetime | None = None
    """When it was made elsewhere; otherwise now."""
    locked_at: datetime | None = None
    locked_by: LockedBy | None = None
    handle: Handle = field(default_factory=new_handle)
    values: Mapping[str, object] = field(default_factory=dict[str, object])


class Unset:
    """The value of a change that leaves things as they are."""


UNSET = Unset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What to change of an account; what is not given stays. `values` fill the application's own columns."""

    email: str | Unset | None = UNSET
    username: str | Unset | None = UNSET
    password_hash: str | Unset | None = field(default=UNSET, repr=False)
    confirmed_at: datetime | Unset | None = UNSET
    locked_at: datetime | Unset | None = UNSET
    locked_by: LockedBy | Unset | None = UNSET
    closed_at: datetime | Unset | None = UNSET
    raise_epoch: bool = False
    values: Mapping[str, object] = field(default_factory=dict[str, object])


class Accounts(Protocol):
    """The accounts of one tenant in one unit of work."""

    async def get(self, account_id: AccountId) -> Account | None:
        """Return the account with this primary key."""
        ...

    async def by_handle(self, handle: Handle) -> Account | None:
        """Return the account with this handle."""
        ...

    async def by_email(self, email: str) -> Account | None:
        """Return the account with this address; compares `email_key(email)`."""
        ...

    async def by_username(self, username: str) -> Account | None:
        """Return the account with this user name; compares `username_key(username)`."""
        ...

    async def lock(self, handle: Handle) -> Account | None:
        """Return the account as it is now and let nobody else change it until the unit of work ends."""
        ...

    async def add(self, new: NewAccount, *, now: datetime) -> Account:
        """Store a new account. Raises `Taken` with `email` or `username`."""
        ...

    async def change(self, account: Account, changes: Changes) -> Account:
        """Store the changes of an account and return it as it is then. Raises `Taken`, or `Stale` if it is gone."""
        ...

    async def delete(self, account: Account) -> None:
        """Delete the row. Raises `StillReferenced` when rows of the application refer to it."""
        ...

    async def find(self, *, contains: str = "", limit: int = 50, after: AccountId | None = None) -> Sequence[Account]:
        """Return accounts in a stable order, those whose address or user name contains the text, after one of them."""
        ...

    async def user(self, account: Account) -> Any:  # noqa: ANN401  the application's own class, known to Database[U]
        """Return the application's user, loaded in this unit of work."""
        ...


class InvalidEmail(ValueError):
    """Not an address that mail can be sent to."""


def parse_email(typed: str) -> str:
    """Return an address as it is stored: NFC, the domain in IDNA form. Raises `InvalidEmail`.

    Folded first and parsed afterwards as well, so that an address whose folded form is another's is refused.
    """
    try:
        email = _validated(typed.strip())
        folded = _validated(email_key(email))
    except (EmailNotValidError, UnicodeError) as error:
        raise InvalidEmail(str(error)) from error
    if email_key(folded) != email_key(email):
        raise InvalidEmail("its folded form is another address")
    return email


def _validated(value: str) -> str:
    parsed = validate_email(
        value,
        check_deliverability=False,
        test_environment=True,  # `.test` is a domain of tests (RFC 6761 §6.2), and reaches nobody
        allow_quoted_local=False,
        allow_domain_literal=False,
    )
    return f"{parsed.local_part}@{parsed.ascii_domain}"


def email_key(email: str) -> str:
    """Return what two spellings of one address share: NFKC, case-folded. It is unique per tenant and searched."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", email.strip()).casefold())


# Characters that show nothing (Unicode, Default_Ignorable_Code_Point, and the blank Braille pattern): a name that
# looks like another one must not be another one.
UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


class InvalidUsername(ValueError):
    """Not a user name."""


def parse_username(typed: str) -> str:
    """Return a user name as it is stored: NFC, trimmed. Raises `InvalidUsername`. No `@`: it would be an address."""
    name = unicodedata.normalize("NFC", typed.strip())
    key = username_key(name)
    is_short = len(name) <= MAX_USERNAME and len(key) <= MAX_KEY  # folding makes one character up to eighteen
    if not name or not is_short or UNSEEN.search(name + key) or "@" in key or not key.isprintable() or " " in key:
        raise InvalidUsername("1 to 64 printable characters, without spaces and @")
    return name


def username_key(username: str) -> str:
    """Return what two spellings of one user name share."""
    return email_key(username)
