"""AccountsContract: what every database adapter promises about accounts, each promise with its breach."""

from datetime import UTC, datetime, timedelta, timezone
from typing import ClassVar

import pytest

from powauth.accounts import Account, AccountId, Changes, Handle, NewAccount, new_handle
from powauth.errors import ConfigurationError, Stale, Taken
from powauth.testing.backend import OTHER, Backend

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


class AccountsContract:
    """Subclass it and define a fixture `backend`, whose user has a text column `name` and a column `rank`."""

    malformed: ClassVar[tuple[str, ...]] = ("", "01", "1.0", " 1", "+1", "x" * 5000, "\x00", "[]", '["a"', "\ud800")
    """What is no id of any account here; extend it with near misses of this kind of key."""

    async def add(self, backend: Backend, email: str = "ada@example.com", **more: str) -> Account:
        """Store an account in a unit of its own."""
        async with backend.unit() as unit:
            return await unit.accounts.add(NewAccount(email=email, **more), now=NOW)  # type: ignore[arg-type]

    async def test_an_account_is_found_by_each_of_its_names(self, backend: Backend) -> None:
        ada = await self.add(backend, username="Ada")
        async with backend.unit(writes=False) as unit:
            assert await unit.accounts.get(ada.id) == ada
            assert await unit.accounts.by_handle(ada.handle) == ada
            assert await unit.accounts.by_email("ADA@example.com") == ada
            assert await unit.accounts.by_username("aDA") == ada

    async def test_an_account_keeps_all_that_it_was_given(self, backend: Backend) -> None:
        new = NewAccount(email="ada@example.com", username="Ada", password_hash="$hash", confirmed_at=NOW)
        async with backend.unit() as unit:
            ada = await unit.accounts.add(new, now=NOW)
        async with backend.unit(writes=False) as unit:
            found = await unit.accounts.by_handle(new.handle)
        assert found
        assert found == ada
        assert found.created_at == found.confirmed_at == NOW
        assert found.password_hash == "$hash"
        assert (found.epoch, found.locked_at, found.locked_by, found.closed_at) == (0, None, None, None)
        assert "$hash" not in repr(found)

    async def test_an_account_from_elsewhere_keeps_its_age_and_its_lock(self, backend: Backend) -> None:
        before = NOW - timedelta(days=900)
        new = NewAccount(email="ada@example.com", created_at=before, locked_at=NOW, locked_by="administrator")
        async with backend.unit() as unit:
            ada = await unit.accounts.add(new, now=NOW)
        assert (ada.created_at, ada.locked_at, ada.locked_by) == (before, NOW, "administrator")
        assert not ada.is_open

    async def test_times_come_back_in_utc_whatever_zone_they_had(self, backend: Backend) -> None:
        ada = await self.add(backend)
        elsewhere = NOW.astimezone(timezone(timedelta(hours=-9)))
        async with backend.unit() as unit:
            locked = await unit.accounts.change(ada, Changes(locked_at=elsewhere, locked_by="limit"))
        assert locked.locked_at
        assert (locked.locked_at, locked.locked_at.utcoffset()) == (NOW, timedelta(0))

    async def test_ids_are_read_strictly_and_malformed_ones_find_nothing(self, backend: Backend) -> None:
        ada = await self.add(backend)
        async with backend.unit(writes=False) as unit:
            for wrong in (
                *self.malformed,
                f" {ada.id}",
                f"{ada.id} ",
                f"0{ada.id}",
                f"{ada.id}\n",
                ada.id.upper() + "A",
            ):
                assert await unit.accounts.get(AccountId(wrong)) is None, wrong

    async def test_no_two_accounts_share_an_id(self, backend: Backend) -> None:
        ids = {(await self.add(backend, f"{number}@example.com")).id for number in range(5)}
        assert len(ids) == 5

    async def test_what_no_engine_stores_is_found_nowhere(self, backend: Backend) -> None:
        await self.add(backend)
        async with backend.unit(writes=False) as unit:
            for wrong in ("ada\x00@example.com", "\ud800", "\x00"):
                assert await unit.accounts.by_email(wrong) is None
                assert await unit.accounts.by_username(wrong) is None
                assert await unit.accounts.by_handle(Handle(wrong)) is None
                assert await unit.accounts.find(contains=wrong) == []

    async def test_a_taken_address_is_told_as_email_however_it_is_spelt(self, backend: Backend) -> None:
        await self.add(backend)
        with pytest.raises(Taken) as taken:
            await self.add(backend, "ADA@Example.com")
        assert taken.value.field == "email"

    async def test_a_taken_user_name_is_told_as_username(self, backend: Backend) -> None:
        await self.add(backend, username="Ada")
        with pytest.raises(Taken) as taken:
            await self.add(backend, "grace@example.com", username="aDa")
        assert taken.value.field == "username"

    async def test_letters_with_accents_are_other_letters(self, backend: Backend) -> None:
        await self.add(backend, "rene@example.com", username="rene")
        other = await self.add(backend, "rené@example.com", username="rené")
        async with backend.unit(writes=False) as unit:
            assert await unit.accounts.by_email("rené@example.com") == other
            assert await unit.accounts.by_username("rené") == other

    async def test_handles_are_compared_byte_by_byte(self, backend: Backend) -> None:
        ada = await self.add(backend)
        async with backend.unit() as unit:
            assert await unit.accounts.by_handle(Handle(ada.handle.upper() + " ")) is None
            assert await unit.accounts.lock(new_handle()) is None

    async def test_several_accounts_may_have_no_address(self, backend: Backend) -> None:
        async with backend.unit() as unit:
            first = await unit.accounts.add(NewAccount(username="ada"), now=NOW)
            second = await unit.accounts.add(NewAccount(username="grace"), now=NOW)
        assert first.email is second.email is None

    async def test_after_a_taken_value_the_unit_goes_on(self, backend: Backend) -> None:
        await self.add(backend)
        async with backend.unit() as unit:
            with pytest.raises(Taken):
                await unit.accounts.add(NewAccount(email="ada@example.com"), now=NOW)
            await unit.accounts.add(NewAccount(email="grace@example.com"), now=NOW)
        async with backend.unit(writes=False) as unit:
            assert len(await unit.accounts.find()) == 2

    async def test_a_change_leaves_what_it_does_not_name(self, backend: Backend) -> None:
        ada = await self.add(backend, username="ada")
        async with backend.unit() as unit:
            changed = await unit.accounts.change(ada, Changes(email="lovelace@example.com", raise_epoch=True))
        assert (changed.email, changed.username, changed.epoch) == ("lovelace@example.com", "ada", 1)
        async with backend.unit(writes=False) as unit:
            assert await unit.accounts.by_email("lovelace@example.com") == changed
            assert await unit.accounts.by_email("ada@example.com") is None

    async def test_a_change_to_a_taken_address_is_refused(self, backend: Backend) -> None:
        ada = await self.add(backend)
        await self.add(backend, "grace@example.com")
        async with backend.unit() as unit:
            with pytest.raises(Taken) as taken:
                await unit.accounts.change(ada, Changes(email="Grace@example.com"))
            assert await unit.accounts.get(ada.id) == ada
        assert taken.value.field == "email"

    async def test_the_epoch_grows_from_what_is_stored_not_from_what_was_read(self, backend: Backend) -> None:
        ada = await self.add(backend)
        async with backend.unit() as unit:
            await unit.accounts.change(ada, Changes(raise_epoch=True))
            assert (await unit.accounts.change(ada, Changes(raise_epoch=True))).epoch == 2

    async def test_a_deleted_account_is_gone_and_stale(self, backend: Backend) -> None:
        ada = await self.add(backend)
        async with backend.unit() as unit:
            await unit.accounts.delete(ada)
        async with backend.unit() as unit:
            assert await unit.accounts.get(ada.id) is None
            with pytest.raises(Stale):
                await unit.accounts.change(ada, Changes(raise_epoch=True))

    async def test_values_fill_the_columns_of_the_application(self, backend: Backend) -> None:
        async with backend.unit() as unit:
            ada = await unit.accounts.add(NewAccount(username="ada", values={"name": "Ada", "rank": 3}), now=NOW)
            await unit.accounts.change(ada, Changes(values={"name": "Countess"}))
        async with backend.unit(writes=False) as unit:
            user = await unit.accounts.user(ada)
        assert (user.name, user.rank, user.username) == ("Countess", 3, "ada")
        assert backend.database.account(user) == ada

    @pytest.mark.parametrize("name", ["missing", "epoch", "tenant", "email_key", "password_hash", "id", "metadata"])
    async def test_values_reach_nothing_else(self, backend: Backend, name: str) -> None:
        ada = await self.add(backend)
        async with backend.unit() as unit:
            with pytest.raises(ConfigurationError):
                await unit.accounts.add(NewAccount(username="eve", values={name: 1}), now=NOW)
            with pytest.raises(ConfigurationError):
                await unit.accounts.change(ada, Changes(values={name: 1}))

    async def test_what_is_rolled_back_never_was(self, backend: Backend) -> None:
        unit = backend.database.unit(backend.schema, OTHER, writes=True)
        await unit.accounts.add(NewAccount(email="ada@example.com"), now=NOW)
        assert unit.has_written
        await unit.rollback()
        async with backend.unit(OTHER, writes=False) as again:
            assert await again.accounts.find() == []

    async def test_pages_show_every_account_once(self, backend: Backend) -> None:
        expected = {(await self.add(backend, f"{number}@example.com")).id for number in range(7)}
        seen: list[AccountId] = []
        async with backend.unit(writes=False) as unit:
            while page := await unit.accounts.find(limit=2, after=seen[-1] if seen else None):
                seen += [account.id for account in page]
        assert len(seen) == 7
        assert set(seen) == expected

    async def test_a_search_takes_its_text_literally(self, backend: Backend) -> None:
        percent = await self.add(backend, "100%_a@example.com")
        await self.add(backend, "100xya@example.com")
        named = await self.add(backend, "x@example.com", username="Hundred")
        async with backend.unit(writes=False) as unit:
            assert await unit.accounts.find(contains="100%_A") == [percent]
            assert await unit.accounts.find(contains="uNDr") == [named]
            assert await unit.accounts.find(after=AccountId("\x00")) == []

    async def test_tenants_see_nothing_of_each_other(self, backend: Backend) -> None:
        ada = await self.add(backend, username="ada")
        async with backend.unit(OTHER) as unit:
            assert await unit.accounts.get(ada.id) is None
            assert await unit.accounts.by_handle(ada.handle) is None
            assert await unit.accounts.by_email("ada@example.com") is None
            assert await unit.accounts.by_username("ada") is None
            assert await unit.accounts.lock(ada.handle) is None
            assert await unit.accounts.find() == []
            await unit.accounts.delete(ada)
            with pytest.raises(Stale):
                await unit.accounts.change(ada, Changes(raise_epoch=True))
            with pytest.raises(Stale):
                await unit.accounts.user(ada)
        async with backend.unit(writes=False) as unit:
            assert await unit.accounts.get(ada.id) == ada

    async def test_tenants_may_use_the_same_address(self, backend: Backend) -> None:
        ada = await self.add(backend)
        async with backend.unit(OTHER) as unit:
            theirs = await unit.accounts.add(NewAccount(email="ada@example.com"), now=NOW)
        assert theirs.handle != ada.handle

    async def test_a_unit_that_has_written_keeps_its_connection(self, backend: Backend) -> None:
        ada = await self.add(backend)
        async with backend.unit() as unit:
            await unit.accounts.get(ada.id)
            seen = [unit.has_written]
            await unit.release()
            await unit.accounts.lock(ada.handle)
            assert [*seen, unit.has_written] == [False, True]
            with pytest.raises(RuntimeError):
                await unit.release()

    async def test_a_unit_opened_to_read_writes_nothing(self, backend: Backend) -> None:
        async with backend.unit(writes=False) as unit:
            with pytest.raises(RuntimeError):
                await unit.accounts.add(NewAccount(email="ada@example.com"), now=NOW)

    async def test_what_waits_for_a_commit_runs_after_it_and_never_after_a_rollback(self, backend: Backend) -> None:
        told: list[str] = []

        async def tell() -> None:
            async with backend.unit(writes=False) as unit:
                told.extend(account.label for account in await unit.accounts.find())

        dropped = backend.database.unit(backend.schema, OTHER, writes=True)
        await dropped.accounts.add(NewAccount(email="eve@example.com"), now=NOW)
        dropped.on_commit(tell)
        await dropped.rollback()
        async with backend.unit() as unit:
            await unit.accounts.add(NewAccount(email="ada@example.com"), now=NOW)
            unit.on_commit(tell)
            assert told == []
        assert told == ["ada@example.com"]
