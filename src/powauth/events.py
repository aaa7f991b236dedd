"""Events: what operations announce. `…ing` runs before the write and may refuse; the others run after it.

Both run in the unit of work of the operation. What must follow a commit is given to `ctx.after_commit`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from powauth.accounts import Account, Change, Handle, NewAccount
from powauth.forms import Form
from powauth.session import Proof, Session, Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of every event."""

    is_gate: ClassVar[bool] = False
    """Whether a hook that asks for a step is the last to be asked: the others are asked once it is taken."""
    is_fact: ClassVar[bool] = True
    """Whether something happened: `False` for what is about to, may be refused, or only asks hooks to add something."""


@dataclass(frozen=True, slots=True)
class Plain:
    """Marks a field whose text or number is no secret and nobody's name: it may be written down."""


@dataclass(frozen=True, slots=True)
class Personal:
    """Marks a field that holds an address: written down is only what tells whether two of them are the same."""


@dataclass(frozen=True, slots=True)
class Unwritten:
    """Marks a field that is never written down, although its type could be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningUp(Event):
    """An account is about to be made."""

    is_fact = False

    new: NewAccount
    extras: Mapping[type[Form], Form] = field(default_factory=dict[type[Form], Form])
    """The fields that extensions added to the page that was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedUp(Event):
    """An account was made."""

    account: Account
    extras: Mapping[type[Form], Form] = field(default_factory=dict[type[Form], Form])


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailTaken(Event):
    """Somebody signed up with an address that an account has already.

    A hook that returns a `Detour` lets the answer be the one that a free address gets; then the account without an
    address stays that was made in its stead, so that a user name is taken afterwards as it is beside a free one.
    """

    new: NewAccount
    stand_in: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailConfirmed(Event):
    """An address was proved by its owner."""

    account: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticated(Event):
    """Somebody showed a factor; nothing is granted by that."""

    account: Account
    factor: Annotated[str, Plain()]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticationFailed(Event):
    """Somebody failed to show a factor. `handle` is there if the identifier was an account's."""

    factor: Annotated[str, Plain()]
    identifier: Annotated[str, Personal()]
    handle: Handle | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningIn(Event):
    """Somebody proved who they are and is about to get a session: the one place for gates.

    A hook refuses by raising `InvalidCredentials`, or returns a `Detour` to ask for one more step.
    """

    is_gate = True
    is_fact = False

    account: Account
    proofs: tuple[Proof, ...]
    transport: Transport
    actor: Handle | None = None
    """Who is about to act as the account; `None` for its owner."""
    extras: Mapping[type[Form], Form] = field(default_factory=dict[type[Form], Form])
    """The fields that extensions added to the page that was sent."""

    def factors(self) -> frozenset[str]:
        """Return the names of the factors that were shown."""
        return frozenset(proof.factor for proof in self.proofs)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn(Event):
    """Somebody has a session of their own. Whoever begins to act as an account does not sign in to it."""

    account: Account
    session: Session
    extras: Mapping[type[Form], Form] = field(default_factory=dict[type[Form], Form])


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting(Event):
    """Somebody asks for something as an account that is another's. A hook raises `NotSignedIn` to end that.

    Announced at every request that asks who is signed in. Where no hook listens, nobody acts as anybody.
    """

    is_fact = False

    account: Account
    session: Session
    is_use: bool = True
    """Whether somebody asks just now, rather than a connection that lasts and is looked at from time to time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDescribed(Event):
    """An account is about to be told who it is, in the head of a page or as JSON: a hook adds to its data."""

    is_fact = False

    account: Account
    data: dict[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningOut(Event):
    """A session is about to be ended by its owner."""

    is_fact = False

    session: Session


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOut(Event):
    """A session was ended by its owner."""

    session: Session


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanging(Event):
    """A password is about to change."""

    is_fact = False

    account: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged(Event):
    """A password changed."""

    account: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailChanging(Event):
    """An address is about to change. A hook that returns a `Detour` lets it wait for a step."""

    is_gate = True
    is_fact = False

    account: Account
    email: Annotated[str, Personal()]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailChanged(Event):
    """An address changed."""

    account: Account
    former: Annotated[str | None, Personal()]
    was_confirmed: bool = False
    """Whether the former address was proved: only then does its mailbox have a say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailRestored(Event):
    """A former address was put back by whoever reads its mailbox: somebody else had changed it to `former`."""

    account: Account
    former: Annotated[str | None, Personal()]


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialChanged(Event):
    """The account's epoch grew: with password, address, lock, factor or closing. What was bound to the former ends."""

    account: Account
    change: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class UsernameChanged(Event):
    """A user name changed."""

    account: Account
    former: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileChanged(Event):
    """Columns of the application's own changed."""

    account: Account
    fields: Annotated[tuple[str, ...], Plain()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked(Event):
    """An account was locked."""

    account: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlocked(Event):
    """An account was unlocked."""

    account: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing(Event):
    """An account is about to be closed. A hook that returns a `Detour` lets it be kept, closed, instead of erased."""

    is_fact = False

    account: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(Event):
    """An account was closed; its sessions are over."""

    account: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopened(Event):
    """A closed account was opened again by its owner."""

    account: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased(Event):
    """An account is gone."""

    account: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted(Event):
    """A session began. `session` is its public id."""

    handle: Handle
    session: Annotated[str, Plain()]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded(Event):
    """A session was ended by somebody; one that only expired is not announced."""

    handle: Handle
    session: Annotated[str, Plain()]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStolen(Event):
    """A cookie was used after its successor: two hold it. The session is over."""

    handle: Handle
    session: Annotated[str, Plain()]


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachLookupFailed(Event):
    """The list of breached passwords did not answer, so a new password was not compared with it."""

    passed: bool
    """Whether the password was taken all the same: `Passwords(breach_failure="pass")`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenMinted(Event):
    """A mailed secret was made."""

    kind: Annotated[str, Plain()]
    handle: Handle
    """The account's; that of an invitation, say, where the secret is about one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTaken(Event):
    """A mailed secret was used up."""

    kind: Annotated[str, Plain()]
    handle: Handle
    """The account's; that of an invitation, say, where the secret is about one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRefused(Event):
    """Somebody came with a mailed secret that is not valid."""

    kind: Annotated[str, Plain()]


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitReached(Event):
    """Somebody came too often."""

    limit: Annotated[str, Plain()]
    client: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailFailed(Event):
    """A mail was given up."""

    kind: Annotated[str, Plain()]
    to: Annotated[str, Personal()]
    """The address; empty for the account's own."""
    parts: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    handle: Handle | None = None
    """The account that it concerns, or what else it is about."""
