"""Signing in tells a stranger nothing: S9, the same answer to all; S10, the same work for all. S8 at sign-up."""

from datetime import timedelta

import pytest

from powauth import Changes, NewAccount, lock_account
from powauth.testing import Answer, Site
from tests.house import PASSWORD, House, sign_up
from tests.withstand.attack import ADA, FORM, HOST, JSON, ORIGIN, SENDS_HTML, WRONG, Wire

pytestmark = pytest.mark.anyio

UNKNOWN = "joe@example.com"
LOCKED = "lea@example.com"
CLOSED = "cid@example.com"
PASSWORDLESS = "pia@example.com"
EVERYBODY = (ADA, UNKNOWN, LOCKED, CLOSED, PASSWORDLESS)


@pytest.fixture
async def street(home: House) -> House:
    """A house with an account in every state."""
    await sign_up(home.site(), LOCKED)
    await sign_up(home.site(), CLOSED)
    async with home.auth.begin() as ctx:
        locked, closed = await ctx.accounts.by_email(LOCKED), await ctx.accounts.by_email(CLOSED)
        assert locked is not None
        assert closed is not None
        await lock_account(ctx, locked.handle)
        await ctx.accounts.change(closed, Changes(closed_at=ctx.now))
        await ctx.accounts.add(NewAccount(email=PASSWORDLESS), now=ctx.now)
    return home


def seen(answer: Answer, typed: str) -> tuple[object, ...]:
    """All that came back but what was typed: status, headers with cookies, body."""
    return answer.status, answer.headers, answer.body.replace(typed.encode(), b"?") if typed else answer.body


async def work(home: House, site: Site, **form: str) -> tuple[Answer, int]:
    """An answer, and how many verifications it took."""
    before = home.auth.plan.hasher.verifications
    answer = await site.post("/sign-in", **form)
    return answer, home.auth.plan.hasher.verifications - before


FAILURES: dict[str, dict[str, str]] = {
    "wrong": {"password": WRONG},
    "missing": {},
    "empty": {"password": ""},
    "blank": {"password": "   "},
    "a hash": {"password": "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"},
    "as long as may be": {"password": "x" * 4096},
    "one letter more": {"password": f"{PASSWORD}."},
    "other letters": {"password": PASSWORD.upper()},
}


@pytest.mark.parametrize("is_program", [False, True], ids=["HTML", "JSON"])
async def test_everybody_fails_in_the_same_way_with_the_same_work(street: House, is_program: bool) -> None:  # noqa: FBT001
    """S9, S10: byte for byte; one verification each."""
    expected: tuple[object, ...] = ()
    for email in EVERYBODY:
        for case, form in FAILURES.items():
            street.clock.move(timedelta(hours=4))
            site = street.site().program() if is_program else street.site()
            answer, verifications = await work(street, site, email=email, **form)
            expected = expected or seen(answer, email)
            assert (answer.status, verifications) == (401, 1), (email, case)
            assert seen(answer, email) == expected, (email, case)
            assert answer.cookies() == []


async def test_even_the_right_password_of_a_locked_or_closed_account_is_wrong(street: House) -> None:
    """S9."""
    for site in (street.site(), street.site().program()):
        wrong, _ = await work(street, site, email=UNKNOWN, password=PASSWORD)
        for email in (LOCKED, CLOSED):
            answer, verifications = await work(street, site, email=email, password=PASSWORD)
            assert seen(answer, email) == seen(wrong, UNKNOWN)
            assert verifications == 1


async def test_without_an_address_it_is_wrong_as_well(street: House) -> None:
    """S9, S10: missing, empty, blank, no address at all, or one that nobody can have."""
    for site in (street.site(), street.site().program()):
        wrong, _ = await work(street, site, email=UNKNOWN, password=PASSWORD)
        for form in (
            {"password": PASSWORD},
            {},
            {"email": "", "password": PASSWORD},
            {"email": "ada", "password": PASSWORD},
            {"email": "ada@", "password": PASSWORD},
            {"email": "@example.com", "password": PASSWORD},
            {"email": "ada@example.com@example.com", "password": PASSWORD},
            {"email": "ada@[127.0.0.1]", "password": PASSWORD},
            {"email": "ada'--@example.com", "password": PASSWORD},
            {"email": "\u202eada@example.com", "password": PASSWORD},
        ):
            street.clock.move(timedelta(hours=4))
            answer, verifications = await work(street, site, **form)
            assert (answer.status, verifications) == (401, 1), form
            if site.accept == "application/json":
                assert seen(answer, "") == seen(wrong, "")


