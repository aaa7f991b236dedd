"""Two processes want the same thing at once: one gets it. Each race has a twin that reads, waits and writes, and fails.

Two shops on one address share nothing but what lasts: engines, pools, stores and connections are their own.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from powauth import operations
from powauth.accounts import Account, NewAccount
from powauth.context import Context
from powauth.errors import AuthError, NotSignedIn
from powauth.mail import Mail
from powauth.operations import changes, signing_in
from powauth.outbox import LEASE, OutboxRecord
from powauth.pending import Parking, Pending
from powauth.sender import Sender
from powauth.session import Proof, Session
from powauth.sessions import Sessions
from powauth.stores import Key, Store
from powauth.testing import Answer, Outbox, Site
from powauth.testing.factor import CodeFactor
from powauth.tokens import Token, TokenKind, Tokens
from powauth.units import begin, persistently
from tests.durability.shop import (
    NEW_PASSWORD,
    VOUCHER,
    Paused,
    account_of,
    extensions,
    heard,
    mint,
    sessions_of,
    shop,
    signed_in,
    signed_up,
)
from tests.house import PASSWORD, House

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"
Hear = Callable[[str, str], Awaitable[None]]


@dataclass(frozen=True)
class Two:
    """Two applications on one database and one store."""

    first: House
    second: House

    @property
    def both(self) -> tuple[House, House]:
        return self.first, self.second


@asynccontextmanager
async def two(url: str, **settings: Any) -> AsyncGenerator[Two]:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(shop(url, **settings))
        second = await stack.enter_async_context(shop(url, clock=first.clock, **settings))
        yield Two(first, second)


class Meeting:
    """Where two meet between reading and writing; whoever comes alone goes on after a moment."""

    def __init__(self, parties: int = 2, *, patience: float = 5) -> None:
        self._barrier = asyncio.Barrier(parties)
        self._patience = patience

    async def wait(self) -> None:
        with suppress(TimeoutError, asyncio.BrokenBarrierError):
            async with asyncio.timeout(self._patience):
                await self._barrier.wait()


# ---- sign-up ----


async def sign_ups(homes: Two, times: int) -> list[Answer]:
    sites = [
        homes.both[number % 2].site(accept="application/json", client=f"10.0.0.{number}") for number in range(times)
    ]
    return await asyncio.gather(*(site.post("/sign-up", email=ADA, password=PASSWORD) for site in sites))


async def accounts_in(home: House) -> int:
    async with home.auth.begin(writes=False) as ctx:
        return len(await ctx.accounts.find(limit=200))


async def test_a_hundred_sign_ups_for_one_address_make_one_account(database_url: str) -> None:
    async with two(database_url) as homes, asyncio.timeout(120):
        answers = await sign_ups(homes, 100)
        assert sorted({answer.status for answer in answers}) == [201, 422]
        assert [answer.status for answer in answers].count(201) == 1
        refused = [answer.json["errors"] for answer in answers if answer.status == 422]
        assert {error["email"][0]["code"] for error in refused} == {"taken"}
        assert await accounts_in(homes.first) == 1


async def test_the_twin_that_looks_first_and_has_no_unique_column_makes_two(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = Meeting()

    async def sign_up(ctx: Context, new: NewAccount, password: str, **_: object) -> operations.Authentic:
        async with ctx.reading() as accounts:
            found = await accounts.by_email(new.email or "")
        await meeting.wait()
        if found:
            raise AuthError
        account = await ctx.accounts.add(new, now=ctx.now)
        return operations.Authentic(account, Proof(account.handle, 0, "password", ctx.now))

    monkeypatch.setattr("powauth.extensions.sign_up.handlers.sign_up", sign_up)
    async with two(database_url) as homes:
        await drop_unique_addresses(homes.first)
        await sign_ups(homes, 2)
        async with homes.first.engine.connect() as db:
            found = (await db.execute(text("SELECT count(*) FROM users"))).scalar_one()
        assert found == 2


async def drop_unique_addresses(home: House) -> None:
    """Make the users' table anew without anything unique but its key."""
    table = home.user.__table__
    async with home.engine.begin() as db:
        await db.run_sync(table.drop)
        for constraint in [item for item in table.constraints if type(item).__name__ == "UniqueConstraint"]:
            table.constraints.discard(constraint)
        for index in [item for item in table.indexes if item.unique]:
            table.indexes.discard(index)
        await db.run_sync(table.create)


