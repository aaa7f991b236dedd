"""A house that keeps tokens, and what tests ask of it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from powauth import Extension
from powauth.accounts import Account
from powauth.encryption import AesGcm
from powauth.extensions.providers import tokens_for
from powauth.extensions.providers.settings import ProviderSettings
from powauth.oauth import Tokens
from powauth.testing import Site
from tests.extensions.providers.conftest import extensions
from tests.extensions.providers.fake import Fake, enter
from tests.house import House, house

DATA_SECRET = "0d6f3a58c1b94e7a92f5d08b6e3c17a4"


@asynccontextmanager
async def keeping(
    folder: Path, *providers: Fake, more: tuple[Extension, ...] = (), **settings: Any
) -> AsyncGenerator[House]:
    """Open a house that keeps tokens. Its providers give some that last an hour, and can be refreshed."""
    chosen = extensions(*providers, keeps_tokens=True)
    async with house(folder, extensions=(*chosen, *more), encryption=AesGcm(DATA_SECRET), **settings) as home:
        for provider in providers:
            give(home, provider)
        yield home


def give(home: House, provider: Fake, **changes: Any) -> None:
    """Let a provider give such tokens at the next sign-in."""
    settings = next(each for each in home.auth.plan.extensions.values() if isinstance(each, ProviderSettings))
    tools = replace(settings.tools, clock=home.clock)
    provider.memory.tokens = replace(provider.gives(tools), **changes)


async def signed_up(home: House) -> Site:
    """Let Ada sign up with the provider."""
    site = home.site()
    await enter(site)
    return site


async def ada(home: House) -> Account:
    async with home.auth.begin(writes=False) as ctx:
        account = await ctx.accounts.by_email("ada@example.com")
        assert account is not None
        return account


async def tokens(home: House, name: str = "fake", **named: Any) -> Tokens:
    """Return what an application gets for a call in Ada's name."""
    account = await ada(home)
    async with home.auth.begin() as ctx:
        return await tokens_for(ctx, account, name, **named)


async def kept(home: House) -> list[Any]:
    """Return the rows as they lie in the database."""
    async with home.engine.connect() as db:
        return list((await db.execute(text(f"SELECT * FROM {table(home)}"))).mappings())  # noqa: S608  ours


def table(home: House) -> Any:
    """Return the table that holds them."""
    return next(each for each in home.user.metadata.tables.values() if each.name.endswith("provider_tokens"))


def run_out(home: House) -> None:
    home.clock.move(timedelta(hours=2))
