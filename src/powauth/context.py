"""Context: what an operation may touch. It lives as long as one unit of work."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Generic, TypeVar, cast

from powauth.accounts import MAX_EMAIL, Account, Accounts, Handle
from powauth.clients import limit_key
from powauth.database import DatabaseUnit
from powauth.errors import ConfigurationError, NotSignedIn, OwnerOnly, TooManyAttempts
from powauth.events import AccountDescribed, Acting, Event, LimitReached
from powauth.limits import Limit, Limits
from powauth.mail import MailKind
from powauth.messages import Words
from powauth.outbox import Letter, OutboxRecord
from powauth.pages import Detour, Page
from powauth.pending import Pending
from powauth.plan import Plan
from powauth.records import R, Records
from powauth.redirects import safe_target
from powauth.session import Session
from powauth.sessions import Sessions
from powauth.tenants import Tenant
from powauth.tokens import Subject, TokenRecord, Tokens

E = TypeVar("E", bound=Event)
X = TypeVar("X")

Later = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, as far as the request tells."""

    client: str = ""
    """The network address."""
    device: str = ""
    language: str = ""
    """One of those that are offered; empty where no request tells, and then the tenant's."""
    session: Session | None = None
    is_another: bool = False
    """Whether the session is of another account than the one that what was sent was filled in as."""
    pending: Pending | None = None
    known: frozenset[Handle] = frozenset()
    """The accounts that this browser signed in to before."""
    cookies: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """What the browser sent of the cookies that extensions declare, by their names; none beside a bearer token."""
    operator: str = ""
    """Who works at the command line, as the system calls them; a name, and no proof."""


NOBODY = Caller()
"""The caller of work that no request began."""


@dataclass(frozen=True, slots=True)
class Hook(Generic[E]):
    """A listener and the event that it listens to."""

    event: type[E]
    run: Callable[[E, "Context"], Awaitable[Detour | None]]


def on(event: type[E], run: Callable[[E, "Context"], Awaitable[Detour | None]]) -> Hook[E]:
    """Return a hook that runs in the unit of work of the operation that announces the event.

    Hooks of one event run in the order of the extensions, the application's own last; those of a class that the event
    is a kind of run after them, so that a hook of `Event` hears all. One that raises an `AuthError` refuses. A `Detour`
    may be returned for `SigningIn`, `EmailChanging`, `EmailTaken`, `SignedUp` and `Closing`.
    """
    return Hook(event, run)


