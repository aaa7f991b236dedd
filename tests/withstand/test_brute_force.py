"""Guessing gets slower and slower, for the guesser alone: S42 to S46."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from powauth.testing import Answer, Site
from tests.house import PASSWORD, House
from tests.withstand.attack import ADA, EVE, FORM, HOST, JSON, ORIGIN, SENDS_JSON, WRONG, Wire, inhabited, signed_in

pytestmark = pytest.mark.anyio

UNKNOWN = "joe@example.com"
FREE = 5


async def guess(home: House, email: str = ADA, *, client: str = "192.0.2.1", password: str = WRONG) -> Answer:
    return await home.site(client=client).program().post("/sign-in", email=email, password=password)


def wait(answer: Answer) -> int:
    assert (answer.status, answer.code) == (429, "too_many_attempts")
    return int(answer.header("retry-after") or 0)


async def guesses(home: House, email: str = ADA, *, client: str = "192.0.2.1") -> int:
    """How many guesses are judged before one has to wait."""
    count = 0
    while (await guess(home, email, client=client)).status == 401:
        count += 1
    return count


# ---- growing delays ----


@pytest.mark.parametrize("email", [ADA, UNKNOWN])
async def test_after_five_failures_each_wait_is_twice_the_last_and_none_is_longer_than_fifteen_minutes(
    home: House, email: str
) -> None:
    """S42: for an address that nobody has as well."""
    for _ in range(FREE):
        assert (await guess(home, email)).status == 401
    waits: list[int] = []
    for _ in range(12):
        waits.append(wait(await guess(home, email)))
        home.clock.move(timedelta(seconds=waits[-1]) - timedelta(milliseconds=1))
        assert wait(await guess(home, email)) == 1
        home.clock.move(timedelta(milliseconds=1))
        assert (await guess(home, email)).status == 401
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


async def test_whoever_has_to_wait_is_not_judged_and_waits_no_longer_for_trying(home: House) -> None:
    """S42: the right password is not even looked at meanwhile, so waiting cannot be used to test it."""
    await guesses(home)
    before = home.auth.plan.hasher.verifications
    for _ in range(20):
        assert wait(await guess(home, password=PASSWORD)) == 2
    assert home.auth.plan.hasher.verifications == before
    home.clock.move(timedelta(seconds=2))
    assert (await guess(home, password=PASSWORD)).status == 200


async def test_a_failure_is_forgotten_in_half_an_hour(home: House) -> None:
    """S42: time alone makes it well again."""
    assert await guesses(home) == FREE
    home.clock.move(timedelta(minutes=90))
    assert await guesses(home) == 3
    home.clock.move(timedelta(hours=24))
    assert await guesses(home) == FREE


async def test_a_success_clears_its_own_failures_and_nobody_elses(home: House) -> None:
    """S42, S43."""
    for email in (ADA, EVE):
        for _ in range(FREE - 1):
            assert (await guess(home, email)).status == 401
    assert (await guess(home, ADA, password=PASSWORD)).status == 200
    assert (await guesses(home, ADA), await guesses(home, EVE)) == (FREE, 1)


async def test_a_success_from_one_address_leaves_the_failures_from_another(home: House) -> None:
    """S43."""
    assert await guesses(home, client="192.0.2.1") == FREE
    assert (await guess(home, client="192.0.2.2", password=PASSWORD)).status == 200
    wait(await guess(home, client="192.0.2.1"))


async def test_somebody_elses_failures_keep_nobody_out(home: House) -> None:
    """S46: neither another account at the same address, nor the same account at another."""
    assert await guesses(home, ADA, client="192.0.2.1") == FREE
    assert (await guess(home, EVE, client="192.0.2.1", password=PASSWORD)).code == "action_required"
    assert (await guess(home, ADA, client="192.0.2.2", password=PASSWORD)).status == 200


# ---- from everywhere together ----


async def from_everywhere(home: House, email: str) -> None:
    for number in range(100):
        assert (await guess(home, email, client=f"198.51.{number}.1")).status == 401


async def test_all_addresses_together_have_a_hundred_guesses_and_then_one_in_fifteen_minutes(home: House) -> None:
    """S42: SP 800-63B, 3.2.2. The same for an address that nobody has."""
    for email in (ADA, UNKNOWN):
        await from_everywhere(home, email)
        assert wait(await guess(home, email, client="203.0.113.1")) == 900
    home.clock.move(timedelta(minutes=15))
    for email in (ADA, UNKNOWN):
        assert (await guess(home, email, client="203.0.113.2")).status == 401
        assert wait(await guess(home, email, client="203.0.113.3")) == 900


async def test_a_browser_that_was_here_before_passes_while_strangers_wait(home: House) -> None:
    """S46: and only for the account that it was here with."""
    known = await signed_in(home)
    await known.post("/sign-out")
    await from_everywhere(home, ADA)
    stranger = home.site()
    assert (await stranger.post("/sign-in", email=ADA, password=PASSWORD)).status == 429
    stranger.jar |= {name: f"{value}A" for name, value in known.jar.items()}
    assert (await stranger.post("/sign-in", email=ADA, password=PASSWORD)).status == 429
    await from_everywhere(home, EVE)
    assert (await known.post("/sign-in", email=EVE, password=PASSWORD)).status == 429
    assert (await known.post("/sign-in", email=ADA, password=PASSWORD)).location == "/"


async def test_a_browser_that_was_here_before_guesses_no_faster(home: House) -> None:
    """S42: nor does it get the budget of strangers besides."""
    known = await signed_in(home)
    await known.post("/sign-out")
    statuses: list[int] = []
    for number in range(12):
        known.client = f"192.0.2.{number}"
        statuses.append((await known.post("/sign-in", email=ADA, password=WRONG)).status)
    assert statuses == [401] * FREE + [429] * (12 - FREE)


# ---- whose failures these are ----


async def test_what_a_stranger_writes_into_a_forwarding_header_is_not_believed(home: House) -> None:
    """S44: without trusted proxies."""
    statuses: list[int] = []
    for number in range(FREE * 2):
        forwarded = (
            ("x-forwarded-for", f"192.0.2.{number}"),
            ("forwarded", f"for=192.0.2.{number}"),
            ("x-real-ip", "1.1.1.1"),
        )
        answer = await Wire(home.site()).send("POST", "/sign-in", (*SENDS_JSON, *forwarded), body(ADA))
        statuses.append(answer.status)
    assert statuses == [401] * FREE + [429] * FREE


def body(email: str) -> bytes:
    return b'{"email": "%s", "password": "wrong password"}' % email.encode()


@pytest.fixture
async def behind(tmp_path: Path) -> AsyncGenerator[House]:
    """A house behind a proxy in 10.0.0.0/8."""
    async with inhabited(tmp_path, trusted_proxies=["10.0.0.0/8"]) as home:
        yield home


async def forwarded(home: House, *lines: str, peer: str = "10.0.0.1") -> int:
    headers = (*SENDS_JSON, *(("x-forwarded-for", line) for line in lines))
    return (await Wire(home.site()).send("POST", "/sign-in", headers, body(ADA), client=peer)).status


async def test_what_a_trusted_proxy_writes_is_believed_and_nothing_before_it(behind: House) -> None:
    """S44: the last address that is no proxy of ours counts, whatever its client wrote to the left."""
    assert [await forwarded(behind, f"203.0.113.{n}, 192.0.2.1") for n in range(6)] == [401] * 5 + [429]
    assert [await forwarded(behind, f"203.0.113.{n}", "192.0.2.1, 10.9.9.9") for n in range(3)] == [429] * 3
    assert await forwarded(behind, "192.0.2.2") == 401
    assert await forwarded(behind, "192.0.2.3", peer="192.0.2.1") == 429


async def test_one_customers_whole_network_of_ipv6_has_one_budget(home: House) -> None:
    """S44: a /64, in every spelling; the next one has its own."""
    spellings = ["2001:db8:1:2::1", "2001:DB8:1:2:ffff::", "2001:0db8:0001:0002:0:0:0:9", "2001:db8:1:2::1%eth0"]
    statuses = [(await guess(home, client=spellings[n % 4].replace("::1", f"::{n + 1}"))).status for n in range(8)]
    assert statuses == [401] * FREE + [429] * 3
    assert (await guess(home, client="2001:db8:1:3::1")).status == 401


async def test_an_ipv4_address_written_as_ipv6_is_the_same(home: House) -> None:
    """S44."""
    assert await guesses(home, client="192.0.2.1") == FREE
    wait(await guess(home, client="::ffff:192.0.2.1"))


# ---- one budget ----

SPELLINGS = [
    "ADA@example.com",
    "ada@EXAMPLE.com",
    " ada@example.com ",
    "\uff41da@example.com",
    "ada@ex\uff41mple.com",
    "ada@example\u3002com",
    "ada@exam\ufe0fple.com",
    "ada@exam\ufe0f\ufe0fple.com",
    "ada@exam\ufe00ple.com",
    "ada@exam\u034fple.com",
    "ada@exam\u180bple.com",
    "\u1d43da@example.com",
]


async def test_every_spelling_of_an_address_shares_one_budget(home: House) -> None:
    """S44: above all characters that a domain may hold and that mean nothing, of which there is no end."""
    for spelling in SPELLINGS:
        home.clock.move(timedelta(hours=24))
        assert await guesses(home) == FREE
        wait(await guess(home, spelling))


async def test_every_spelling_of_a_domain_shares_one_budget(home: House) -> None:
    """S44: IDNA and what it stands for."""
    await home.site().post("/sign-up", email="ada@b\u00fccher.example", password=PASSWORD)
    assert await guesses(home, "ada@b\u00fccher.example") == FREE
    for spelling in ("ada@xn--bcher-kva.example", "ada@B\u00dcCHER.example", "ada@bu\u0308cher.example"):
        wait(await guess(home, spelling))


PATHS = [
    "//sign-in",
    "/sign-in/",
    "/sign-in//",
    "/./sign-in",
    "/../auth/sign-in",
    "/x/../sign-in",
    "/Sign-In",
    "/SIGN-IN",
    "/sign-in;x=1",
    "/sign%2din",
    "/%73ign-in",
    "/sign-in%00",
    "/sign-in\0",
    "/sign-in.json",
    "/sign-in ",
    " /sign-in",
    "/sign-in\u200b",
    "/sign\u2010in",
    "\\sign-in",
    "/sign-in?x",
    "/sign-in#x",
]


async def test_another_spelling_of_the_path_opens_no_second_budget(home: House) -> None:
    """S44: there is no other spelling."""
    assert await guesses(home) == FREE
    before = home.auth.plan.hasher.verifications
    for path in PATHS:
        answer = await Wire(home.site(client="192.0.2.1")).send("POST", path, SENDS_JSON, body(ADA))
        assert answer.status == 404, path
    assert home.auth.plan.hasher.verifications == before


async def test_another_way_of_sending_opens_no_second_budget(home: House) -> None:
    """S44: query, transport, language, form or JSON, HTML or not."""
    assert await guesses(home, client="127.0.0.1") == FREE
    wire = Wire(home.site())
    form, kinds = b"email=ada%40example.com&password=wrong", (FORM, JSON)
    for query in ("", "next=/x", "email=joe@example.com", "x=1&x=2"):
        for kind in kinds:
            for accept in ("text/html", "application/json", "*/*"):
                headers = (HOST, ORIGIN, kind, ("accept", accept), ("accept-language", "de"))
                answer = await wire.send("POST", "/sign-in", headers, form if kind is FORM else body(ADA), query=query)
                assert answer.status == 429
    answer = await home.site().program().post("/sign-in", email=ADA, password=WRONG, transport="bearer")
    assert answer.status == 429


@pytest.mark.parametrize("email", [ADA, UNKNOWN])
async def test_guesses_that_come_at_once_are_counted_one_by_one(home: House, email: str) -> None:
    """S42: claimed before the work."""
    before = home.auth.plan.hasher.verifications
    answers = await asyncio.gather(*(guess(home, email) for _ in range(50)))
    assert sorted(answer.status for answer in answers) == [401] * FREE + [429] * (50 - FREE)
    assert home.auth.plan.hasher.verifications - before == FREE


@pytest.mark.parametrize("is_program", [False, True])
async def test_who_has_to_wait_is_told_the_same_whether_or_not_there_is_an_account(
    home: House,
    is_program: bool,  # noqa: FBT001
) -> None:
    """S9 where S42 answers."""
    answers: list[Answer] = []
    for email in (ADA, UNKNOWN):
        site = home.site().program() if is_program else home.site()
        answers += [await site.post("/sign-in", email=email, password=WRONG) for _ in range(FREE + 1)][-1:]
    ada, unknown = answers
    assert (ada.status, ada.header("retry-after")) == (429, "2")
    assert (ada.headers, ada.body.replace(ADA.encode(), b"?")) == (
        unknown.headers,
        unknown.body.replace(UNKNOWN.encode(), b"?"),
    )


# ---- behind the door ----


async def test_whoever_found_an_open_browser_guesses_no_faster_on_any_page(home: House) -> None:
    """S42: every page that asks for the current password counts together, for the account."""
    site = await signed_in(home)
    pages = [
        ("/prove", {"password": WRONG}),
        ("/account/email", {"email": "new@example.com", "current_password": WRONG}),
        ("/account/password", {"new_password": "nine slow orange hares", "current_password": WRONG}),
        ("/account/close", {"current_password": WRONG}),
    ]
    statuses = [(await site.post(path, **form)).status for path, form in pages * 3]
    assert statuses == [422] * FREE + [429] * (12 - FREE)
    assert (await site.get("/account")).status == 200


async def test_one_address_sends_sixty_forms_a_minute_and_others_go_on(home: House) -> None:
    """S42, S46: before anything is read or worked out."""
    site = home.site(client="192.0.2.1")
    answers = [await site.post("/sign-up", email="no address", password="") for _ in range(61)]
    assert [answer.status for answer in answers] == [422] * 60 + [429]
    assert 1 <= int(answers[-1].header("retry-after") or 0) <= 60
    assert (await home.site(client="192.0.2.9").post("/sign-up", email="no address", password="")).status == 422
    assert (await site.post("/sign-in", email=ADA, password=PASSWORD)).status == 303


async def test_signing_in_after_a_wait_leaves_a_person_where_they_were_going(home: House) -> None:
    site = Site(home.auth, client="192.0.2.1")
    await guesses(home)
    answer = await site.post("/sign-in", email=ADA, password=PASSWORD, next="/me")
    assert answer.status == 429
    assert 'name="next" value="/me"' in answer.text
    home.clock.move(timedelta(seconds=2))
    assert (await site.post("/sign-in", email=ADA, password=PASSWORD, next="/me")).location == "/me"
