"""The house where some may invite."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from powauth.testing import Site
from tests.extensions.invitation.rooms import Room, inside, room


@pytest.fixture
async def place(tmp_path: Path) -> AsyncGenerator[Room]:
    async with room(tmp_path) as opened:
        yield opened


@pytest.fixture
async def ada(place: Room) -> Site:
    """Ada's browser: she may invite, and give any role."""
    return await inside(place)
