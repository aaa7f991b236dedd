"""Guards: what an application's own page asks of a session. Adapters give them their framework's shape."""

from dataclasses import dataclass
from typing import Any, Generic

from powauth import csrf
from powauth.accounts import Account
from powauth.auth import Auth
from powauth.context import Caller
from powauth.errors import AuthError, ConfigurationError, DatabaseUnavailable, NotSignedIn
from powauth.routing import SIGNED_IN, Requirement
from powauth.session import Session
from powauth.settings import U
from powauth.units import begin
from powauth.visits import Visit


@dataclass(frozen=True)
class Guard(Generic[U]):
    """Lets signed-in people through to an application's own page. Equal guards are one, so a framework asks once."""

    auth: Auth[U]
    require: Requirement | None = None

    def __post_init__(self) -> None:
        check_requirement(self.auth, self.require)

    async def session(self, visit: Visit) -> Session:
        """Return the session. One read of the store, no SQL; whoever acts as somebody is looked at anew.

        Raises `NotSignedIn`, `CrossSite`, and what the requirement raises.
        """
        session = await visit.session()
        if session is None or visit.is_another:
            raise NotSignedIn
        check_origin(self.auth, visit)
        if self.require is not None or session.actor is not None:
            async with begin(self.auth.plan, visit.tenant, await visit.caller(), writes=False) as ctx:
                await (self.require or SIGNED_IN).check(ctx)
                if session.actor is not None:
                    await ctx.account()
        return session

    async def account(self, visit: Visit) -> Account:
        """Return the account. One query by primary key more. Raises `NotSignedIn`, `CrossSite`."""
        await self.session(visit)
        async with begin(self.auth.plan, visit.tenant, await visit.caller(), writes=False) as ctx:
            return await ctx.account()

    async def goes_on(self, visit: Visit, session: Session) -> bool:
        """Say whether a connection that lasts may go on under this session."""
        if not await visit.sessions.is_on(session):
            return False
        if self.require is None and session.actor is None:
            return True
        try:
            async with begin(self.auth.plan, visit.tenant, Caller(session=session), writes=False) as ctx:
                account = await ctx.accounts.by_handle(session.handle)
                if account is None or not account.is_open or not await ctx.acts_rightly(account, is_use=False):
                    return False
                if self.require is not None:
                    await self.require.check_again(ctx)
        except AuthError:
            return False
        return True

    async def user(self, visit: Visit, db: object) -> U:
        """Return the application's user, loaded in its own database session by primary key. Raises `NotSignedIn`.

        A row newer than the session refuses and ends it. One that is older, or missing, may be a stale read: it is
        read again on a connection of Powauth's own before anything is decided.
        """
        session = await self.session(visit)
        plan, tenant = self.auth.plan, visit.tenant
        user = await self.auth.database.user(plan.schema, tenant, db, session.account_id)
        account = self.auth.database.account(user) if user is not None else None
        if user is None or account is None or not _is_current(account, session):
            await self.account(visit)  # raises if the account is really gone, locked or newer
        if user is None or account is None or account.handle != session.handle or not account.is_open:
            raise DatabaseUnavailable  # there, but not yet where the application looks
        return user


def _is_current(account: Account, session: Session) -> bool:
    return account.handle == session.handle and account.is_open and session.epochs == (account.epoch,)


def check_requirement(auth: Auth[Any], require: Requirement | None) -> None:
    """Refuse, as early as can be, what nobody could ever meet. Raises `ConfigurationError`."""
    problems = require.problems(auth.extensions) if require is not None else ()
    if problems:
        raise ConfigurationError(*problems)


def check_origin(auth: Auth[Any], visit: Visit) -> None:
    """Refuse what another site sent, when the session came by cookie. Raises `CrossSite`."""
    if not (visit.is_socket or visit.raw.is_unsafe):
        return
    base_origin = csrf.origin_of(visit.tenant.base_url)
    origins = auth.plan.origins
    if visit.is_socket:
        if visit.uses_cookie:
            csrf.check_socket(visit.raw, base_origin=base_origin, origins=origins)
    else:
        csrf.check(visit.raw, base_origin=base_origin, origins=origins, has_bearer=not visit.uses_cookie)
