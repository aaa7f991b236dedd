"""Somebody who acts as an account: their session says so, and leaves those of the owner alone."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from powauth import Account, Caller, Context, Proof, Session, SessionSettings, on
from powauth.events import Acting
from powauth.operations import Entered, sign_in
from powauth.session import decode_session, encode_session
from powauth.stores import Entry
from powauth.tenants import SINGLE
from tests.house import House, house, sign_up

pytestmark = pytest.mark.anyio


async def allow(event: Acting, ctx: Context) -> None:
    """Let everybody act as everybody."""


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    settings = SessionSettings(most_per_account=2)
    async with house(tmp_path, sessions=settings, hooks=(on(Acting, allow),)) as opened:
        yield opened


async def account(home: House, email: str) -> Account:
    async with home.auth.begin() as ctx:
        found = await ctx.accounts.by_email(email)
    assert found is not None
    return found


async def act(home: House, owner: Account, actor: Account, caller: Session | None = None) -> Session:
    """Act as somebody, as an operation does that makes a proof of its own."""
    async with home.auth.begin(caller=Caller(session=caller)) as ctx:
        proof = Proof(owner.handle, owner.epoch, "impersonation", ctx.now)
        entered = await sign_in(ctx, (proof,), transport="cookie", actor=actor.handle)
        assert isinstance(entered, Entered)
        assert ctx.actor == actor.handle
    return entered.session


async def sessions(home: House, owner: Account) -> tuple[Session, ...]:
    async with home.auth.begin(writes=False) as ctx:
        return await ctx.sessions.list(owner.handle)


async def test_a_session_says_who_acts_and_an_owners_says_nobody(home: House) -> None:
    """S66."""
    site = home.site().program()
    await sign_up(site)
    await sign_up(home.site(), "bob@example.com")
    ada, bob = await account(home, "ada@example.com"), await account(home, "bob@example.com")
    assert (await site.get("/session")).json["session"]["actor"] is None

    session = await act(home, ada, bob)

    visitor = home.site().program()
    visitor.jar["__Host-powauth-session"] = home.auth.plan.sessions(SINGLE).secret(session)
    assert (await visitor.get("/session")).json["session"]["actor"] == bob.handle
    listed = {row["actor"] for row in (await site.get("/sessions")).json["sessions"]}
    assert listed == {None, bob.handle}


async def test_whoever_acts_as_somebody_ends_none_of_their_sessions_and_keeps_their_own(home: House) -> None:
    """S66."""
    await sign_up(home.site())
    await sign_up(home.site(), "bob@example.com")
    ada, bob = await account(home, "ada@example.com"), await account(home, "bob@example.com")
    (own,) = await sessions(home, bob)

    for _ in range(3):
        await act(home, ada, bob, caller=own)

    assert [session.actor for session in await sessions(home, ada)].count(None) == 1
    assert await sessions(home, bob) == (own,)


async def test_a_session_that_was_stored_before_there_were_actors_is_still_read(home: House) -> None:
    await sign_up(home.site())
    ada = await account(home, "ada@example.com")
    (session,) = await sessions(home, ada)
    stored = encode_session(session)
    assert len(json.loads(stored)) == 14
    assert decode_session(ada.handle, session.id, Entry(stored, session.version, session.ends_at)) == session


async def test_where_nobody_answers_for_it_nobody_acts_as_anybody(tmp_path: Path) -> None:
    """S66."""
    async with house(tmp_path) as home:
        await sign_up(home.site())
        await sign_up(home.site(), "bob@example.com")
        ada, bob = await account(home, "ada@example.com"), await account(home, "bob@example.com")
        session = await act(home, ada, bob)
        visitor = home.site().program()
        visitor.jar["__Host-powauth-session"] = home.auth.plan.sessions(SINGLE).secret(session)
        assert (await visitor.get("/session")).json == {"account": None, "session": None}
        assert [known.actor for known in await sessions(home, ada)] == [None]
