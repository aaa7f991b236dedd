"""The contracts, on every engine, by every driver, with primary keys of every kind."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from powauth.testing.accounts_contract import AccountsContract
from powauth.testing.backend import Backend
from powauth.testing.records_contract import SCHEMA, RecordsContract
from tests.sqlalchemy_adapter import models


class TestRecords(RecordsContract):
    @pytest.fixture
    async def backend(self, url: str) -> AsyncIterator[Backend]:
        async with models.app_on(url, models.with_uuid, SCHEMA) as backend:
            yield backend


class TestAccountsWithUuids(AccountsContract):
    malformed = (*AccountsContract.malformed, "0" * 32, "{00000000-0000-0000-0000-000000000000}", "urn:uuid:1")

    @pytest.fixture
    async def backend(self, url: str) -> AsyncIterator[Backend]:
        async with models.app_on(url, models.with_uuid, SCHEMA) as backend:
            yield backend


class OnEachEngine(AccountsContract):
    @staticmethod
    def model() -> type[Any]:
        raise NotImplementedError

    @pytest.fixture
    async def backend(self, database_url: str) -> AsyncIterator[Backend]:
        async with models.app_on(database_url, self.model, SCHEMA) as backend:
            yield backend


class TestAccountsWithIntegers(OnEachEngine):
    model = staticmethod(models.with_integer)
    malformed = (*AccountsContract.malformed, "-0", "1_0", "٣", "1e0", str(2**31), str(2**63), str(-(2**63) - 1))


class TestAccountsWithTexts(OnEachEngine):
    model = staticmethod(models.with_text)
    malformed = (*AccountsContract.malformed, "USR_", "usr_%")


class TestAccountsWithTwoColumns(OnEachEngine):
    model = staticmethod(models.with_two_columns)
    malformed = (*AccountsContract.malformed, '["eu"]', '["eu","1"]', '["eu", "1"]', "[1,2]", "[" * 2000, '{"a":1}')
