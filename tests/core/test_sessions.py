"""Sessions, as a browser sees them: renewal, theft, time-outs, step-up, and what two tabs do."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from powauth import Caller, Proof, SessionSettings
from powauth.testing import Answer, Site
from tests.house import PASSWORD, SECRET, House, house, sign_up

pytestmark = pytest.mark.anyio

COOKIE = "__Host-powauth-session"
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path, sessions=SessionSettings(most_per_account=3)) as opened:
        yield opened


@pytest.fixture
async def site(home: House) -> Site:
    site = home.site()
    await sign_up(site)
    return site


def handed_out(answer: Answer) -> str | None:
    """Return the session cookie that an answer hands out."""
    found = [cookie for cookie in answer.cookies() if cookie.startswith(f"{COOKIE}=")]
    return found[0].split(";")[0].partition("=")[2] if found else None


async def is_in(site: Site) -> bool:
    return (await site.get("/account")).status == 200


async def with_cookie(site: Site, cookie: str) -> Answer:
    """Come as another tab or a thief does: with this cookie, whatever the jar holds."""
    other = site.browser()
    other.jar[COOKIE] = cookie
    return await other.get("/account")


async def wait(home: House, site: Site, time: timedelta) -> None:
    """Let time pass with a request every twenty minutes, as somebody who reads would make them."""
    while time > timedelta(0):
        step = min(time, timedelta(minutes=20))
        home.clock.move(step)
        time -= step
        await site.get("/session")


async def test_the_cookie_is_opaque_and_for_this_host_alone(home: House) -> None:
    """S26."""
    answer = await home.site().post("/sign-up", email="ada@example.com", password=PASSWORD)
    cookie = next(cookie for cookie in answer.cookies() if cookie.startswith(COOKIE))
    assert cookie.split("; ")[1:] == ["Path=/", "HttpOnly", "SameSite=Lax", "Secure"]
    assert "ada" not in cookie


async def test_a_session_without_requests_is_over_after_the_idle_time(home: House, site: Site) -> None:
    """S25."""
    home.clock.move(timedelta(minutes=29))
    assert await is_in(site)
    home.clock.move(timedelta(minutes=31))
    assert not await is_in(site)


async def test_no_activity_carries_a_session_past_its_absolute_time(home: House, site: Site) -> None:
    """S25."""
    await wait(home, site, timedelta(hours=23, minutes=59))
    assert await is_in(site)
    home.clock.move(2 * MINUTE)
    assert not await is_in(site)


async def test_a_young_cookie_is_not_renewed(home: House, site: Site) -> None:
    home.clock.move(timedelta(minutes=14))
    assert handed_out(await site.get("/account")) is None


async def test_all_parallel_requests_receive_the_identical_next_cookie(home: House, site: Site) -> None:
    """S23."""
    old = str(site.cookie)
    home.clock.move(timedelta(minutes=16))
    answers = [await with_cookie(site, old) for _ in range(6)]
    assert {answer.status for answer in answers} == {200}
    assert len({handed_out(answer) for answer in answers}) == 1
    assert handed_out(answers[0]) not in {None, old}


async def test_a_cookie_that_got_lost_is_handed_out_again(home: House, site: Site) -> None:
    old = str(site.cookie)
    home.clock.move(timedelta(minutes=16))
    first = handed_out(await with_cookie(site, old))
    home.clock.move(timedelta(minutes=10))
    assert handed_out(await with_cookie(site, old)) == first


async def test_the_former_cookie_is_served_a_minute_after_the_newer_was_used(home: House, site: Site) -> None:
    """S23."""
    old = str(site.cookie)
    home.clock.move(timedelta(minutes=16))
    await site.get("/account")
    assert await is_in(site)
    home.clock.move(59 * SECOND)
    late = await with_cookie(site, old)
    assert late.status == 200
    assert handed_out(late) == site.cookie


async def test_a_cookie_that_opens_nothing_is_left_alone(home: House, site: Site) -> None:
    """Another tab may just have been handed a newer one of the same name."""
    answer = await with_cookie(site, "no cookie of ours")
    assert answer.cookies() == []


async def test_an_older_cookie_ends_the_session_for_both_who_hold_it(home: House, site: Site) -> None:
    old = str(site.cookie)
    home.clock.move(timedelta(minutes=16))
    await site.get("/account")
    assert await is_in(site)
    home.clock.move(61 * SECOND)
    assert (await with_cookie(site, old)).status == 303
    assert not await is_in(site)


async def test_a_newer_cookie_than_the_record_raises_the_record(home: House, site: Site) -> None:
    """The store lost a write: the person keeps their session, and the older cookie is theft from then on."""
    async with home.auth.begin(writes=False) as ctx:
        ticket = ctx.sessions.read(str(site.cookie))
        assert ticket is not None
        session = (await ctx.sessions.list(ticket.handle))[0]
        newer = ctx.sessions.secret(session, 7)
    old = str(site.cookie)
    assert (await with_cookie(site, newer)).status == 200
    assert (await with_cookie(site, old)).status == 303


async def test_a_prefetch_renews_nothing(home: House, site: Site) -> None:
    home.clock.move(timedelta(minutes=16))
    assert handed_out(await site.get("/account", headers={"sec-purpose": "prefetch"})) is None


async def test_a_forged_cookie_never_reaches_the_store(home: House, site: Site) -> None:
    cookie = str(site.cookie)
    for forged in (cookie[:-1], cookie + "A", cookie[:-2] + "AA", cookie.swapcase(), "", "é", "A" * 92, cookie * 2):
        assert (await with_cookie(site, forged)).status == 303
    assert await is_in(site)


async def test_proving_again_gives_a_new_id_under_the_same_public_id(home: House, site: Site) -> None:
    """S23, S29."""
    program = site.program()
    program.jar = dict(site.jar)
    before = (await program.get("/session")).json["session"]
    old = str(site.cookie)
    home.clock.move(5 * MINUTE)
    answer = await program.post("/prove", password=PASSWORD)
    after = (await program.get("/session")).json["session"]
    assert answer.status == 200
    assert handed_out(answer) not in {None, old}
    assert after["id"] == before["id"]
    assert after["proofs"][0]["at"] > before["proofs"][0]["at"]
    home.clock.move(59 * SECOND)
    assert (await with_cookie(site, old)).status == 200
    assert handed_out(await with_cookie(site, old)) is None
    home.clock.move(2 * SECOND)
    assert (await with_cookie(site, old)).status == 303
    assert await is_in(program)


async def test_signing_in_again_ends_the_former_session_at_once(home: House, site: Site) -> None:
    """S23, S24."""
    old = str(site.cookie)
    await site.post("/sign-out")
    assert (await with_cookie(site, old)).status == 303


async def test_a_change_of_password_ends_every_other_session(home: House, site: Site) -> None:
    """S18."""
    other = site.browser()
    await other.post("/sign-in", email="ada@example.com", password=PASSWORD)
    old = str(site.cookie)
    answer = await site.post("/account/password", current_password=PASSWORD, new_password="five loud red foxes")
    assert answer.status == 303
    assert await is_in(site)
    assert not await is_in(other)
    assert (await with_cookie(site, old)).status == 303


async def test_with_one_session_too_many_the_least_recently_used_ends(home: House, site: Site) -> None:
    others: list[Site] = []
    for _ in range(3):
        home.clock.move(2 * MINUTE)
        other = site.browser()
        await other.post("/sign-in", email="ada@example.com", password=PASSWORD)
        others.append(other)
    assert not await is_in(site)
    assert [await is_in(other) for other in others] == [True, True, True]


async def test_a_device_can_be_ended_from_another_one(home: House, site: Site) -> None:
    """S31."""
    other = site.browser()
    await other.post("/sign-in", email="ada@example.com", password=PASSWORD)
    program = site.program()
    program.jar = dict(site.jar)
    listed = (await program.get("/sessions")).json["sessions"]
    assert [session["is_current"] for session in listed] == [True, False]
    assert (await program.post(listed[1]["end_url"])).status == 204
    assert not await is_in(other)
    assert (await program.post(listed[1]["end_url"])).status == 404


async def test_nobody_ends_anothers_session(home: House, site: Site) -> None:
    eve = home.site().program()
    await sign_up(eve, "eve@example.com")
    program = site.program()
    program.jar = dict(site.jar)
    mine = (await program.get("/sessions")).json["sessions"][0]
    assert (await eve.post(mine["end_url"])).status == 404
    assert await is_in(site)


async def test_all_others_end_at_once(home: House, site: Site) -> None:
    other = site.browser()
    await other.post("/sign-in", email="ada@example.com", password=PASSWORD)
    assert (await site.post("/sessions/end-others")).status == 303
    assert (await is_in(site), await is_in(other)) == (True, False)


async def test_one_more_factor_ends_the_sessions_that_were_made_without_it(home: House, site: Site) -> None:
    """S28."""
    from powauth.operations import factor_added  # noqa: PLC0415

    async with home.auth.begin() as ctx:
        account = await ctx.accounts.by_email("ada@example.com")
        assert account is not None
        await factor_added(ctx, account, Proof(account.handle, account.epoch, "test", ctx.now))
    assert not await is_in(site)


async def test_the_store_alone_opens_nothing(home: House, site: Site) -> None:
    """S14: what stands in the store, signed with another secret, is no cookie of this house."""
    async with home.auth.begin(caller=Caller(), writes=False) as ctx:
        account = await ctx.accounts.by_email("ada@example.com")
        assert account is not None
        session = (await ctx.sessions.list(account.handle))[0]
    assert SECRET not in str(session)
    assert session.id not in repr(session)


async def test_a_bearer_token_and_a_cookie_do_not_open_each_others_sessions(home: House) -> None:
    program = home.site().program()
    answer = await program.post("/sign-up", email="bob@example.com", password=PASSWORD, transport="bearer")
    assert answer.status == 201
    assert answer.cookies() == []
    token = answer.json["token"]
    assert (await with_cookie(home.site(), token)).status == 303
    program.bearer = token
    assert (await program.get("/account")).json["email"] == "bob@example.com"


async def test_with_a_bearer_token_cookies_are_ignored(home: House, site: Site) -> None:
    site.bearer = "forged"
    assert not await is_in(site)


async def test_a_form_cannot_ask_for_a_bearer_token(home: House, site: Site) -> None:
    await site.post("/sign-out")
    answer = await site.post("/sign-in", email="ada@example.com", password=PASSWORD, transport="bearer")
    assert answer.status == 422
    assert site.cookie is None


async def test_a_program_renews_its_token_and_the_former_dies_after_use_of_the_new(home: House) -> None:
    program = home.site().program()
    answer = await program.post("/sign-up", email="bob@example.com", password=PASSWORD, transport="bearer")
    first = program.bearer = answer.json["token"]
    home.clock.move(2 * MINUTE)
    second = (await program.post("/session/renew")).json["token"]
    assert second == (await program.post("/session/renew")).json["token"]
    program.bearer = second
    assert await is_in(program)
    home.clock.move(61 * SECOND)
    program.bearer = first
    assert not await is_in(program)
    program.bearer = second
    assert not await is_in(program)


async def test_workers_that_share_a_token_renew_it_without_overtaking_each_other(home: House) -> None:
    program = home.site().program()
    answer = await program.post("/sign-up", email="bob@example.com", password=PASSWORD, transport="bearer")
    home.clock.move(2 * MINUTE)
    workers = [program.program() for _ in range(3)]
    for worker in workers:
        worker.bearer = answer.json["token"]
    for worker in workers:
        worker.bearer = (await worker.post("/session/renew")).json["token"]
        assert await is_in(worker)
    assert len({worker.bearer for worker in workers}) == 1
    home.clock.move(2 * MINUTE)
    assert [await is_in(worker) for worker in workers] == [True, True, True]


async def test_a_cookie_session_is_never_turned_into_a_token(home: House, site: Site) -> None:
    program = site.program()
    program.jar = dict(site.jar)
    assert (await program.post("/session/renew")).status == 403
