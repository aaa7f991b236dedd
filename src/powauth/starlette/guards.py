"""Who is signed in, for an application's own pages. All of these are equal, hashable callables."""

from collections.abc import Awaitable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Literal, TypeVar, overload

from starlette.requests import HTTPConnection

from powauth.accounts import Account
from powauth.asgi import visit_of
from powauth.auth import Auth
from powauth.errors import AuthError, NotSignedIn
from powauth.guards import Guard, check_requirement
from powauth.routing import Requirement
from powauth.session import Session
from powauth.settings import U
from powauth.visits import Visit

T = TypeVar("T")


class Refused(Exception):
    """An application's own page refused somebody; `install` answers it: sign-in for people, 401 for programs."""

    def __init__(self, auth: Auth[Any], error: AuthError, visit: Visit) -> None:
        super().__init__(error.code)
        self.auth = auth
        self.error = error
        self.visit = visit


@dataclass(frozen=True)
class Current(Generic[U]):
    """What all guards share."""

    auth: Auth[U]
    require: Requirement | None = None

    def __post_init__(self) -> None:
        check_requirement(self.auth, self.require)

    @cached_property
    def guard(self) -> Guard[U]:
        """The guard, without a framework."""
        return Guard(self.auth, self.require)

    def visit(self, connection: HTTPConnection) -> Visit:
        """Return the visit of a request."""
        return visit_of(connection.scope, self.auth)

    async def refusing(self, visit: Visit, asked: Awaitable[T]) -> T:
        """Return what was asked for; what stands against it is answered by the application's handler."""
        try:
            return await asked
        except AuthError as error:
            raise Refused(self.auth, error, visit) from error

    async def or_none(self, visit: Visit, asked: Awaitable[T]) -> T | None:
        """Return what was asked for, or `None` if nobody is signed in."""
        try:
            return await asked
        except NotSignedIn:
            return None
        except AuthError as error:
            raise Refused(self.auth, error, visit) from error


@dataclass(frozen=True)
class CurrentSession(Current[U]):
    """The session of a request."""

    async def __call__(self, connection: HTTPConnection) -> Session:
        """Return the session, or refuse."""
        visit = visit_of(connection.scope, self.auth)
        try:  # said here once more: `refusing` would cost every request of every page a coroutine
            return await self.guard.session(visit)
        except AuthError as error:
            raise Refused(self.auth, error, visit) from error


@dataclass(frozen=True)
class OptionalSession(Current[U]):
    """The session of a request, or `None`."""

    async def __call__(self, connection: HTTPConnection) -> Session | None:
        """Return the session, or `None` for anybody else."""
        visit = self.visit(connection)
        return await self.or_none(visit, self.guard.session(visit))


@dataclass(frozen=True)
class CurrentAccount(Current[U]):
    """The account of a request."""

    async def __call__(self, connection: HTTPConnection) -> Account:
        """Return the account, or refuse."""
        visit = self.visit(connection)
        return await self.refusing(visit, self.guard.account(visit))


@dataclass(frozen=True)
class OptionalAccount(Current[U]):
    """The account of a request, or `None`."""

    async def __call__(self, connection: HTTPConnection) -> Account | None:
        """Return the account, or `None` for anybody else."""
        visit = self.visit(connection)
        return await self.or_none(visit, self.guard.account(visit))


@dataclass(frozen=True)
class CurrentUser(Current[U]):
    """The application's user of a request, loaded in its own database session."""

    async def __call__(self, connection: HTTPConnection, db: object) -> U:
        """Return the user, or refuse."""
        visit = self.visit(connection)
        return await self.refusing(visit, self.guard.user(visit, db))


@dataclass(frozen=True)
class OptionalUser(Current[U]):
    """The application's user of a request, or `None`."""

    async def __call__(self, connection: HTTPConnection, db: object) -> U | None:
        """Return the user, or `None` for anybody else."""
        visit = self.visit(connection)
        return await self.or_none(visit, self.guard.user(visit, db))


@overload
def current_session(
    auth: Auth[U], *, require: Requirement | None = None, optional: Literal[False] = False
) -> CurrentSession[U]: ...
@overload
def current_session(
    auth: Auth[U], *, require: Requirement | None = None, optional: Literal[True]
) -> OptionalSession[U]: ...
def current_session(
    auth: Auth[U], *, require: Requirement | None = None, optional: bool = False
) -> CurrentSession[U] | OptionalSession[U]:
    """Return what gives a request's session: one read of the store, no SQL."""
    return OptionalSession(auth, require) if optional else CurrentSession(auth, require)


@overload
def current_account(
    auth: Auth[U], *, require: Requirement | None = None, optional: Literal[False] = False
) -> CurrentAccount[U]: ...
@overload
def current_account(
    auth: Auth[U], *, require: Requirement | None = None, optional: Literal[True]
) -> OptionalAccount[U]: ...
def current_account(
    auth: Auth[U], *, require: Requirement | None = None, optional: bool = False
) -> CurrentAccount[U] | OptionalAccount[U]:
    """Return what gives a request's account: one query by primary key more."""
    return OptionalAccount(auth, require) if optional else CurrentAccount(auth, require)


@overload
def current_user(
    auth: Auth[U], *, require: Requirement | None = None, optional: Literal[False] = False
) -> CurrentUser[U]: ...
@overload
def current_user(auth: Auth[U], *, require: Requirement | None = None, optional: Literal[True]) -> OptionalUser[U]: ...
def current_user(
    auth: Auth[U], *, require: Requirement | None = None, optional: bool = False
) -> CurrentUser[U] | OptionalUser[U]:
    """Return what gives a request's user, from the request and the application's own database session."""
    return OptionalUser(auth, require) if optional else CurrentUser(auth, require)
