"""What tests of providers have in common."""

from collections.abc import Iterator

import pytest

from tests.providers.loopback import Loopback, serving


@pytest.fixture
def site() -> Iterator[Loopback]:
    with serving() as site:
        yield site