class Context:
    """One unit of work: accounts, records, tokens, sessions, events, mail, limits and addresses."""

    def __init__(
        self, plan: Plan, tenant: Tenant, unit: DatabaseUnit, caller: Caller = NOBODY, *, is_joined: bool = False
    ) -> None:
        self.plan = plan
        self.tenant = tenant
        self.unit = unit
        self.caller = caller
        self.is_joined = is_joined
        """Whether it runs inside the application's transaction, which then decides."""
        self.traces: list[Event] = []
        self.cookies: dict[str, tuple[str, timedelta | None]] = {}
        """What the answer writes after the commit: value and age, by the name that an extension declared."""
        self._last_steps: list[Later] = []
        self._done: set[tuple[str, ...]] = set()
        self._account: Account | None = None

    @property
    def accounts(self) -> Accounts:
        """The accounts of this tenant."""
        return self.unit.accounts

    def records(self, record: type[R]) -> Records[R]:
        """Return the rows of an extension's record."""
        return self.unit.records(record)

    @property
    def tokens(self) -> Tokens:
        """The tokens of this tenant."""
        return Tokens(
            self.unit.records(TokenRecord),
            self.accounts,
            self.plan.clock,
            emit=self.emit,
            trace=self.trace,
            settle=self._settle,
        )

    async def _settle(self, mail: str) -> None:
        await self.records(OutboxRecord).delete_all(where={"id": mail})

    @property
    def sessions(self) -> Sessions:
        """The sessions of this tenant."""
        return self.plan.sessions(self.tenant.id)

    @property
    def limits(self) -> Limits:
        """The limits of this tenant."""
        return self.plan.limits(self.tenant.id)

    @property
    def now(self) -> datetime:
        """The time, in UTC."""
        return self.plan.clock.now()

    @property
    def language(self) -> str:
        """The language that the caller reads: what the request asks for, else the tenant's."""
        return self.caller.language or self.plan.language_of(self.tenant)

    @property
    def words(self) -> Words:
        """The words of that language: `ctx.words("shop.greeting", name="Ada")`."""
        return self.plan.words(self.language)

    @property
    def session(self) -> Session:
        """The caller's session. Raises `NotSignedIn`, also for what was filled in as somebody else."""
        if self.caller.session is None or self.caller.is_another:
            raise NotSignedIn
        return self.caller.session

    @property
    def actor(self) -> Handle | None:
        """Who acts as the signed-in account; `None` for its owner, and where nobody is signed in."""
        return self.caller.session.actor if self.caller.session else None

    @property
    def pending(self) -> Pending:
        """The parked sign-in whose detour this is. Raises `NotSignedIn`."""
        if self.caller.pending is None:
            raise NotSignedIn
        return self.caller.pending

    def __getitem__(self, extension: type[X]) -> X:
        """Return an enabled extension with its settings."""
        for kind, found in self.plan.extensions.items():
            if issubclass(kind, extension):
                return cast("X", found)
        msg = f"{extension.__name__} is not enabled: add it to extensions"
        raise ConfigurationError(msg)

    def has(self, extension: type[object]) -> bool:
        """Say whether an extension is enabled."""
        return any(issubclass(kind, extension) for kind in self.plan.extensions)

    async def account(self) -> Account:
        """Return the signed-in account as the database has it. Raises `NotSignedIn` when it may no longer be used."""
        if self._account is None:
            found = await self.accounts.get(self.session.account_id)
            if found is None or found.handle != self.session.handle:
                await self.sessions.end(self.session)
                raise NotSignedIn
            self._account = await self.admit(found)
        return self._account

    async def account_if_any(self) -> Account | None:
        """Return the signed-in account; `None` for whoever is not signed in, or no longer."""
        if self.caller.session is None:
            return None
        try:
            return await self.account()
        except NotSignedIn:
            return None

    def is_signed_in_as(self, account: Account) -> bool:
        """Say whether the caller's session is this account's."""
        return self.caller.session is not None and self.caller.session.handle == account.handle

    async def admit(self, account: Account) -> Account:
        """Return the account if the caller's session is still good for it; end the session and raise otherwise."""
        session = self.session
        is_current = account.is_open and account.epoch in session.epochs
        if not is_current or not await self.acts_rightly(account):
            await self.sessions.end(session)
            raise NotSignedIn
        if len(session.epochs) > 1:
            await self.sessions.settle(session, account.epoch)
        return account

    async def acts_rightly(self, account: Account, *, is_use: bool = True) -> bool:
        """Say whether the caller owns the account, or may still act as it: whoever enables that is asked each time."""
        session = self.session
        if session.actor is None:
            return True
        if not self.plan.listens(Acting):
            return False
        try:
            await self.emit(Acting(account=account, session=session, is_use=is_use))
        except NotSignedIn:
            return False
        return True

    def owner_only(self) -> None:
        """Raise `OwnerOnly` for whoever acts as somebody else: what proves who the owner is, is the owner's alone."""
        if self.actor is not None:
            raise OwnerOnly

    async def described(self, account: Account) -> dict[str, object]:
        """Return what extensions have to tell an account about itself, such as its roles."""
        described = AccountDescribed(account=account)
        await self.emit(described)
        return described.data

    async def lock(self, handle: Handle) -> Account:
        """Return the account as it is now, and let nobody else change it in this unit. Raises `NotSignedIn`."""
        account = await self.accounts.lock(handle)
        if account is None:
            raise NotSignedIn
        return account

    async def emit(self, event: Event) -> Detour | None:
        """Run the hooks of an event in their order; return the first detour that one asks for.

        A gate that asks for one is the last that is asked; of what has happened already, every hook is told.
        """
        first: Detour | None = None
        for hook in self.plan.hooks_of(type(event)):
            detour = await hook(event, self)
            first = first or detour
            if first is not None and event.is_gate:
                break
        return first

    def once(self, *what: str) -> bool:
        """Say whether this is asked for the first time in this unit: for a hook whose own work would wake it again."""
        is_new = what not in self._done
        self._done.add(what)
        return is_new

    def trace(self, event: Event) -> None:
        """Announce an event in a unit of its own, after this one, whether that is committed or refused."""
        self.traces.append(event)

    async def send(
        self,
        kind: MailKind,
        *,
        account: Account | None = None,
        about: Subject | None = None,
        to: str | None = None,
        parts: Mapping[str, str] | None = None,
        language: str | None = None,
    ) -> None:
        """Owe somebody a mail, in this transaction: the account's address at the time of sending, or `to`.

        It speaks the caller's language, unless another one is named: for mails to somebody else. `about` is what it is
        about where that is no account: its kind then says whether it is still owed.
        """
        holder = account or about
        letter = Letter(
            kind=self.plan.mail_names[kind],
            owner=holder.handle if holder else "",
            to=to or "",
            epoch=holder.epoch if holder else 0,
            language=language or self.language,
            parts=parts or {},
        )
        await self.records(OutboxRecord).add(letter.record(self.now))
        self.after_commit(self._ring)

    async def send_on_request(self, kind: MailKind, identifier: str, *, parts: Mapping[str, str] | None = None) -> None:
        """Owe a mail to whoever has this address or user name, known or not: the same row, by the same work.

        The sender looks the account up, and mails its stored address. `identifier` is an `identifier_key`.
        """
        to = identifier if len(identifier) <= MAX_EMAIL else ""  # longer than any: it finds nobody
        letter = Letter(kind=self.plan.mail_names[kind], to=to, language=self.language, parts=parts or {})
        await self.records(OutboxRecord).add(letter.record(self.now))
        self.after_commit(self._ring)

    def write_cookie(self, name: str, value: str, *, max_age: timedelta | None) -> None:
        """Let the answer write a cookie that an extension declared, once this unit is committed.

        Without a `max_age` it is gone when the browser is closed, as the session's own is.
        """
        self.cookies[name] = (value, max_age)

    def unwrite_cookie(self, name: str) -> None:
        """Let the answer remove a cookie that an extension declared, if the browser sent it."""
        if name in self.caller.cookies:
            self.cookies[name] = ("", timedelta(0))

    async def _ring(self) -> None:
        self.plan.ring()

    async def limit(self, name: str, limit: Limit, value: str | None = None) -> None:
        """Count one use, before the work; by the client's address unless a value is given. Raises `TooManyAttempts`."""
        try:
            await self.limits.claim(name, limit, limit_key(self.caller.client) if value is None else value)
        except TooManyAttempts:
            self.trace(LimitReached(limit=name, client=self.caller.client))
            raise

    def url(self, page: Page, **parts: str) -> str:
        """Return the whole address of a page; only `base_url` shapes it."""
        return self.tenant.base_url.rstrip("/") + self.plan.path(page, **parts).removeprefix(self.plan.mount)

    def path(self, page: Page, **parts: str) -> str:
        """Return the address of a page on this site."""
        return self.plan.path(page, **parts)

    def target(self, value: object) -> str | None:
        """Return an address fit for a redirect, of this site or of a listed front end; `None` for every other one."""
        return safe_target(value, base_url=self.tenant.base_url, origins=self.plan.origins)

    def has_page(self, page: Page) -> bool:
        """Say whether a page is served."""
        return page in self.plan.pages

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[Accounts]:
        """Read accounts on a connection that is given back at once: nothing is held while passwords are hashed."""
        await self.release()
        unit = self.plan.database.unit(self.plan.schema, self.tenant, writes=False)
        try:
            yield unit.accounts
        finally:
            await unit.rollback()

    async def release(self) -> None:
        """Give the connection back before anything slow. Refused once something was written."""
        await self.unit.release()

    def last_step(self, step: Later) -> None:
        """Run this as the last step before the commit: the store writes that have to stand first."""
        self._last_steps.append(step)

    def after_commit(self, callback: Later) -> None:
        """Run this after the commit, and never after a rollback."""
        self.unit.on_commit(callback)

    async def commit(self) -> None:
        """Run the last steps, commit, and let follow what must follow."""
        for step in self._last_steps:
            await step()
        await self.unit.commit()

    def signed_in_as(self, session: Session) -> None:
        """Go on as somebody with this session."""
        self.caller = replace(self.caller, session=session, is_another=False)
