"""A house with somebody in it, and a stranger before it."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.house import House
from tests.withstand.attack import Wire, inhabited


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with inhabited(tmp_path) as opened:
        yield opened


@pytest.fixture
def stranger(home: House) -> Wire:
    return Wire(home.site())
