"""Kept tokens and a certified provider that nobody here wrote: npm's `oidc-provider`, on loopback."""

import asyncio
from pathlib import Path

import pytest

from powauth.clock import SystemClock
from powauth.encryption import AesGcm
from powauth.extensions.providers import ConnectAgain, Providers, identities
from powauth.oauth import Ask
from powauth.oauth.standard import tools as standard_tools
from tests.extensions.providers.keeping import DATA_SECRET, ada, tokens
from tests.house import all_extensions, house, sign_up
from tests.oauth.browser import Browser
from tests.oauth.test_openid_provider import provider, sign_in

pytestmark = pytest.mark.anyio


async def test_a_certified_provider_refreshes_once_for_all_and_says_when_it_is_over(
    openid_url: str, tmp_path: Path
) -> None:
    value, tools = provider(openid_url), standard_tools()
    chosen = (*all_extensions(), Providers(providers=[value], keeps_tokens=True, tools=tools))
    async with house(tmp_path, extensions=chosen, encryption=AesGcm(DATA_SECRET), clock=SystemClock()) as home:
        await sign_up(home.site())
        identity = await sign_in(tools, value, Browser(), Ask(scopes=("offline_access",), prompt="consent"))
        account = await ada(home)
        async with home.auth.begin() as ctx:
            await identities.add(ctx, account.handle, identity)
        first = await tokens(home, "op")
        assert first.access_token == identity.tokens.access_token
        found = await asyncio.gather(*(tokens(home, "op", refused=first) for _ in range(4)))
        assert len({each.access_token for each in found} - {first.access_token}) == 1
        said = await value.userinfo(tools, found[0], subject="ada")
        assert said["email"] == "ada@example.test"
        async with home.auth.begin(writes=False) as ctx:
            (row,) = await identities.of_account(ctx, account.handle)
            kept = await identities.tokens_of(ctx, row)
        assert kept is not None
        await value.revoke(tools, kept.refresh_token or "")
        with pytest.raises(ConnectAgain) as caught:
            await tokens(home, "op", refused=found[0])
        assert caught.value.reason == "refused"