# ---- tokens (S17) ----


async def redemptions(homes: Two, voucher: str, times: int) -> list[int]:
    sites = [
        homes.both[number % 2].site(accept="application/json", client=f"10.0.0.{number}") for number in range(times)
    ]
    return [
        answer.status for answer in await asyncio.gather(*(site.post("/redeem", voucher=voucher) for site in sites))
    ]


async def test_a_hundred_uses_of_one_token_succeed_once(database_url: str) -> None:  # S17
    async with two(database_url) as homes, asyncio.timeout(120):
        await signed_up(homes.first)
        statuses = await redemptions(homes, await mint(homes.first, VOUCHER, ADA), 100)
        assert sorted(statuses) == [200, *[400] * 99]
        assert len(await heard(homes.first, "redeemed")) == 1


async def test_the_twin_that_peeks_and_then_deletes_is_used_twice(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = Meeting()
    async with two(database_url) as homes:

        async def take(self: Tokens, kind: TokenKind, secret: str) -> Token:
            async with homes.first.auth.begin(writes=False) as ctx:
                token = await ctx.tokens.peek(kind, secret)
            await meeting.wait()
            await self._records.delete_all(where={"id": token.record.id})
            return token

        await signed_up(homes.first)
        voucher = await mint(homes.first, VOUCHER, ADA)
        monkeypatch.setattr(Tokens, "take", take)
        assert await redemptions(homes, voucher, 2) == [200, 200]


# ---- ending a session beats what is in flight ----


async def new_session(home: House, email: str = ADA) -> Session:
    async with home.auth.begin() as ctx:
        account = await ctx.accounts.by_email(email)
        assert account
        session = ctx.sessions.new(
            account, (Proof(account.handle, account.epoch, "password", ctx.now),), transport="cookie"
        )
        await ctx.sessions.start(session)
    return session


def sessions_with(home: House, wrap: Callable[[Store], Store]) -> Sessions:
    """Return the sessions of an application through a store that has something put before it."""
    plan = home.auth.plan
    return Sessions(
        wrap(plan.store), plan.signer, plan.clock, plan.session_settings, name=plan.name, tenant=plan.single.id
    )


class Naive(Paused):
    """A store whose compare-and-set compares first and puts afterwards."""

    async def replace(self, key: Key, value: bytes, *, version: int, expires_at: Any) -> bool:
        found = await self.store.get(key)
        if self.before:
            await self.before("replace", key.kind)
        if found is None or found.version != version:
            return False
        await self.store.put(key, value, expires_at=expires_at)
        return True


async def touch(sessions: Sessions, home: House, session: Session) -> None:
    home.clock.move(timedelta(minutes=2))
    await sessions.find(sessions.secret(session), "cookie")


async def renew(sessions: Sessions, home: House, session: Session) -> None:
    home.clock.move(timedelta(minutes=16))
    await sessions.find(sessions.secret(session, session.generation + 1), "cookie")


async def step_up(sessions: Sessions, home: House, session: Session) -> None:
    proof = Proof(session.handle, session.epochs[0], "test_code", home.clock.now())
    with suppress(NotSignedIn):
        await sessions.raise_to(session, sessions.raised(session, proof))


async def restamp(sessions: Sessions, home: House, session: Session) -> None:
    account = await account_of(home, ADA)
    assert account
    with suppress(NotSignedIn):
        await sessions.restamp(session, sessions.renamed(session, account, epoch=account.epoch + 1))


InFlight = Callable[[Sessions, House, Session], Awaitable[None]]
IN_FLIGHT: dict[str, InFlight] = {"touch": touch, "renewal": renew, "step-up": step_up, "restamp": restamp}


End = Callable[[Sessions, Session], Awaitable[Any]]


async def end(sessions: Sessions, session: Session) -> None:
    await sessions.end(session)


async def end_public(sessions: Sessions, session: Session) -> None:
    await sessions.end_public(session.handle, session.public_id)


async def end_all(sessions: Sessions, session: Session) -> None:
    await sessions.end_others(session.handle, keep=None)


class EndsAmid:
    """Ends a session just before the n-th call with which something in flight may write."""

    def __init__(self, number: int, end: Callable[[], Awaitable[Any]]) -> None:
        self._left = number
        self._end = end

    async def __call__(self, verb: str, _kind: str) -> None:
        if verb in {"put", "replace", "take", "delete", "delete_all"}:
            self._left -= 1
            if self._left == 0:
                await self._end()

    @property
    def has_ended(self) -> bool:
        return self._left <= 0


async def end_amid(homes: Two, what: str, ending: End, number: int) -> tuple[bool, list[Session]]:
    """Have one application end a session amid a write of the other's; say whether it came to that, and what is left."""
    theirs = homes.second.auth.plan.sessions("")
    session = await new_session(homes.first)
    hear = EndsAmid(number, lambda: ending(theirs, session))
    await IN_FLIGHT[what](sessions_with(homes.first, lambda store: Paused(store, before=hear)), homes.first, session)
    left = [known for known in await theirs._all(session.handle) if known.public_id == session.public_id]
    await theirs.end_others(session.handle, keep=None)
    return hear.has_ended, left


WRITES = {"touch": 1, "renewal": 1, "step-up": 2, "restamp": 3}
"""The calls with which each may write, when nothing comes between."""


@pytest.mark.parametrize("what", list(IN_FLIGHT))
@pytest.mark.parametrize("ending", [end, end_public, end_all])
async def test_ending_a_session_beats_whatever_is_in_flight(database_url: str, what: str, ending: End) -> None:
    async with two(database_url) as homes, asyncio.timeout(60):
        await signed_up(homes.first)
        for number in range(1, WRITES[what] + 1):
            if ending is end and what == "restamp" and number == 3:
                continue  # its former id is over by then: there is nothing to end under it
            assert await end_amid(homes, what, ending, number) == (True, []), number
        has_ended, left = await end_amid(homes, what, ending, WRITES[what] + 1)
        assert (has_ended, len(left) >= 1) == (False, True)  # all writes were walked, and undisturbed they stand


@pytest.mark.parametrize("what", ["touch", "renewal", "step-up"])
async def test_the_twin_that_gets_and_then_puts_revives_what_was_ended(database_url: str, what: str) -> None:
    async with two(database_url) as homes, asyncio.timeout(60):
        await signed_up(homes.first)
        theirs = homes.second.auth.plan.sessions("")
        session = await new_session(homes.first)
        hear = EndsAmid(1, lambda: theirs.end_others(session.handle, keep=None))
        sessions = sessions_with(homes.first, lambda store: Naive(store, before=hear))
        await IN_FLIGHT[what](sessions, homes.first, session)
        assert [known for known in await theirs._all(session.handle) if known.public_id == session.public_id]


async def test_the_twin_of_a_restamp_that_does_not_ask_whether_it_was_ended_revives(database_url: str) -> None:
    async with two(database_url) as homes:
        await signed_up(homes.first)
        account = await account_of(homes.first, ADA)
        assert account
        theirs = homes.second.auth.plan.sessions("")
        session = await new_session(homes.first)
        sessions = homes.first.auth.plan.sessions("")
        renamed = sessions.renamed(session, account, epoch=1)
        await theirs.end_public(session.handle, session.public_id)
        await sessions._put(renamed)
        await sessions.end(session)
        assert [known for known in await theirs._all(session.handle) if known.public_id == session.public_id]


# ---- a sign-in and a change of password ----


@asynccontextmanager
async def two_pausing(url: str, hear: Hear) -> AsyncGenerator[Two]:
    """The first of the two can be stopped on its way to the store."""
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(shop(url, wrap=lambda store: Paused(store, before=hear)))
        yield Two(first, await stack.enter_async_context(shop(url, clock=first.clock)))


async def sign_in_amid_a_change(database_url: str) -> tuple[set[int], int]:
    """Stop a sign-in just before it stores its session, change the password meanwhile; return epochs and answer."""
    changed: asyncio.Task[Answer] | None = None
    started = asyncio.Event()

    async def hear(verb: str, kind: str) -> None:
        if verb == "put" and kind.endswith(":session") and started.is_set() and not go.is_set():
            waits.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await go.wait()

    go, waits = asyncio.Event(), asyncio.Event()
    async with two_pausing(database_url, hear) as homes, asyncio.timeout(60):
        await signed_up(homes.second)
        owner = await signed_in(homes.second)
        started.set()
        browser = homes.first.site(accept="application/json")
        signing_in = asyncio.create_task(browser.post("/sign-in", email=ADA, password=PASSWORD))
        await waits.wait()
        changed = asyncio.create_task(
            owner.post("/account/password", current_password=PASSWORD, new_password=NEW_PASSWORD)
        )
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(changed), 0.5)
        go.set()
        answer = await signing_in
        assert (await changed).status == 200
        account = await account_of(homes.first, ADA)
        assert account
        left = await homes.first.auth.plan.sessions("").list(account.handle)
        assert account.epoch == 1
        return {epoch for session in left for epoch in session.epochs if len(session.epochs) == 1}, answer.status


