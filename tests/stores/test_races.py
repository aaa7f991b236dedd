"""Races between two processes, on every engine that processes can share."""

from functools import partial
from pathlib import Path

import pytest

from powauth.redis import RedisStore
from powauth.sqlalchemy.store import SQLAlchemyStore
from powauth.sqlite import SQLiteStore
from powauth.testing.contestants import MakeStore
from powauth.testing.store_races import RaceContract


class TestSQLiteRaces(RaceContract):
    @pytest.fixture
    def make_store(self, tmp_path: Path) -> MakeStore:
        return partial(SQLiteStore, tmp_path / "store.db")


class TestPostgreSQLRaces(RaceContract):
    @pytest.fixture
    def make_store(self, postgres_url: str) -> MakeStore:
        return partial(SQLAlchemyStore, postgres_url)


class TestMariaDBRaces(RaceContract):
    @pytest.fixture
    def make_store(self, mariadb_url: str) -> MakeStore:
        return partial(SQLAlchemyStore, mariadb_url)


class TestRedisRaces(RaceContract):
    @pytest.fixture
    def make_store(self, redis_url: str) -> MakeStore:
        return partial(RedisStore.from_url, redis_url)


class TestRedisRacesWithNearCache(RaceContract):
    @pytest.fixture
    def make_store(self, redis_url: str) -> MakeStore:
        return partial(RedisStore.from_url, redis_url, near_cache=True)
