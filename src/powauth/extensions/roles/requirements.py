"""What a page asks for: `require=role("admin")`."""

from collections.abc import Collection
from dataclasses import dataclass

from powauth.accounts import Account
from powauth.context import Context
from powauth.errors import ConfigurationError, Forbidden, NotSignedIn
from powauth.extension import Extension
from powauth.extensions.roles.operations import roles_of
from powauth.extensions.roles.settings import RolesSettings
from powauth.routing import Requirement


@dataclass(frozen=True, slots=True)
class Role(Requirement):
    """One of these roles, asked of the database each time."""

    any_of: tuple[str, ...]

    async def check(self, ctx: Context) -> None:
        """Raise `NotSignedIn` for nobody, `Forbidden` for whoever has none of them."""
        await self._check(ctx, await ctx.account())

    async def check_again(self, ctx: Context) -> None:
        """Raise the same when a connection that lasts may not go on."""
        account = await ctx.accounts.by_handle(ctx.session.handle)
        if account is None:
            raise NotSignedIn
        await self._check(ctx, account)

    async def _check(self, ctx: Context, account: Account) -> None:
        problems = self.problems(tuple(ctx.plan.extensions.values()))
        if problems:
            raise ConfigurationError(*problems)
        if not set(self.any_of) & set(await roles_of(ctx, account)):
            raise Forbidden

    def problems(self, extensions: Collection[Extension]) -> tuple[str, ...]:
        """Say which role nobody can have."""
        known = next((each.roles for each in extensions if isinstance(each, RolesSettings)), None)
        if known is None:
            return ("role() needs the extension roles: add Roles() to extensions",)
        return tuple(
            f"role({name!r}) is asked for, and Roles(roles=…) names {', '.join(known)}"
            for name in self.any_of
            if name not in known
        )


def role(*any_of: str) -> Role:
    """Return the requirement of one of these roles: `require=role("admin")`. Raises `ConfigurationError` for none."""
    if not any_of:
        raise ConfigurationError('role() names no role: write role("admin")')
    return Role(any_of)