async def test_a_sign_in_amid_a_change_of_password_leaves_no_session_of_the_old_epoch(database_url: str) -> None:
    epochs, _ = await sign_in_amid_a_change(database_url)
    assert 0 not in epochs


async def test_the_twin_that_signs_in_without_the_lock_leaves_one(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def admit(ctx: Context, proofs: tuple[Proof, ...], **_: object) -> Account:
        async with ctx.reading() as accounts:  # the lock is replaced by a look
            account = await accounts.by_handle(proofs[0].handle)
        assert account
        ctx.last_step(ctx.unit.rollback)  # nor does SQLite's one write lock stand in for it
        return account

    async def emit(self: Context, event: object) -> None: ...

    monkeypatch.setattr(signing_in, "admit", admit)
    monkeypatch.setattr(Context, "emit", emit)
    epochs, status = await sign_in_amid_a_change(database_url)
    assert (0 in epochs, status) == (True, 200)


# ---- the outbox ----


class NaiveSender(Sender):
    """A sender whose lease is read first and written afterwards."""

    meeting = Meeting()
    leased = Meeting()

    async def _lease(self, tenant: Any, row: OutboxRecord) -> OutboxRecord | None:
        await self.meeting.wait()

        async def put() -> OutboxRecord:
            async with begin(self._plan, tenant) as ctx:
                current = await ctx.records(OutboxRecord).get(row.id)
                assert current
                return await ctx.records(OutboxRecord).update(current, due_at=ctx.now + LEASE)

        leased = await persistently(put)
        await self.leased.wait()
        return leased


async def owe_twenty(home: House) -> None:
    for number in range(20):
        async with home.auth.begin() as ctx:
            new = NewAccount(email=f"p{number}@example.com", password_hash="x")
            await operations.sign_up(ctx, new)


async def test_two_workers_send_one_mail_once(database_url: str) -> None:
    outbox = Outbox()
    async with two(database_url, mailer=outbox) as homes, asyncio.timeout(60):
        await owe_twenty(homes.first)
        sent = await asyncio.gather(*(home.auth.sender().send_due() for home in homes.both * 2))
        assert sum(sent) == len(outbox) == 20
        assert len({mail.id for mail in outbox}) == 20


async def test_the_twin_that_leases_without_comparing_sends_twice(database_url: str) -> None:
    outbox, sending = Outbox(), Meeting()

    async def mailer(mail: Mail) -> None:
        await sending.wait()
        await outbox(mail)

    async with two(database_url, mailer=mailer) as homes, asyncio.timeout(60):
        async with homes.first.auth.begin() as ctx:
            await operations.sign_up(ctx, NewAccount(email=ADA, password_hash="x"))
        NaiveSender.meeting, NaiveSender.leased = Meeting(), Meeting()
        await asyncio.gather(*(NaiveSender(home.auth.plan, None).send_due() for home in homes.both))
        assert len(outbox) == 2


async def test_a_mail_that_survives_a_change_is_sent_although_the_sender_takes_it_meanwhile(database_url: str) -> None:
    outbox = Outbox()
    async with two(database_url, mailer=outbox, extensions=extensions(gifts=True)) as homes, asyncio.timeout(60):
        site = homes.first.site(accept="application/json")
        site.deliver = nothing  # type: ignore[method-assign]
        assert (await site.post("/sign-up", email=ADA, password=PASSWORD)).status == 201
        sender = homes.second.auth.sender()
        lease, changed = sender._lease, False

        async def lease_amid_a_change(tenant: Any, row: OutboxRecord) -> OutboxRecord | None:
            nonlocal changed
            leased = await lease(tenant, row)
            if not changed:
                changed = True
                fields = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
                assert (await site.post("/account/password", **fields)).status == 200
            return leased

        sender._lease = lease_amid_a_change  # type: ignore[method-assign]
        await sender.send_due()
        assert sorted(outbox.kinds()) == ["sign_up.welcome", "vouchers.gift", "vouchers.notice"]
        link = next(mail.parts["url"] for mail in outbox if mail.kind == "vouchers.gift")
        async with homes.first.auth.begin(writes=False) as ctx:
            kind = homes.first.auth.plan.mail_kinds["vouchers.gift"].token
            assert kind
            await ctx.tokens.peek(kind, link.rsplit("/", 1)[1])


async def test_a_change_carries_a_mail_that_the_sender_takes_amid_it(database_url: str) -> None:
    if "sqlite" in database_url:
        pytest.skip("a unit that writes holds the only write lock")
    async with two(database_url, extensions=extensions(gifts=True)) as homes, asyncio.timeout(60):
        site = homes.first.site(accept="application/json")
        site.deliver = nothing  # type: ignore[method-assign]
        assert (await site.post("/sign-up", email=ADA, password=PASSWORD)).status == 201
        account = await account_of(homes.first, ADA)
        assert account
        async with homes.second.auth.begin() as ctx:
            stale = await ctx.records(OutboxRecord).find(where={"owner": account.handle})
        async with homes.first.auth.begin() as ctx:
            for row in stale:
                await ctx.records(OutboxRecord).update(row, attempts=1)  # leased
        async with homes.second.auth.begin() as ctx:
            await ctx.accounts.lock(account.handle)
            for row in stale:
                await changes._carry(ctx.records(OutboxRecord), row, epoch=7)
            assert {row.epoch for row in await ctx.records(OutboxRecord).find()} == {7}


async def nothing() -> None: ...


# ---- parked sign-ins ----


async def two_completions(database_url: str) -> tuple[list[int], int]:
    async with two(database_url, extensions=extensions(CodeFactor())) as homes, asyncio.timeout(60):
        site = homes.first.site(accept="application/json")
        assert (await site.post("/sign-up", email=ADA, password=PASSWORD)).code == "action_required"
        sites: list[Site] = [home.site(accept="application/json") for home in homes.both]
        for twin in sites:
            twin.jar = dict(site.jar)
        answers = await asyncio.gather(*(twin.post("/test-code", code="123456") for twin in sites))
        account = await account_of(homes.first, ADA)
        assert account
        return sorted(answer.status for answer in answers), len(await sessions_of(homes.first, account.handle))


async def test_two_completions_of_one_parked_sign_in_give_one_session(database_url: str) -> None:
    assert await two_completions(database_url) == ([200, 401], 1)


async def test_the_twin_that_peeks_and_then_deletes_gives_two(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = Meeting()

    async def take(self: Parking, pending: Pending) -> bool:
        key = Key(self._kind, pending.handle, pending.id)
        found = await self._store.get(key)
        await meeting.wait()
        await self._store.delete(key)
        return found is not None

    monkeypatch.setattr(Parking, "take", take)
    assert await two_completions(database_url) == ([200, 200], 2)
