"""Servers of stores and databases, started for one row alone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from tests import servers as databases


@contextmanager
def postgres_url() -> Iterator[str]:
    """Start PostgreSQL for this row alone."""
    with own_servers(), databases.database("postgres") as url:
        yield url


@contextmanager
def valkey_url() -> Iterator[str]:
    """Start Valkey for this row alone."""
    with own_servers():
        yield databases.empty_valkey()


@contextmanager
def own_servers() -> Iterator[None]:
    """End what is started meanwhile."""
    folder = databases.begin_run()
    try:
        yield
    finally:
        databases.end_run(folder)
        os.environ.pop(databases.RUN, None)
