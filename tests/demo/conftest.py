"""One demo and one Chromium for all stories of a module."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from powauth.demo.data import DATABASE
from powauth.testing import FrozenClock
from tests import servers
from tests.demo.windows import Demo, House, served


@pytest.fixture(scope="module")  # no longer: as long as it is open, no asynchronous test can run in this process
def chromium(chromium_path: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=[*servers.CHROMIUM_FLAGS])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder, clock = tmp_path_factory.mktemp("demo"), FrozenClock()
    with served(folder, clock) as address:
        yield House(address, clock, folder / DATABASE)


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def demo(request: pytest.FixtureRequest, chromium: Browser, house: House) -> Iterator[Demo]:
    house.clock.move(timedelta(hours=2))  # what one story did often is no limit to the next
    demo = Demo(house.address, house.clock, chromium, script=bool(request.param))
    yield demo
    for context in demo.contexts:
        context.close()
