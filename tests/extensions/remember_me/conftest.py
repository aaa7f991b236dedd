"""A house that remembers, and Ada's browser in it."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from powauth import Extension
from powauth.extensions.remember_me import RememberMe
from powauth.testing import Site
from tests.extensions.remember_me.browser import send
from tests.house import PASSWORD, House, all_extensions, house


def extensions(*more: Extension) -> tuple[Extension, ...]:
    return (*all_extensions(), RememberMe(), *more)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path, extensions=extensions()) as opened:
        yield opened


@pytest.fixture
async def site(home: House) -> Site:
    """Ada's browser, which she asked to be remembered on when she signed up."""
    site = home.site()
    answer = await send(site, "/sign-up", email="ada@example.com", password=PASSWORD, remember=True)
    assert answer.status == 303
    site.outbox.clear()
    return site
