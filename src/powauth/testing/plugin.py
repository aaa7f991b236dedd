"""Fixtures for the tests of an application."""

import pytest

from powauth.testing.clock import FrozenClock
from powauth.testing.outbox import Outbox


@pytest.fixture
def powauth_clock() -> FrozenClock:
    """A clock that stands until the test moves it: `Auth(clock=powauth_clock)`."""
    return FrozenClock()


@pytest.fixture
def powauth_outbox() -> Outbox:
    """A mailer that keeps what it was given: `Auth(mailer=powauth_outbox)`."""
    return Outbox()
