"""Every link that an extension mails: S14, S15, S16, S17, S18, S20, S21, S45. New ones are held to it at once."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from powauth import Auth
from powauth.accounts import Account, Change, Changes, NewAccount
from powauth.context import Context
from powauth.extensions.invitation import InvitationForm, invite
from powauth.forms import field_names
from powauth.operations import change_credential, close_account, lock_account
from powauth.pages import Page
from powauth.routing import form_of
from powauth.tenants import Tenant, TenantsByHost
from powauth.testing import Answer, Site
from powauth.testing.factor import CodeFactor
from powauth.tokens import TokenKind
from tests.house import House, house, sign_up
from tests.withstand.attack import ADA, database, every_extension, inhabited, stored, unaudited, variants

pytestmark = pytest.mark.anyio

CHANGES: tuple[Change, ...] = ("password", "email", "lock", "factor", "close")
NEEDS_LOCK, NEEDS_CLOSED = "unlock", "reopen"
DATA = {"former": "former@example.com", "email": ADA, "epoch": "0", "proved": "yes"}
REVERTS = {"undo_email", "put_back"}


@dataclass(frozen=True)
class Kind:
    """A kind of link: its token, the page that it leads to, and what is sent there."""

    token: TokenKind
    page: Page

    @property
    def name(self) -> str:
        return self.token.name


def kinds_of(auth: Auth[Any]) -> dict[str, Kind]:
    mails = auth.plan.mail_kinds.values()
    return {kind.token.name: Kind(kind.token, kind.page) for kind in mails if kind.token and kind.page}


NAMES = ("confirm_email", "undo_email", "reset_password", "unlock", "lock_down", "put_back", "reopen", "invitation")
SIGNS_UP = "invitation"
"""Who accepts chooses a password, and is signed in by that: not by the link."""
INVITED = "invited@example.com"


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with inhabited(tmp_path) as opened:
        yield opened


async def ada(home: House) -> Account:
    async with home.auth.begin(writes=False) as ctx:
        account = await ctx.accounts.by_email(ADA)
    assert account
    return account


async def mint(home: House, kind: Kind) -> str:
    """Bring Ada's account into the state that a link is for, and return a link."""
    account = await ada(home)
    async with home.auth.begin() as ctx:
        if kind.name == NEEDS_LOCK:
            await lock_account(ctx, account.handle, by="owner")
        if kind.name == NEEDS_CLOSED:
            await close_account(ctx, account)
    account = await ada(home)
    async with home.auth.begin() as ctx:
        secret = await minted(ctx, kind, account)
    await home.site().deliver()  # what was owed for that
    return home.auth.plan.path(kind.page, token=secret)


async def minted(ctx: Context, kind: Kind, account: Account) -> str:
    """Return the secret of a link that is about this account, or about an invitation."""
    if kind.token.about:
        made = await invite(ctx, None, InvitationForm(email=INVITED))
        return await ctx.tokens.mint(kind.token, made.invitation.subject)
    return await ctx.tokens.mint(kind.token, account, data=DATA if kind.name in REVERTS else {})


async def use(site: Site, kind: Kind, link: str) -> Answer:
    """Press the button."""
    if kind.name == SIGNS_UP:
        return await site.post(link, email=INVITED, password="seven loud purple herons")
    form = form_of(site.auth.plan.pages[kind.page].page)
    return await site.post(link, **dict.fromkeys(field_names(form) if form else (), "seven loud purple herons"))


async def test_these_are_all_that_there_are(home: House) -> None:
    assert set(kinds_of(home.auth)) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
async def test_looking_at_a_link_changes_nothing_however_often(home: House, name: str) -> None:
    """S20: a scanner opens it, and a person still can use it."""
    kind = kinds_of(home.auth)[name]
    link = await mint(home, kind)
    before = unaudited(home), set(stored(home))
    for method in ("GET", "HEAD", "GET"):
        answer = await home.site().send(method, link)
        assert (answer.status, answer.header("referrer-policy")) == (200, "same-origin")
        assert "no-store" in (answer.header("cache-control") or "")
    assert (unaudited(home), set(stored(home))) == before
    assert (await use(home.site(), kind, link)).status == 303


@pytest.mark.parametrize("name", NAMES)
async def test_a_spoiled_link_is_refused_clearly_and_uses_nothing_up(home: House, name: str) -> None:
    """S15, S16."""
    kind = kinds_of(home.auth)[name]
    link = await mint(home, kind)
    head, _, secret = link.rpartition("/")
    spoiled = [bad for bad in variants(secret) if bad and not set(bad) & set('."%')][::9]
    for bad in (secret[:-1], secret * 2, secret + "a", *spoiled):
        if bad.lower() != secret:
            answer = await use(home.site(), kind, f"{head}/{bad}")
            assert (answer.status, "not valid" in answer.text) == (400, True), bad
    assert (await use(home.site(), kind, f"{head}/{secret.upper()}")).status == 303  # mail programs change case