async def test_what_no_field_may_hold_is_refused_alike_whoever_it_is_sent_for(street: House) -> None:
    """S4 before S9: the field is named, nothing is hashed, and whether there is an account plays no part."""
    for site in (street.site(), street.site().program()):
        for bad in ({"password": f"{PASSWORD}\0"}, {"password": "x" * 5000}, {"password": PASSWORD, "next": "\0"}):
            answers: set[tuple[object, ...]] = set()
            for email in EVERYBODY:
                answer, verifications = await work(street, site, email=email, **bad)
                assert (answer.status, verifications) == (422, 0)
                answers.add(seen(answer, email))
            assert len(answers) == 1, bad
        for email in EVERYBODY:
            answer, verifications = await work(street, site, email=f"{email}\0", password=PASSWORD)
            assert (answer.status, verifications) == (422, 0)


async def test_the_right_password_signs_in(street: House) -> None:
    """S9, S10: the twin, and it takes the same work."""
    answer, verifications = await work(street, street.site(), email=ADA, password=PASSWORD)
    assert (answer.status, verifications) == (303, 1)
    assert any("-session=" in cookie for cookie in answer.cookies())


async def test_the_way_in_which_it_is_sent_makes_no_difference(street: House) -> None:
    """S9, S10: multipart, URL-encoded or JSON."""
    bodies = {
        FORM: b"email=%s&password=wrong+password",
        JSON: b'{"email": "%s", "password": "wrong password"}',
        ("content-type", "multipart/form-data; boundary=x"): b'--x\r\ncontent-disposition: form-data; name="email"\r\n'
        b'\r\n%s\r\n--x\r\ncontent-disposition: form-data; name="password"\r\n\r\nwrong password\r\n--x--',
    }
    for kind, body in bodies.items():
        answers: set[tuple[object, ...]] = set()
        for email in EVERYBODY:
            street.clock.move(timedelta(hours=1))
            answer = await Wire(street.site()).send("POST", "/sign-in", (HOST, ORIGIN, kind), body % email.encode())
            assert answer.status == 401
            answers.add(seen(answer, email))
        assert len(answers) == 1, kind


async def test_a_closed_or_locked_account_cannot_be_told_by_proving_a_factor_either(street: House) -> None:
    """S9: nor by a parked sign-in, a code, or the page of a step, all of which are refused as to a stranger."""
    for path in ("/test-code", "/session/renew", "/prove"):
        answer = await Wire(street.site()).send("POST", path, SENDS_HTML)
        assert answer.status == 401


# ---- S8 ----

POOR = {
    "ada.lovelace": "password_context",
    "Ada.Lovelace1815": "password_context",
    "lovelace-ada": "password_context",
    "ecalevol.ada": "password_context",
    "4d4.l0v3l4c3": "password_context",
    "ada.lovelace@example.com": "password_context",
    "Example2024!": "password_context",
    "example.example": "password_context",
    "password1": "password_common",
    "qwertyuiop": "password_common",
    "short": "password_too_short",
}


@pytest.mark.parametrize(("password", "code"), POOR.items())
async def test_a_password_that_anybody_would_try_is_refused_with_a_reason(
    home: House, password: str, code: str
) -> None:
    """S8: like the address, its parts, the application's name, forwards, backwards and in other letters."""
    site = home.site().program()
    answer = await site.post("/sign-up", email="ada.lovelace@example.com", password=password)
    assert answer.status == 422
    assert code in [error["code"] for error in answer.json["errors"]["password"]]
    assert await _account(home, "ada.lovelace@example.com") is None


async def test_a_password_that_nobody_would_try_is_accepted(home: House) -> None:
    """S8: the twin."""
    answer = await home.site().post("/sign-up", email="ada.lovelace@example.com", password=PASSWORD)
    assert answer.status == 303
    assert await _account(home, "ada.lovelace@example.com") is not None


async def _account(home: House, email: str) -> object:
    async with home.auth.begin(writes=False) as ctx:
        return await ctx.accounts.by_email(email)
