"""One process of an application, and another one."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from powauth.testing import FrozenClock
from tests.house import House, house
from tests.revocations.forgetful import ForgetfulStore


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def store(clock: FrozenClock) -> ForgetfulStore:
    return ForgetfulStore(clock)


@pytest.fixture
async def home(store: ForgetfulStore, clock: FrozenClock, tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path, store=store, clock=clock, engine_settings={"connect_args": {"timeout": 0}}) as found:
        yield found


@pytest.fixture
async def other(home: House, store: ForgetfulStore, clock: FrozenClock, tmp_path: Path) -> AsyncGenerator[House]:
    """Another process of the same application: it shares database and store, and nothing else."""
    async with house(tmp_path, store=store, clock=clock) as found:
        yield found