@pytest.mark.parametrize("name", NAMES)
async def test_a_link_of_one_kind_is_refused_on_the_page_of_every_other(home: House, name: str) -> None:
    """S16."""
    kinds = kinds_of(home.auth)
    link = await mint(home, kinds[name])
    secret = link.rpartition("/")[2]
    for other in kinds.values():
        if other.name != name:
            path = home.auth.plan.path(other.page, token=secret)
            assert (await use(home.site(), other, path)).status == 400, other.name
    assert (await use(home.site(), kinds[name], link)).status == 303


@pytest.mark.parametrize("name", NAMES)
async def test_a_link_that_is_used_by_many_at_once_works_once(home: House, name: str) -> None:
    """S17; on every engine and from two processes it is shown for `take`, in tests/durability."""
    kind = kinds_of(home.auth)[name]
    link = await mint(home, kind)
    answers = await asyncio.gather(*(use(home.site(), kind, link) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [303] + [400] * 19


@pytest.mark.parametrize("name", NAMES)
async def test_a_link_outlives_what_its_kind_says_and_nothing_else(home: House, name: str) -> None:
    """S18: the list is data, and this walks it."""
    kind = kinds_of(home.auth)[name]
    for change in CHANGES:
        if (name, change) in {(NEEDS_LOCK, "lock"), (NEEDS_CLOSED, "close")}:
            continue  # it is minted in that state
        link = await mint(home, kind)
        async with home.auth.begin() as ctx:
            await change_credential(ctx, await ctx.lock((await ada(home)).handle), Changes(), change)
        status = (await home.site().get(link)).status
        assert status == (200 if change in kind.token.survives else 400), change
        async with home.auth.begin() as ctx:
            current = await ctx.lock((await ada(home)).handle)
            await ctx.accounts.change(current, Changes(locked_at=None, locked_by=None, closed_at=None))
            await ctx.tokens.revoke(current)


@pytest.mark.parametrize("name", NAMES)
async def test_a_link_is_over_when_its_time_is(home: House, name: str) -> None:
    kind = kinds_of(home.auth)[name]
    link = await mint(home, kind)
    home.clock.move(kind.token.lifetime)
    assert (await home.site().get(link)).status == 400
    assert (await use(home.site(), kind, link)).status == 400


async def test_what_proves_a_mailbox_lives_a_day_at_most(home: House) -> None:
    """S21."""
    for kind in home.auth.plan.token_kinds:
        assert kind.proves is None or kind.lifetime <= timedelta(hours=24), kind.name


@pytest.mark.parametrize("name", NAMES)
async def test_a_dump_of_the_database_opens_nothing(home: House, name: str) -> None:
    """S14: neither the secret nor what it is compared with is of any use in a link."""
    kind = kinds_of(home.auth)[name]
    link = await mint(home, kind)
    head, _, secret = link.rpartition("/")
    dump = "\n".join(database(home))
    assert secret[-40:] not in dump.lower()
    async with home.auth.begin(writes=False) as ctx:
        record = (await ctx.tokens._records.find(where={"kind": kind.name}))[0]
    for found in (record.digest, record.id, record.owner + record.digest):
        assert (await use(home.site(), kind, f"{head}/{found}")).status == 400


@pytest.mark.parametrize("name", [name for name in NAMES if name != SIGNS_UP])
async def test_nobody_is_signed_in_by_a_link(home: House, name: str) -> None:
    kind = kinds_of(home.auth)[name]
    site = home.site()
    link = await mint(home, kind)
    await use(site, kind, link)
    assert site.cookie is None


async def test_a_link_of_another_auth_is_refused(tmp_path: Path) -> None:
    """S16: with the same secret, database and ids."""
    extensions = tuple(known for known in every_extension() if not isinstance(known, CodeFactor))
    async with house(tmp_path, extensions=extensions, name="one") as one:
        await sign_up(one.site(), ADA)
        account = await ada(one)
        async with house(tmp_path, extensions=extensions, name="two") as two:
            for kind in kinds_of(one.auth).values():
                async with one.auth.begin() as ctx:
                    secret = await minted(ctx, kind, account)
                path = two.auth.plan.path(kind.page, token=secret)
                assert (await use(two.site(), kind, path)).status == 400, kind.name


async def test_a_link_of_another_tenant_is_refused(tmp_path: Path) -> None:
    """S16: the account and its link are of one world, the page of another."""
    extensions = tuple(known for known in every_extension() if not isinstance(known, CodeFactor))
    north, south = Tenant("north", "https://north.example/auth"), Tenant("south", "https://south.example/auth")
    hosts = TenantsByHost({"north.example": north, "south.example": south})
    async with house(tmp_path, extensions=extensions, tenant=hosts) as home:
        async with home.auth.begin(tenant=north) as ctx:
            account = await ctx.accounts.add(NewAccount(email=ADA), now=ctx.now)
        for kind in kinds_of(home.auth).values():
            async with home.auth.begin(tenant=north) as ctx:
                secret = await minted(ctx, kind, account)
            path = home.auth.plan.path(kind.page, token=secret)
            there = {"host": "south.example", "origin": "https://south.example"}
            assert (await home.site().send("GET", path, headers=there)).status == 400, kind.name
            if kind.name not in {NEEDS_LOCK, NEEDS_CLOSED}:
                here = {"host": "north.example", "origin": "https://north.example"}
                assert (await home.site().send("GET", path, headers=here)).status == 200, kind.name
