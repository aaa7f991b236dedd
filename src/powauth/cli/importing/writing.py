"""Writing: accounts are made, a batch in a transaction, and none of them twice."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from sqlalchemy.exc import DataError, IntegrityError

from powauth.accounts import Account, Accounts, Handle, NewAccount, email_key, username_key
from powauth.auth import Auth
from powauth.cli.failures import Failure
from powauth.cli.importing.connecting import Placed, TakesIdentities, taken
from powauth.cli.importing.fitting import Fitted
from powauth.cli.importing.journal import Journal
from powauth.cli.importing.newcomer import Remark
from powauth.context import Context
from powauth.errors import Taken
from powauth.extensions.roles.records import RoleRecord
from powauth.tenants import Tenant


@runtime_checkable
class ManyAtOnce(Protocol):
    """Accounts that can be looked for and stored many at a time."""

    async def holders(self, news: Sequence[NewAccount]) -> Sequence[Account]:
        """Return the accounts that have the address or the user name of one of these."""
        ...

    async def add_all(self, news: Sequence[NewAccount], *, now: datetime) -> None:
        """Store all of them or none. Raises `Taken`."""
        ...


Refusals = dict[str, Remark]
"""Why accounts were not written, by their keys."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a batch."""

    made: Sequence[Fitted]
    refused: Refusals


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes the accounts of one tenant."""

    auth: Auth[Any]
    tenant: Tenant
    journal: Journal
    identities: TakesIdentities | None = None
    """Who has a place for identities."""

    async def settle(self) -> None:
        """Find out what became of accounts that were being written when an import was cut off."""
        unsettled = self.journal.unsettled()
        async with self.auth.begin(tenant=self.tenant, writes=False) as ctx:
            done = {key for key, handle in unsettled if await ctx.accounts.by_handle(handle) is not None}
        self.journal.settle(sorted(done), [key for key, _ in unsettled if key not in done])

    async def write(self, batch: Sequence[Fitted]) -> Written:
        """Make the accounts of a batch."""
        looked = await self.look(batch)
        if not looked.made:
            return looked
        self.journal.intend(looked.made)
        async with self.auth.begin(tenant=self.tenant) as ctx:
            failed = await self._add(ctx, looked.made)
            made = [one for one in looked.made if one.key not in failed]
            await _grant(ctx, made)
            await self._connect(ctx, made)
        self.journal.settle([one.key for one in made], list(failed))
        return Written(made, {**looked.refused, **failed})

    async def look(self, batch: Sequence[Fitted]) -> Written:
        """Return what would become of a batch; nothing is written."""
        async with self.auth.begin(tenant=self.tenant, writes=False) as ctx:
            refused = self._refused(batch, await holders_of(ctx.accounts, [one.account for one in batch]))
            fresh = [one for one in batch if one.key not in refused]
            owned = set(await self._owners(ctx, fresh))
        return Written([_without_taken(one, owned) for one in fresh], refused)

    def _refused(self, batch: Sequence[Fitted], holders: Sequence[Account]) -> Refusals:
        emails = {email_key(known.email): known for known in holders if known.email is not None}
        usernames = {username_key(known.username): known for known in holders if known.username is not None}
        refused: Refusals = {}
        for one in batch:
            new = one.account
            if new.email is not None and (known := emails.get(email_key(new.email))):
                refused[one.key] = self._exists(one, "address", known)
            elif new.username is not None and (known := usernames.get(username_key(new.username))):
                refused[one.key] = self._exists(one, "user name", known)
        return refused

    async def _owners(self, ctx: Context, batch: Sequence[Fitted]) -> Collection[tuple[str, str]]:
        keys = [placed.key for one in batch for placed in one.identities]
        return await self.identities.owners(ctx, keys) if self.identities and keys else ()

    async def _connect(self, ctx: Context, made: Sequence[Fitted]) -> None:
        """Give new accounts their identities: nobody connected them here, and there is no session to end."""
        for one in made:
            await connect(ctx, self.identities, one.account.handle, one.identities)

    def _exists(self, one: Fitted, what: str, known: Account) -> Remark:
        former = self.journal.key_of(known.handle)
        whose = f"taken over from {former}" if former else "that was there before"
        says = f"an account {whose} has its {what}: that one stays as it is"
        return Remark("exists", says, "left_out", one.key)

    async def _add(self, ctx: Context, batch: Sequence[Fitted]) -> Refusals:
        if isinstance(ctx.accounts, ManyAtOnce):
            try:
                await ctx.accounts.add_all([one.account for one in batch], now=ctx.now)
            except (Taken, IntegrityError, DataError):
                pass  # then one after the other, to find out which
            else:
                return {}
        found = [await self._add_one(ctx, one) for one in batch]
        return {refused.key: refused for refused in found if refused is not None}

    async def _add_one(self, ctx: Context, one: Fitted) -> Remark | None:
        try:
            await ctx.accounts.add(one.account, now=ctx.now)
        except Taken as taken:
            says = f"another account has its {taken.field or 'value'} in a column that has each only once"
            return Remark("exists", says, "left_out", one.key)
        except (IntegrityError, DataError) as error:  # the values of the row stand in the message: they stay there
            says = f"the application's database refuses it: {type(error).__name__}"
            return Remark("refused", says, "left_out", one.key)
        return None


async def _grant(ctx: Context, made: Sequence[Fitted]) -> None:
    """Give new accounts their roles: nobody granted them here, and there is no session to replace."""
    for one in made:
        for role in one.roles:
            record = RoleRecord(account=one.account.handle, role=role, granted_at=ctx.now)
            await ctx.records(RoleRecord).add(record)


async def connect(ctx: Context, extension: TakesIdentities | None, owner: Handle, identities: Sequence[Placed]) -> None:
    """Make identities an account's. Raises `Failure` where somebody came from a provider with one this very moment."""
    for placed in identities:
        if extension is None:
            return
        try:
            subject = placed.identity.subject
            await extension.take_over(ctx, owner, provider=placed.provider, issuer=placed.issuer, subject=subject)
        except Taken as error:
            raise Failure("somebody signed up meanwhile: run the import again", code="unavailable") from error


def _without_taken(one: Fitted, owned: set[tuple[str, str]]) -> Fitted:
    """Return an account without the identities that somebody has; those that it gets are had by it from here on."""
    homeless = [taken(placed) for placed in one.identities if placed.key in owned]
    free = tuple(placed for placed in one.identities if placed.key not in owned)
    owned.update(placed.key for placed in free)
    return replace(
        one,
        identities=free,
        lost_identities=(*one.lost_identities, *(each.identity for each in homeless)),
        remarks=(*one.remarks, *(replace(each.remark, key=one.key) for each in homeless)),
    )


async def holders_of(accounts: Accounts, news: Sequence[NewAccount]) -> Sequence[Account]:
    """Return the accounts that have the address or the user name of one of these."""
    if isinstance(accounts, ManyAtOnce):
        return await accounts.holders(news)
    found = [await accounts.by_email(new.email) for new in news if new.email is not None]
    found += [await accounts.by_username(new.username) for new in news if new.username is not None]
    return [account for account in found if account is not None]
