"""Writing: accounts are made, a batch in a transaction, and none of them twice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from sqlalchemy.exc import DataError, IntegrityError

from powauth.accounts import Accounts, NewAccount
from powauth.auth import Auth
from powauth.cli.importing.fitting import Fitted
from powauth.cli.importing.journal import Journal
from powauth.cli.importing.newcomer import Remark
from powauth.context import Context
from powauth.errors import Taken
from powauth.tenants import Tenant


@runtime_checkable
class AddsMany(Protocol):
    """Accounts that can be stored many at a time."""

    async def add_all(self, news: Sequence[NewAccount], *, now: datetime) -> None:
        """Store all of them or none. Raises `Taken`."""
        ...


Refusals = dict[str, Remark]
"""Why accounts were not written, by their keys."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes the accounts of one tenant."""

    auth: Auth[Any]
    tenant: Tenant
    journal: Journal

    async def settle(self) -> None:
        """Find out what became of accounts that were being written when an import was cut off."""
        unsettled = self.journal.unsettled()
        async with self.auth.begin(tenant=self.tenant, writes=False) as ctx:
            done = {key for key, handle in unsettled if await ctx.accounts.by_handle(handle) is not None}
        self.journal.settle(sorted(done), [key for key, _ in unsettled if key not in done])

    async def write(self, batch: Sequence[Fitted]) -> Refusals:
        """Make the accounts of a batch; return those that the database refused."""
        if not batch:
            return {}
        self.journal.intend(batch)
        async with self.auth.begin(tenant=self.tenant) as ctx:
            refused = await self._add(ctx, batch)
        done = [one.key for one in batch if one.key not in refused]
        self.journal.settle(done, list(refused))
        return refused

    async def look(self, batch: Sequence[Fitted]) -> Refusals:
        """Return which accounts of a batch would be refused because they exist; nothing is written."""
        refused: Refusals = {}
        async with self.auth.begin(tenant=self.tenant, writes=False) as ctx:
            for one in batch:
                if (found := await self._existing(ctx.accounts, one)) is not None:
                    refused[one.key] = found
        return refused

    async def _add(self, ctx: Context, batch: Sequence[Fitted]) -> Refusals:
        if isinstance(ctx.accounts, AddsMany):
            try:
                await ctx.accounts.add_all([one.account for one in batch], now=ctx.now)
            except (Taken, IntegrityError, DataError):
                pass  # then one after the other, to find out which
            else:
                return {}
        refused: Refusals = {}
        for one in batch:
            if (found := await self._add_one(ctx, one)) is not None:
                refused[one.key] = found
        return refused

    async def _add_one(self, ctx: Context, one: Fitted) -> Remark | None:
        try:
            await ctx.accounts.add(one.account, now=ctx.now)
        except Taken as taken:
            return await self._existing(ctx.accounts, one) or taken_by(one, taken.field or "row")
        except (IntegrityError, DataError) as error:  # the values of the row stand in the message: they stay there
            says = f"the application's database refuses it: {type(error).__name__}"
            return Remark("refused", says, "left_out", one.key)
        return None

    async def _existing(self, accounts: Accounts, one: Fitted) -> Remark | None:
        """Return what is said of an account whose address or user name an account has already: that one stays."""
        by: Sequence[tuple[str, str | None, Callable[[str], Any]]] = (
            ("address", one.account.email, accounts.by_email),
            ("user name", one.account.username, accounts.by_username),
        )
        for what, value, find in by:
            found = await find(value) if value is not None else None
            if found is not None:
                former = self.journal.key_of(found.handle)
                whose = f"taken over from {former}" if former else "that was there before"
                says = f"an account {whose} has its {what}: that one stays as it is"
                return Remark("exists", says, "left_out", one.key)
        return None


def taken_by(one: Fitted, field: str) -> Remark:
    """Return what is said of an account that shares another unique column with one that exists."""
    return replace(Remark("exists", f"another account has its {field}", "left_out"), key=one.key)
