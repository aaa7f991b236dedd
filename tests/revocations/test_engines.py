"""The table on every engine, and for every tenant."""

from datetime import timedelta
from pathlib import Path

import pytest

from powauth import revocations as revocations_module
from powauth.accounts import Handle
from powauth.revocations import Revocations
from powauth.revoking import revoke
from powauth.tenants import Tenant, TenantsByHost
from powauth.testing import FrozenClock
from tests.house import House, house, sign_up
from tests.revocations.forgetful import ForgetfulStore
from tests.revocations.pages import ADA, browser, copied, handle_of, sign_out, status

pytestmark = pytest.mark.anyio

SOMEBODY = Handle("ab" * 16)


def known(home: House, tenant: str = "") -> Revocations:
    found = home.auth.plan.revocations(tenant)
    assert found is not None
    return found


async def test_all_rows_are_read_in_whatever_batches(
    database_url: str, clock: FrozenClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocations_module, "BATCH", 3)
    store = ForgetfulStore(clock)
    async with (
        house(tmp_path, url=database_url, store=store, clock=clock) as one,
        house(tmp_path, url=database_url, store=store, clock=clock) as two,
    ):
        site = browser(one)
        await sign_up(site)
        ended = copied(site, two)
        assert await status(ended) == 200
        fail_over = store.copy()
        await sign_out(site)
        for number in range(7):  # some at one time, some a microsecond later
            clock.move(timedelta(microseconds=number // 4))
            async with one.auth.begin() as ctx:
                revoke(ctx, SOMEBODY, ended=str(number))
        fail_over()
        assert await status(ended) == 401
        assert known(two).count == 8


async def test_what_ended_in_one_tenant_is_nothing_to_another(clock: FrozenClock, tmp_path: Path) -> None:
    tenants = {f"{name}.example.com": Tenant(name, f"https://{name}.example.com/auth") for name in ("red", "blue")}
    store = ForgetfulStore(clock)
    async with house(tmp_path, store=store, clock=clock, tenant=TenantsByHost(tenants)) as home:
        red, blue = tenants.values()
        async with home.auth.begin(tenant=red) as ctx:
            revoke(ctx, SOMEBODY, ended="one")
        for tenant, count in ((red, 1), (blue, 0)):
            await known(home, tenant.id).look()
            assert known(home, tenant.id).count == count


async def test_a_unit_of_work_that_is_undone_ends_nothing(home: House, store: ForgetfulStore) -> None:
    site = browser(home)
    await sign_up(site)
    handle = await handle_of(home, ADA)
    with pytest.raises(RuntimeError):
        await _undone(home, handle)
    store.copy()()
    assert await status(site) == 200
    assert known(home).count == 0


async def _undone(home: House, handle: Handle) -> None:
    async with home.auth.begin() as ctx:
        revoke(ctx, handle, epoch=5)
        raise RuntimeError
