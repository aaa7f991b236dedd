"""Work on an application's accounts: with its database and store open, and everything closed afterwards."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar, runtime_checkable

import click

from powauth.accounts import Account, AccountId, Accounts, Handle
from powauth.auth import Auth
from powauth.cli.failures import Failure, Misused, answered
from powauth.context import NOBODY, Caller
from powauth.errors import StoreUnavailable
from powauth.operations import find_account
from powauth.stores import MemoryStore
from powauth.tenants import Tenant

C = TypeVar("C", bound=Callable[..., Any])
T = TypeVar("T")

SPARED = "sessions are in the memory of the process that serves the application, where no command reaches them"


@runtime_checkable
class Pooled(Protocol):
    """A database whose connections outlive its work."""

    async def dispose(self) -> None:
        """Close them."""
        ...


def run(auth: Auth[Any], work: Callable[[], Awaitable[T]], *, store_may_be_away: bool = False) -> T:
    """Return what the work returns. What Powauth raises becomes a `Failure`.

    `store_may_be_away` where the work can be done without the store if what ends stands in the database, too.
    """
    with answered(auth.plan.words()):
        return asyncio.run(_opened(auth, work, store_may_be_away=store_may_be_away and auth.plan.revokes))


async def _opened(auth: Auth[Any], work: Callable[[], Awaitable[T]], *, store_may_be_away: bool) -> T:
    try:
        try:
            await auth.open()
        except StoreUnavailable:  # what is opened last
            if not store_may_be_away:
                raise
        return await work()
    finally:
        await auth.close()
        if isinstance(auth.database, Pooled):  # the process ends here, and with it the loop of its connections
            await auth.database.dispose()


def operator() -> Caller:
    """Return who works here, as the system calls them: what they do is written down with that name."""
    try:
        return Caller(operator=getpass.getuser())
    except (OSError, KeyError, ImportError):  # a container may run as a number that has no name
        return NOBODY


def tenant_option(command: C) -> C:
    """Give a command the id of `--tenant`, as its argument `tenant`; `tenant_of` makes a tenant of it."""
    return click.option("--tenant", metavar="ID", help="Whose accounts, where there are tenants.")(command)


def tenant_of(auth: Auth[Any], named: str | None) -> Tenant:
    """Return the tenant of this id, or the only one, once the `Auth` is open. Raises `Misused`."""
    tenants = {tenant.id: tenant for tenant in auth.plan.all_tenants()}
    if named is None and len(tenants) == 1:
        return next(iter(tenants.values()))
    if auth.plan.tenants is None:
        raise Misused("this application has no tenants: leave --tenant away", code="no_tenant")
    if not tenants:
        raise Misused("this application has no tenants yet", code="no_tenant")
    if named is None or named not in tenants:
        raise Misused(f"which tenant? --tenant is one of {', '.join(sorted(tenants))}", code="no_tenant")
    return tenants[named]


async def found(accounts: Accounts, named: str) -> Account:
    """Return the account with this address, user name, id or handle. Raises `Failure`."""
    account = await find_account(accounts, named)
    if account is None and "\0" not in named:
        account = await accounts.by_handle(Handle(named)) or await accounts.get(AccountId(named))
    if account is None:
        message = f"no account has the address, user name, id or handle {named!r}: `powauth accounts list` has them all"
        raise Failure(message, code="no_account")
    return account


def keeps_sessions_to_itself(auth: Auth[Any]) -> bool:
    """Whether the sessions are in another process's memory."""
    return isinstance(auth.plan.store, MemoryStore)
