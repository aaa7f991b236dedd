"""Columns of the application's own that claims fill: at sign-up, and at each sign-in if it asks for that."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from powauth.accounts import Account
from powauth.context import Context
from powauth.errors import InvalidForm, Taken
from powauth.events import SignedIn
from powauth.extensions.providers import identities
from powauth.extensions.providers.identities import factor_of
from powauth.extensions.providers.settings import ProviderSettings
from powauth.operations import change_profile
from powauth.records import is_storable


class Column(Protocol):
    """A column of the application's own."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def type(self) -> type | None:
        """What its values are, where that is known."""
        ...

    @property
    def length(self) -> int | None:
        """How many characters it holds, where that is bounded."""
        ...

    @property
    def most(self) -> int | None:
        """The greatest whole number that it holds, where that is bounded."""
        ...


GREATEST = 2**63 - 1
"""No engine has wider numbers."""


@runtime_checkable
class Described(Protocol):
    """A database that says which columns the application has."""

    def own_columns(self) -> Sequence[Column]:
        """Return them."""
        ...


def values_of(ctx: Context, claims: Mapping[str, Any]) -> dict[str, object]:
    """Return what claims say for columns. What a column cannot hold is left out: no provider's word stops a sign-in."""
    said = {column: claims[name] for column, name in ctx[ProviderSettings].profile.items() if name in claims}
    database = ctx.plan.database
    known = {column.name: column for column in database.own_columns()} if isinstance(database, Described) else {}
    return {name: value for name, value in said.items() if name not in known or holds(known[name], value)}


def holds(column: Column, value: object) -> bool:
    """Say whether a column can hold what a provider says."""
    if isinstance(value, str) and not _is_text(value, column.length):
        return False
    if isinstance(value, int) and abs(value) > (column.most or GREATEST):
        return False
    if column.type is None:
        return True
    return isinstance(value, column.type) and (column.type is bool or not isinstance(value, bool))


def _is_text(value: str, longest: int | None) -> bool:
    return is_storable(value) and (longest is None or len(value) <= longest)


async def bring_up_to_date(event: SignedIn, ctx: Context) -> None:
    """Fill columns anew with what the provider said that somebody just came from; every gate let them in."""
    factors = {proof.factor for proof in event.session.proofs}
    rows = await identities.of_account(ctx, event.account.handle)
    used = identities.newest([row for row in rows if factor_of(row.provider) in factors])
    if used is None:
        return
    values = values_of(ctx, used.claims)
    user = await ctx.accounts.user(event.account)
    changed = {name: value for name, value in values.items() if getattr(user, name) != value}
    await _fill(ctx, event.account, changed)


async def _fill(ctx: Context, account: Account, values: Mapping[str, object]) -> None:
    """Fill columns, but not with what somebody else has in a column that has each only once: or they could keep people
    out by calling themselves as these do at their provider.
    """
    if not values:
        return
    try:
        await change_profile(ctx, account, values)
    except InvalidForm as refused:
        free = without_taken(values, refused)
        await _fill(ctx, account, free if len(free) < len(values) else {})  # not every engine says which one it is


def without_taken(values: Mapping[str, object], refused: InvalidForm) -> dict[str, object]:
    """Return values without those that somebody else has. Raises the refusal itself where it is another one."""
    if not isinstance(refused.__cause__, Taken):
        raise refused
    return {name: value for name, value in values.items() if name not in refused.errors}
