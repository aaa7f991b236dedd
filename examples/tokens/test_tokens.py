"""A token from sign-in to sign-out, a code for a program with a browser, a front end on another origin, a socket."""

import base64
import hashlib
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from examples.opening import Opener
from powauth import MemoryStore
from powauth.testing import FrozenClock, Outbox, Site

pytestmark = pytest.mark.anyio
ADA = {"email": "ada@example.com", "password": "four quiet green owls"}
LINK = "com.example.notes:/signed-in"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, Appendix B
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
OURS = {"origin": "http://127.0.0.1:8000"}
FRONT_END = {"origin": "https://notes.example"}


@pytest.fixture
def browser(made: Any) -> Site:
    return Site(made.auth, made.app)


@pytest.fixture
async def made(program: Opener) -> AsyncGenerator[Any]:
    async with program("tokens") as opened:
        yield opened


@pytest.fixture
async def client(made: Any) -> Site:
    """A program that holds a token."""
    client = Site(made.auth, made.app).program()
    answer = await client.post("/sign-up", **ADA, transport="bearer")
    assert answer.status == 201
    client.bearer = answer.json["token"]
    return client


async def test_a_token_is_given_where_the_proof_is_and_opens_the_api(client: Site) -> None:
    answer = await client.program().post("/sign-in", **ADA, transport="bearer")
    assert set(answer.json) == {"account", "session", "token", "expires_at"}
    assert answer.cookies() == []
    other = client.program()
    other.bearer = answer.json["token"]
    assert (await other.get("/me")).json == {"email": "ada@example.com"}
    assert (await client.program().get("/me")).status == 401


async def test_a_token_is_renewed_when_its_program_asks(made: Any, client: Site) -> None:
    clock = FrozenClock()
    timed = replace(made.auth, clock=clock, store=MemoryStore(clock), mailer=Outbox())
    await timed.open()
    program = Site(timed).program()
    program.bearer = former = (await program.post("/sign-in", **ADA, transport="bearer")).json["token"]
    assert (await program.post("/session/renew")).json["token"] == former  # not in its first minute
    clock.move(timedelta(minutes=20))
    renewed = (await program.post("/session/renew")).json["token"]
    assert (await program.post("/session/renew")).json["token"] == renewed != former  # an answer may get lost
    program.bearer = renewed
    assert (await program.get("/session")).json["account"]
    clock.move(timedelta(seconds=61))
    program.bearer = former  # two hold it
    assert (await program.get("/session")).json["account"] is None
    program.bearer = renewed
    assert (await program.get("/session")).json["account"] is None
    await timed.close()


async def test_signing_out_ends_the_token_at_once(client: Site) -> None:
    """S27."""
    assert (await client.post("/sign-out")).status == 204
    assert (await client.get("/me")).status == 401


async def test_a_cookie_is_never_turned_into_a_token(client: Site, browser: Site) -> None:
    await browser.post("/sign-in", **ADA)
    script = browser.program()
    script.jar = browser.jar
    assert (await script.post("/session/renew")).status == 403
    form = await browser.browser().post("/sign-in", **ADA, transport="bearer")
    assert form.status == 422  # only a JSON body that carries the proof itself


async def test_a_program_with_a_browser_gets_a_code_and_turns_it_into_a_token(client: Site, browser: Site) -> None:
    digest = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")
    assert digest.decode() == CHALLENGE
    page = await browser.get(f"/sign-in?next={LINK}&code_challenge={CHALLENGE}")
    assert page.status == 200
    sent_on = await browser.post("/sign-in", **ADA, next=LINK, code_challenge=CHALLENGE)
    assert sent_on.location.startswith(f"{LINK}?code=")
    assert browser.cookie is None
    code = sent_on.location.removeprefix(f"{LINK}?code=")
    program = client.program()
    program.bearer = (await program.post("/session/exchange", code=code, verifier=VERIFIER)).json["token"]
    assert (await program.get("/me")).status == 200
    assert (await program.program().post("/session/exchange", code=code, verifier=VERIFIER)).status == 400


async def test_a_code_goes_nowhere_but_to_listed_addresses_and_needs_its_verifier(client: Site, browser: Site) -> None:
    elsewhere = await browser.post("/sign-in", **ADA, next="com.evil.app:/", code_challenge=CHALLENGE)
    assert elsewhere.status == 403
    sent_on = await browser.post("/sign-in", **ADA, next=LINK, code_challenge=CHALLENGE)
    code = sent_on.location.removeprefix(f"{LINK}?code=")
    program = client.program()
    assert (await program.post("/session/exchange", code=code, verifier="x" * 43)).status == 400
    assert (await program.post("/session/exchange", code=code, verifier=VERIFIER)).status == 400  # it is used up


async def test_a_front_end_on_another_site_may_ask_and_others_may_not(client: Site) -> None:
    for path in ("/me", "/auth/session"):
        answer = await client.send("GET", path, headers=FRONT_END)
        assert answer.header("access-control-allow-origin") == "https://notes.example", path
        ahead = {
            **FRONT_END,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization",
        }
        allowed = await client.program().send("OPTIONS", path, headers=ahead)
        assert "authorization" in (allowed.header("access-control-allow-headers") or "").lower(), path
        assert [name for name, _ in answer.headers].count("access-control-allow-origin") == 1
        evil = await client.send("GET", path, headers={"origin": "https://evil.example"})
        assert evil.header("access-control-allow-origin") is None, path


async def test_a_refusal_can_be_read_by_the_front_end(client: Site) -> None:
    for path in ("/me", "/auth/session/renew"):
        method = "GET" if path == "/me" else "POST"
        refused = await client.program().send(method, path, headers=FRONT_END)
        assert (refused.status, refused.code) == (401, "not_signed_in")
        assert refused.header("access-control-allow-origin") == "https://notes.example", path


def test_a_socket_needs_a_session_and_from_a_browser_an_allowed_origin(program: Opener) -> None:
    made = program.load("tokens")
    with TestClient(made.app, base_url="http://127.0.0.1:8000") as client:
        sent = client.post("/auth/sign-up", json={**ADA, "transport": "bearer"})
        authorization = {"authorization": f"Bearer {sent.json()['token']}"}
        with client.websocket_connect("/feed", headers=authorization) as socket:
            assert socket.receive_json()["session"]
            socket.send_text("hello")
            assert socket.receive_json() == {"you_said": "hello"}
        client.post("/auth/sign-in", json=ADA, headers=OURS)
        cookie = {"cookie": f"powauth-session={client.cookies['powauth-session']}"}
        for headers in ({"origin": "https://evil.example", **cookie}, cookie, OURS):
            with (
                pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)),
                client.websocket_connect("/feed", headers=headers),
            ):
                pass
        with client.websocket_connect("/feed", headers={**OURS, **cookie}) as socket:
            assert socket.receive_json()["session"]
