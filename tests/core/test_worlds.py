"""Several worlds of accounts: two `Auth` in one process, tenants, rotated secrets, the application's transaction."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from powauth import (
    ConfigurationError,
    MemoryStore,
    NewAccount,
    Proof,
    SessionSettings,
    Tenant,
    TenantsByHost,
    TokenKind,
    on,
    sign_in,
    sign_up,
)
from powauth.context import Context
from powauth.events import SignedUp
from powauth.testing import FrozenClock, Site
from powauth.tokens import TokenRecord
from tests.house import PASSWORD, SECRET, House, house
from tests.house import sign_up as join

pytestmark = pytest.mark.anyio

OTHER_SECRET = "e1b74c9a60d25f38a7e90c4b1d62f583"
COOKIE = "__Host-powauth-session"


async def is_in(site: Site, **headers: str) -> bool:
    return (await site.get("/account", headers=headers)).status == 200


async def test_a_rotated_secret_keeps_people_signed_in_and_a_removed_one_does_not(tmp_path: Path) -> None:
    """S19."""
    clock = FrozenClock()
    store = MemoryStore(clock)
    async with house(tmp_path, clock=clock, store=store, secret=SECRET) as before:
        ada = before.site()
        await join(ada)
    async with house(tmp_path, clock=clock, store=store, secret=(OTHER_SECRET, SECRET)) as during:
        site = during.site()
        site.jar = dict(ada.jar)
        clock.move(timedelta(minutes=16))
        assert await is_in(site)
    async with house(tmp_path, clock=clock, store=store, secret=OTHER_SECRET) as after:
        old, renewed = after.site(), after.site()
        old.jar, renewed.jar = dict(ada.jar), dict(site.jar)
        assert (await is_in(old), await is_in(renewed)) == (False, True)


async def test_two_auths_with_the_same_secret_and_store_accept_nothing_of_each_other(tmp_path: Path) -> None:
    clock = FrozenClock()
    store = MemoryStore(clock)
    async with house(tmp_path, clock=clock, store=store, name="shop") as shop:
        (tmp_path / "other").mkdir()
        async with house(tmp_path / "other", clock=clock, store=store, name="admin") as admin:
            ada = shop.site()
            await join(ada)
            thief = admin.site()
            thief.jar = {name.replace("shop", "admin"): value for name, value in ada.jar.items()}
            assert (await is_in(ada), await is_in(thief)) == (True, False)


@pytest.fixture
async def tenants(tmp_path: Path) -> AsyncGenerator[House]:
    by_host = TenantsByHost(
        {
            "red.example": Tenant("red", "https://red.example/auth"),
            "blue.example": Tenant("blue", "https://blue.example/auth"),
        }
    )
    async with house(tmp_path, tenant=by_host) as opened:
        yield opened


class Host(Site):
    """A browser whose requests go to one host."""

    host = ""

    def _headers(self, method: str) -> dict[str, str]:
        headers = super()._headers(method) | {"host": self.host}
        return headers | ({"origin": f"https://{self.host}"} if method != "GET" else {})


def visitor(home: House, host: str) -> Host:
    site = Host(home.auth)
    site.host = host
    return site


async def test_one_address_may_have_an_account_in_each_tenant(tenants: House) -> None:
    red, blue = visitor(tenants, "red.example"), visitor(tenants, "blue.example")
    await join(red)
    await join(blue)
    assert (await is_in(red), await is_in(blue)) == (True, True)


async def test_a_session_of_one_tenant_is_refused_in_another(tenants: House) -> None:
    """S16."""
    red, blue = visitor(tenants, "red.example"), visitor(tenants, "blue.example")
    await join(red)
    blue.jar = dict(red.jar)
    assert not await is_in(blue)


async def test_a_password_of_one_tenant_is_wrong_in_another(tenants: House) -> None:
    red, blue = visitor(tenants, "red.example"), visitor(tenants, "blue.example")
    await join(red)
    assert (await blue.post("/sign-in", email="ada@example.com", password=PASSWORD)).status == 401


async def test_an_unknown_tenant_is_not_found(tenants: House) -> None:
    assert (await visitor(tenants, "green.example").get("/sign-in")).status == 404


async def test_another_tenants_origin_is_cross_site(tenants: House) -> None:
    red = visitor(tenants, "red.example")
    headers = {"origin": "https://blue.example"}
    form = {"email": "ada@example.com", "password": PASSWORD}
    assert (await red.send("POST", "/sign-up", form=form, headers=headers)).status == 403


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path) as opened:
        yield opened


async def test_what_powauth_does_inside_the_applications_transaction_is_the_applications_to_commit(home: House) -> None:
    async with home.sessionmaker() as db:
        async with home.auth.begin(db=db) as ctx:
            await sign_up(ctx, NewAccount(email="ada@example.com"), PASSWORD)
        await db.rollback()
    site = home.site()
    assert (await site.post("/sign-in", email="ada@example.com", password=PASSWORD)).status == 401
    assert len(site.outbox) == 0
    async with home.sessionmaker() as db:
        async with home.auth.begin(db=db) as ctx:
            await sign_up(ctx, NewAccount(email="ada@example.com"), PASSWORD)
        await db.commit()
    assert (await site.post("/sign-in", email="ada@example.com", password=PASSWORD)).status == 303
    assert site.outbox.kinds() == ["sign_up.welcome"]


async def test_signing_in_inside_the_applications_transaction_is_refused(home: House) -> None:
    await join(home.site())
    async with home.sessionmaker() as db, home.auth.begin(db=db) as ctx:
        account = await ctx.accounts.by_email("ada@example.com")
        assert account is not None
        proof = Proof(account.handle, account.epoch, "test", ctx.now)
        with pytest.raises(ConfigurationError, match="transaction"):
            await sign_in(ctx, (proof,), transport="cookie")


async def test_what_follows_a_commit_does_not_follow_a_rollback(tmp_path: Path) -> None:
    heard: list[str] = []

    async def note(event: SignedUp, ctx: Context) -> None:
        async def later() -> None:
            heard.append(event.account.label)

        ctx.after_commit(later)

    async with house(tmp_path, hooks=(on(SignedUp, note),)) as home:
        async with home.sessionmaker() as db:
            async with home.auth.begin(db=db) as ctx:
                await sign_up(ctx, NewAccount(email="ada@example.com"), PASSWORD)
            assert heard == []
            await db.rollback()
        assert heard == []
        async with home.auth.begin() as ctx:
            await sign_up(ctx, NewAccount(email="bob@example.com"), PASSWORD)
        assert heard == ["bob@example.com"]


def test_times_that_contradict_each_other_are_refused_at_start() -> None:
    settings = SessionSettings(idle=timedelta(hours=30), renew_every=timedelta(seconds=30), most_per_account=0)
    assert len(settings.problems()) == 3


async def test_what_is_over_is_purged(home: House) -> None:
    kind = TokenKind("test", timedelta(hours=1))
    await join(home.site())
    async with home.auth.begin() as ctx:
        account = await ctx.accounts.by_email("ada@example.com")
        assert account is not None
        await ctx.tokens.mint(kind, account)
    assert await home.auth.purge() == 0
    home.clock.move(timedelta(days=2))
    assert await home.auth.purge() > 0
    async with home.auth.begin(writes=False) as ctx:
        assert await ctx.records(TokenRecord).find() == []
