"""A house with two providers in memory."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from powauth import Extension
from powauth.extensions.providers import Providers
from powauth.testing import Site
from tests.extensions.providers.fake import Fake, enter
from tests.house import House, all_extensions, house, sign_up


def extensions(*providers: Fake, **settings: Any) -> tuple[Extension, ...]:
    return (*all_extensions(), Providers(providers=providers, **settings))


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
def other() -> Fake:
    return Fake(name="other", issuer="https://other.example")


@pytest.fixture
async def home(tmp_path: Path, fake: Fake, other: Fake) -> AsyncGenerator[House]:
    async with house(tmp_path, extensions=extensions(fake, other)) as opened:
        yield opened


@pytest.fixture
def site(home: House) -> Site:
    return home.site()


@pytest.fixture
async def known(site: Site, other: Fake) -> Site:
    """A browser that came back from a provider with an address that somebody has who is not signed in."""
    other.memory.claims |= {"sub": "9"}
    await sign_up(site.browser())
    answer = await enter(site)
    assert answer.location == "/auth/providers/fake/complete"
    return site
