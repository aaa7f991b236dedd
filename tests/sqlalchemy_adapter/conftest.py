"""An empty database on each engine, by each driver."""

from collections.abc import Iterator

import pytest

from tests import servers

DRIVERS = {"sqlite": "sqlite", "asyncpg": "postgres", "psycopg": "postgres", "asyncmy": "mariadb"}


@pytest.fixture(params=[pytest.param(d, marks=[] if d == "sqlite" else [pytest.mark.servers]) for d in DRIVERS])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database, for SQLAlchemy."""
    driver = str(request.param)
    with servers.database(DRIVERS[driver]) as address:
        yield address.replace("asyncpg", driver) if DRIVERS[driver] == "postgres" else address
