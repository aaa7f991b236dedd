"""Dependencies: equal and hashable, so that FastAPI asks once per request and tests can override them."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, overload

from fastapi import Depends
from starlette.requests import HTTPConnection

from powauth.auth import Auth
from powauth.routing import Requirement
from powauth.settings import U
from powauth.starlette.guards import CurrentUser, OptionalUser, current_account, current_session

__all__ = ["UserDependency", "current_account", "current_session", "current_user"]


@dataclass(frozen=True)
class UserDependency(CurrentUser[U]):
    """The application's user, loaded in the database session that the dependency `db` gives."""

    db: Callable[..., Any] | None = None

    @property
    def __signature__(self) -> inspect.Signature:
        return _signature(self.db)


@dataclass(frozen=True)
class OptionalUserDependency(OptionalUser[U]):
    """The same, or `None` when nobody is signed in."""

    db: Callable[..., Any] | None = None

    @property
    def __signature__(self) -> inspect.Signature:
        return _signature(self.db)


def _signature(db: Callable[..., Any] | None) -> inspect.Signature:
    """Return what FastAPI reads: the connection, and the application's own database session."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Signature(
        [
            inspect.Parameter("connection", kind, annotation=HTTPConnection),
            inspect.Parameter("db", kind, default=Depends(db), annotation=Any),
        ]
    )


@overload
def current_user(
    auth: Auth[U], *, db: Callable[..., Any], require: Requirement | None = None, optional: Literal[False] = False
) -> UserDependency[U]: ...
@overload
def current_user(
    auth: Auth[U], *, db: Callable[..., Any], require: Requirement | None = None, optional: Literal[True]
) -> OptionalUserDependency[U]: ...
def current_user(
    auth: Auth[U], *, db: Callable[..., Any], require: Requirement | None = None, optional: bool = False
) -> UserDependency[U] | OptionalUserDependency[U]:
    """Return the dependency of the signed-in user: `Annotated[User, Depends(current_user(auth, db=get_db))]`.

    `db` is the application's own dependency, so that what a page changes on the user is what it commits.
    """
    return OptionalUserDependency(auth, require, db) if optional else UserDependency(auth, require, db)
