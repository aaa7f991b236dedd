"""A house with everything in it, and what is written down there."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from powauth.testing import Site
from tests.house import House, house, whole_house


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path, extensions=whole_house()) as opened:
        yield opened


@pytest.fixture
def site(home: House) -> Site:
    return home.site()
