"""Late: identities that were set aside by an earlier run, and have their place by now.

Nothing comes back that its owner removed: an identity that was connected once is not among those that are set aside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from powauth.accounts import Account, Handle
from powauth.auth import Auth
from powauth.cli.importing.claims import Claims, of_identity
from powauth.cli.importing.connecting import Connecting, Placed, taken
from powauth.cli.importing.journal import Journal
from powauth.cli.importing.newcomer import Newcomer, Remark
from powauth.cli.importing.writing import connect
from powauth.context import Context
from powauth.tenants import Tenant

CHANGED = "its identities stay set aside: its owner changed how they sign in since, and connects them there"


@dataclass(frozen=True, slots=True)
class Latecomers:
    """Connects the identities of accounts that an earlier run took over."""

    auth: Auth[Any]
    tenant: Tenant
    journal: Journal
    connecting: Connecting
    claims: Claims
    dry_run: bool

    async def connect(self, known: Sequence[Newcomer]) -> tuple[int, list[Remark]]:
        """Return how many identities are connected, or would be, and what is to be known of the others."""
        connected, remarks = 0, list[Remark]()
        waiting = [one for one in known if self._placed(one)]
        for one in waiting:
            placed, said = await self._connect(one, self._placed(one))
            connected += len(placed)
            remarks += [replace(remark, key=one.key) for remark in said]
        return connected, remarks

    def _placed(self, newcomer: Newcomer) -> tuple[Placed, ...]:
        if self.connecting.extension is None or not newcomer.identities:
            return ()
        _, waiting = self.journal.waiting(newcomer.key)
        mine = [
            known
            for known in dict.fromkeys(newcomer.identities)
            if replace(known, is_subject=True) in waiting
            and not self.claims.rivals(of_identity(known), is_proved=False)
        ]
        return self.connecting.sort(mine)[0]

    async def _connect(self, one: Newcomer, placed: Sequence[Placed]) -> tuple[Sequence[Placed], list[Remark]]:
        handle, _ = self.journal.waiting(one.key)
        async with self.auth.begin(tenant=self.tenant, writes=not self.dry_run) as ctx:
            account = await (ctx.accounts.by_handle if self.dry_run else ctx.accounts.lock)(handle)
            if account is None:
                return (), []
            if not _is_as_it_was(account, one):
                return (), [Remark("identities", CHANGED)]
            free, theirs = await self._free(ctx, account, placed)
            if not self.dry_run:
                await connect(ctx, self.connecting.extension, account.handle, free)
        if not self.dry_run:
            self.journal.found_place(one.key, [each.identity for each in placed if each not in theirs])
        return free, [taken(each).remark for each in theirs]

    async def _free(
        self, ctx: Context, account: Account, placed: Sequence[Placed]
    ) -> tuple[list[Placed], list[Placed]]:
        """Return the identities that nobody has, and those that others have."""
        owners: Mapping[tuple[str, str], Handle] = {}
        if self.connecting.extension is not None:
            owners = await self.connecting.extension.owners(ctx, [each.key for each in placed])
        free = [each for each in placed if each.key not in owners]
        return free, [each for each in placed if owners.get(each.key, account.handle) != account.handle]


def _is_as_it_was(account: Account, newcomer: Newcomer) -> bool:
    """Say whether an account's ways in are still those that it was taken over with.

    Whoever signed up there with an address that they never proved must not come into an account that its mailbox's
    owner confirmed here since.
    """
    return account.epoch == 0 and (newcomer.is_proved or not account.is_confirmed)
