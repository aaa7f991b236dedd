"""Secrets leave once, to their owner, and never in an answer, a representation or a log: S69, S14, S68."""

import logging
import re
from typing import Any

import pytest

from powauth import Changes, Form, InvalidForm, Mail, NewAccount, Proof, TokenKind
from powauth.bodies import Body
from powauth.extensions.sign_in.forms import SignInForm
from powauth.extensions.sign_up.forms import SignUpForm
from powauth.http import Cookie
from powauth.passwords import Pepper
from powauth.reading import read
from tests.house import PASSWORD, SECRET, House
from tests.withstand.attack import (
    ADA,
    SENDS_HTML,
    SENDS_JSON,
    Wire,
    database,
    fields,
    gets,
    parked,
    posts,
    signed_in,
    urlencoded,
)

pytestmark = pytest.mark.anyio

CANARY = "tweet-7f3a91c4-canary"


async def test_no_answer_repeats_a_password(home: House, caplog: pytest.LogCaptureFixture) -> None:
    """Every form of every extension, HTML and JSON: in every password field, in the query, and unasked."""
    caplog.set_level(logging.DEBUG)
    asked = 0
    for site in (home.site(), await signed_in(home), await parked(home)):
        for path, page in posts(home.auth):
            secret = [known.name for known in fields(home.auth, page) if known.is_secret]
            asked += len(secret)
            names = {*secret, "password", "current_password", "new_password", "pending", "verifier"}
            values = {**dict.fromkeys(names, CANARY), "email": "not an address"}
            query = urlencoded(**values).decode()
            for sends in (SENDS_HTML, SENDS_JSON):
                body = urlencoded(**values) if sends is SENDS_HTML else str(values).replace("'", '"').encode()
                answer = await Wire(site).send("POST", path, (*sends, *Wire(site).cookies()), body, query=query)
                said = answer.text + str([header for header in answer.headers if header[0] != "location"])
                assert CANARY not in said, path
        for path in gets(home.auth):
            answer = await Wire(site).send(
                "GET", path, (*SENDS_HTML, *Wire(site).cookies()), query=f"password={CANARY}"
            )
            assert CANARY not in answer.text, path
    assert asked > 10
    assert CANARY not in caplog.text


async def test_nothing_that_is_stored_or_mailed_holds_a_password(home: House) -> None:
    """S14: neither in the database, nor in the store, nor in mails."""
    site = home.site()
    await site.post("/sign-up", email="new@example.com", password=CANARY)
    await site.post("/account/password", current_password=CANARY, new_password=f"{CANARY}{CANARY}")
    await site.browser().post("/sign-in", email="eve@example.com", password=CANARY)
    await parked(home)
    kept: Any = home.auth.plan.store
    assert CANARY not in "".join(database(home)) + str(kept._entries)
    assert CANARY not in "".join(f"{mail.subject}{mail.text}{mail.html}{mail.parts}" for mail in site.outbox)


async def test_nothing_that_is_stored_opens_anything(home: House) -> None:
    """S14: what stands in the store and the database is not what the browser holds."""
    site, waiting = await signed_in(home), await parked(home)
    kept: Any = home.auth.plan.store
    everything = "".join(database(home)) + str(kept._entries)
    for secret in (*site.jar.values(), *waiting.jar.values()):
        assert secret not in everything
        assert secret.partition(".")[2] == "" or secret.partition(".")[2] not in everything


async def test_what_a_programmer_prints_shows_no_secret(home: House) -> None:
    """S69: `repr` and `str` of everything that holds one."""
    site = await signed_in(home)
    async with home.auth.begin(writes=False) as ctx:
        ada = await ctx.accounts.by_email(ADA)
        assert ada is not None
        (session, *_) = await ctx.sessions.list(ada.handle)
        waiting = await parked(home)
        pending = await home.auth.plan.parking("").peek(waiting.jar["__Host-powauth-pending"])
    async with home.auth.begin() as ctx:
        kind = TokenKind("x", lifetime=ctx.plan.session_settings.idle)
        minted = await ctx.tokens.mint(kind, ada)
        token = await ctx.tokens.peek(kind, minted)
    assert pending is not None
    assert ada.password_hash is not None
    hash_ = ada.password_hash.rsplit("$", 1)[1]
    secrets = {
        SECRET,
        PASSWORD,
        CANARY,
        hash_,
        session.id,
        pending.id,
        minted,
        *site.jar.values(),
        *waiting.jar.values(),
    }
    things: list[object] = [
        home.auth,
        home.auth.plan,
        home.auth.plan.signer,
        home.auth.plan.hasher,
        ada,
        session,
        pending,
        token,
        NewAccount(email=ADA, password_hash=CANARY),
        Changes(password_hash=CANARY),
        Proof(ada.handle, ada.epoch, "password", ada.created_at),
        Mail("x.link", ADA, "Subject", CANARY, CANARY, {"url": CANARY}, id="1"),
        SignInForm(email=ADA, password=CANARY),
        SignUpForm(email=ADA, password=CANARY),
        Body({"password": CANARY}, is_json=True, sent=frozenset({"password"})),
        Cookie("x", CANARY),
        Pepper("a", CANARY),
    ]
    for thing in things:
        for text in (repr(thing), str(thing), f"{thing!r:>1}", "%s" % (thing,), str([thing]), str({"x": thing})):  # noqa: UP031
            assert not any(secret in text for secret in secrets), type(thing)


@pytest.mark.parametrize("form", [SignInForm, SignUpForm])
def test_what_is_wrong_with_a_form_says_nothing_of_what_was_typed(form: type[Form]) -> None:
    """S69: neither the error nor where it came from."""
    with pytest.raises(InvalidForm) as refused:
        read(form, {"password": f"{CANARY}\0", "email": f"{CANARY}@@{CANARY}", "transport": CANARY})
    error: BaseException | None = refused.value
    while error is not None:
        assert CANARY not in repr(error) + str(error) + str(vars(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


async def test_a_session_as_data_holds_nothing_that_opens_it(home: House) -> None:
    site = await signed_in(home)
    program = home.site().program()
    token = (await program.post("/sign-in", email=ADA, password=PASSWORD, transport="bearer")).json["token"]
    site.accept = "application/json"
    for path in ("/session", "/sessions", "/account"):
        text = (await site.get(path)).text
        assert str(site.cookie) not in text
        assert token not in text
        assert not re.search(r"[0-9a-f]{32}", text.replace("-", "_")), path
        assert "$argon2" not in text
