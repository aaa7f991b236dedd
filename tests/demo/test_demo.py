"""The demo: every page, its mailbox, and what a restart keeps."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from powauth import Clock
from powauth.demo import create_app
from powauth.demo.data import DataFolder
from powauth.demo.pages import ADA, ADA_PASSWORD, ADMIN, ADMIN_PASSWORD
from powauth.testing import FrozenClock
from tests.house import SECRET

ORIGIN = "http://127.0.0.1:8000"
PEOPLE = {"accept": "text/html", "origin": ORIGIN}
PROGRAMS = {"accept": "application/json"}
GRACE = {"email": "grace@example.com", "password": "seven small brass keys", "name": "Grace Hopper"}


@asynccontextmanager
async def demo(folder: Path, *, clock: Clock | None = None, origin: str = ORIGIN) -> AsyncGenerator[FastAPI]:
    """Run the demo, without a server, on a data folder."""
    data = DataFolder(folder)
    app = create_app(secret=data.secret(), base_url=f"{origin}/auth", database_url=data.database, clock=clock)
    async with app.router.lifespan_context(app):
        yield app


def client(app: FastAPI, headers: dict[str, str], cookies: Any = None) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url=ORIGIN, headers=headers, cookies=cookies
    )


async def mails(program: httpx2.AsyncClient, count: int) -> list[dict[str, Any]]:
    """Return the mails once there are so many: they leave in the background."""
    found: list[dict[str, Any]] = []
    for _ in range(200):
        found = (await program.get("/mailbox")).json()
        if len(found) >= count:
            return found
        await asyncio.sleep(0.02)
    pytest.fail(f"there are not {count} mails: {found}")


async def be_ada(somebody: httpx2.AsyncClient) -> None:
    """Sign in as the prepared person."""
    await somebody.post("/auth/sign-in", data={"email": ADA, "password": ADA_PASSWORD}, headers={"origin": ORIGIN})


async def join(program: httpx2.AsyncClient, **more: object) -> dict[str, Any]:
    """Sign up as Grace, open the link in the mailbox, sign in, and return what that answers."""
    made = await program.post("/auth/sign-up", json={**GRACE, **more})
    assert (made.status_code, made.json()["action"]["name"]) == (201, "email_confirmation.waiting")
    link = (await mails(program, 1))[0]["parts"]["url"]
    assert (await program.post(link, json={})).status_code == 204
    signed_in = await program.post("/auth/sign-in", json={"email": GRACE["email"], "password": GRACE["password"]})
    return dict(signed_in.json())


# ---- its pages ----


async def test_every_page_answers(tmp_path: Path) -> None:
    async with demo(tmp_path) as app, client(app, PEOPLE) as person:
        for path in ("/", "/mailbox", "/api", "/openapi.json", "/auth/sign-in", "/auth/sign-up"):
            assert (await person.get(path)).status_code == 200, path
        await be_ada(person)
        for path in ("/", "/me", "/vault", "/mailbox", "/api", "/auth/account", "/auth/sessions", "/auth/prove"):
            assert (await person.get(path)).status_code == 200, path


async def test_what_a_page_needs_comes_from_this_machine(tmp_path: Path) -> None:
    async with demo(tmp_path) as app, client(app, PEOPLE) as person:
        for path in ("/", "/mailbox", "/api", "/auth/sign-in"):
            page = await person.get(path)
            assert "default-src 'none'" in page.headers["content-security-policy"]
            assert 'src="http' not in page.text
            files = re.findall(r'<(?:link|script)[^>]* (?:href|src)="([^"]+)"', page.text)
            assert len(files) == 4, "two style sheets, an icon, a script"
            for file in files:
                assert (await person.get(file)).status_code == 200, file


async def test_the_start_page_signs_in_as_ada_with_one_button(tmp_path: Path) -> None:
    async with demo(tmp_path) as app, client(app, PEOPLE) as person:
        start = (await person.get("/")).text
        assert f'name="email" value="{ADA}"' in start
        assert f'name="password" value="{ADA_PASSWORD}"' in start
        sent = await person.post("/auth/sign-in", data={"email": ADA, "password": ADA_PASSWORD})
        assert (sent.status_code, sent.headers["location"]) == (303, "/")
        assert "You are signed in as Ada Lovelace" in (await person.get("/")).text


async def test_the_start_page_leads_to_the_provider_from_the_one_address_that_a_browser_comes_back_to(
    tmp_path: Path,
) -> None:
    async with demo(tmp_path) as app, client(app, PEOPLE) as person:
        assert "Sign in with a provider" in (await person.get("/")).text
        assert "Continue with the demo’s own provider" in (await person.get("/auth/sign-in")).text
        elsewhere = await person.get("/", headers={"host": "localhost:8000"})
        assert (elsewhere.status_code, elsewhere.headers["location"]) == (307, f"{ORIGIN}/")
        assert (await person.get("/", headers={"host": "forwarded:9000"})).status_code == 200


async def test_a_demo_that_is_not_on_this_machine_alone_has_no_provider(tmp_path: Path) -> None:
    async with demo(tmp_path, origin="https://demo.example.com") as app:
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="https://demo.example.com") as person:
            assert "rovider" not in (await person.get("/", headers=PEOPLE)).text
            assert "own provider" not in (await person.get("/auth/sign-in", headers=PEOPLE)).text
            assert (await person.get("/provider/keys")).status_code == 404


async def test_what_the_last_answer_left_to_be_said_is_said_once(tmp_path: Path) -> None:
    async with demo(tmp_path) as app, client(app, PEOPLE) as person:
        await be_ada(person)
        await person.post("/auth/sign-out")
        assert "You are signed out." in (await person.get("/")).text
        assert "You are signed out." not in (await person.get("/")).text


async def test_the_pages_of_powauth_follow_the_browser_with_the_navigation_around_them(tmp_path: Path) -> None:
    async with demo(tmp_path) as app, client(app, {**PEOPLE, "accept-language": "de-DE,de;q=0.9"}) as browser:
        await browser.post("/auth/sign-in", data={"email": ADA, "password": ADA_PASSWORD})
        text = (await browser.get("/auth/account")).text
        for words in ('<html lang="de">', "Ihr Konto", "Ihr Name", "Postfach", "Abmelden", 'aria-label="Seiten"'):
            assert words in text
        assert "Sign out" not in text
        assert '<html lang="en">' in (await browser.get("/")).text


async def test_me_is_a_page_for_people_and_two_fields_for_programs(tmp_path: Path) -> None:
    async with demo(tmp_path) as app, client(app, PROGRAMS) as program:
        refused = await program.get("/me")
        assert (refused.status_code, refused.json()["code"]) == (401, "not_signed_in")
        joined = await join(program)
        assert (await program.get("/me")).json() == {"id": joined["account"]["id"], "email": GRACE["email"]}
        assert "Grace Hopper" in (await program.get("/me", headers=PEOPLE)).text


async def test_people_who_are_not_signed_in_come_back_to_the_page_they_wanted(tmp_path: Path) -> None:
    async with demo(tmp_path) as app, client(app, PEOPLE) as person:
        assert (await person.get("/me")).headers["location"] == "/auth/sign-in?next=%2Fme"


async def test_a_program_uses_a_token(tmp_path: Path) -> None:
    async with demo(tmp_path) as app, client(app, PROGRAMS) as program:
        answer = await program.post(
            "/auth/sign-in", json={"email": ADA, "password": ADA_PASSWORD, "transport": "bearer"}
        )
        assert "set-cookie" not in answer.headers
        token = {"authorization": f"Bearer {answer.json()['token']}"}
        assert (await program.get("/me", headers=token)).json()["email"] == ADA


async def test_the_form_of_sign_up_fills_the_applications_own_columns(tmp_path: Path) -> None:
    async with demo(tmp_path) as app, client(app, PEOPLE) as person:
        assert "Your name" in (await person.get("/auth/sign-up")).text
        await person.post("/auth/sign-up", data={**GRACE, "newsletter": "on"})
        async with client(app, PROGRAMS) as program:
            link = (await mails(program, 1))[0]["parts"]["url"]
        await person.post(link)
        await person.post("/auth/sign-in", data=GRACE)
        assert "Newsletter</dt><dd>Yes" in (await person.get("/me")).text
        await person.post("/auth/account/profile", data={"name": "Rear Admiral Hopper"})
        me = (await person.get("/me")).text
        assert "Rear Admiral Hopper" in me
        assert "Newsletter</dt><dd>No" in me


async def test_the_vault_wants_a_proof_of_the_last_minute(tmp_path: Path) -> None:
    clock = FrozenClock()
    async with demo(tmp_path, clock=clock) as app, client(app, PEOPLE) as person:
        await be_ada(person)
        assert (await person.get("/vault")).status_code == 200
        clock.move(timedelta(minutes=1, seconds=1))
        assert (await person.get("/vault")).headers["location"] == "/auth/prove?next=%2Fvault"
        refused = await person.get("/vault", headers=PROGRAMS)
        assert (refused.status_code, refused.json()["code"]) == (401, "action_required")
        proved = await person.post("/auth/prove", data={"password": ADA_PASSWORD, "next": "/vault"})
        assert proved.headers["location"] == "/vault"
        assert (await person.get("/vault", headers=PROGRAMS)).json() == {"secret": "The vault is open, Ada Lovelace."}


async def test_the_administrator_sees_who_is_there_and_acts_as_somebody_until_the_button_is_pressed(
    tmp_path: Path,
) -> None:
    async with demo(tmp_path) as app, client(app, PEOPLE) as person:
        await be_ada(person)
        assert (await person.get("/people")).status_code == 403
        assert "/people" not in (await person.get("/")).text
        await person.post("/auth/sign-out")
        await person.post("/auth/sign-in", data={"email": ADMIN, "password": ADMIN_PASSWORD})
        people = (await person.get("/people")).text
        assert f"Act as {ADA}" in people
        assert f"Act as {ADMIN}" not in people
        form = (await person.get(f"/auth/impersonate?email={ADA}")).text
        assert f'value="{ADA}"' in form
        begun = await person.post("/auth/impersonate", data={"email": ADA, "reason": "a look"})
        assert begun.status_code == 303
        for path in ("/", "/me", "/auth/account"):
            assert f"You act as {ADA}." in (await person.get(path)).text, path
        await person.post("/auth/impersonate/end")
        assert (await person.get("/me", headers=PROGRAMS)).json()["email"] == ADMIN
        assert "acting-banner" not in (await person.get("/")).text


# ---- its mailbox ----


async def test_the_mailbox_shows_every_mail_newest_first(tmp_path: Path) -> None:
    async with demo(tmp_path) as app, client(app, PROGRAMS) as program:
        assert (await program.get("/mailbox")).json() == []
        await join(program)
        newest, before = await mails(program, 2)
        assert (before["kind"], before["to"]) == ("email_confirmation.confirm", GRACE["email"])
        assert (newest["kind"], newest["to"]) == ("sign_up.welcome", GRACE["email"])
        assert {"subject", "text", "html", "parts"} <= newest.keys()
        assert newest["parts"]["name"] == GRACE["email"]


async def test_a_mails_html_stands_in_a_frame_that_runs_and_loads_nothing(tmp_path: Path) -> None:
    async with demo(tmp_path) as app, client(app, PEOPLE) as person:
        async with client(app, PROGRAMS) as program:
            await program.post("/auth/reset-password", json={"email": ADA})
            await mails(program, 1)
        assert '<iframe src="/mailbox/1"' in (await person.get("/mailbox")).text
        framed = await person.get("/mailbox/1")
        assert framed.headers["content-security-policy"].startswith("sandbox allow-top-navigation-by-user-activation;")
        assert "default-src 'none'" in framed.headers["content-security-policy"]
        assert (await person.get("/mailbox/2")).status_code == 404
        assert (await person.get(f"/mailbox/{10**30}")).status_code == 422


async def test_markup_in_a_mail_is_shown_as_it_was_typed(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    async with demo(tmp_path) as app, client(app, PEOPLE) as person:
        await be_ada(person)
        await person.post("/auth/account/profile", data={"name": evil})
        changed = {"current_password": ADA_PASSWORD, "new_password": GRACE["password"]}
        await person.post("/auth/account/password", data=changed)
        async with client(app, PROGRAMS) as program:
            await mails(program, 1)
        for path in ("/", "/me", "/mailbox", "/vault"):
            assert evil not in (await person.get(path)).text


# ---- what it keeps ----


async def test_accounts_sessions_and_mails_are_there_after_a_restart(tmp_path: Path) -> None:
    async with demo(tmp_path) as app, client(app, PROGRAMS) as program:
        await join(program)
        before, cookies = await mails(program, 2), program.cookies
    async with demo(tmp_path) as app, client(app, PROGRAMS, cookies) as program:
        assert (await program.get("/me")).json()["email"] == GRACE["email"]
        assert (await program.get("/mailbox")).json() == before
        again = await program.post("/auth/sign-up", json=GRACE)
        assert again.status_code == 409, "somebody signed in is not asked to sign up"


async def test_ada_is_made_once_and_opens_the_account_again_that_she_closed(tmp_path: Path) -> None:
    async with demo(tmp_path) as app, client(app, PROGRAMS) as program:
        await be_ada(program)
        closed = await program.post("/auth/account/close", json={"current_password": ADA_PASSWORD})
        assert closed.status_code in {200, 204}
        link = (await mails(program, 1))[0]["parts"]["url"]
    async with demo(tmp_path) as app, client(app, PROGRAMS) as program:
        ada = {"email": ADA, "password": ADA_PASSWORD}
        assert (await program.post("/auth/sign-in", json=ada)).status_code == 401
        await program.post(link, json={})
        assert (await program.post("/auth/sign-in", json=ada)).status_code == 200


async def test_it_runs_on_other_databases(database_url: str) -> None:
    app = create_app(secret=SECRET, base_url=f"{ORIGIN}/auth", database_url=database_url)
    async with app.router.lifespan_context(app), client(app, PROGRAMS) as program:
        await join(program, newsletter=True)
        assert (await program.get("/me")).json()["email"] == GRACE["email"]
        newest = (await mails(program, 2))[0]
        assert newest["to"] == GRACE["email"]
        assert newest["sent_at"].endswith("+00:00")


async def test_somebody_is_invited_and_accepts_in_another_browser(tmp_path: Path) -> None:
    async with demo(tmp_path) as app, client(app, PEOPLE) as ada, client(app, PEOPLE) as grace:
        await be_ada(ada)
        assert "Invite somebody" in (await ada.get("/")).text
        await ada.post("/auth/invitations", data={"email": GRACE["email"]})
        assert GRACE["email"] in (await ada.get("/auth/invitations")).text
        async with client(app, PROGRAMS) as program:
            link = (await mails(program, 1))[0]["parts"]["url"]
        assert "Make an account to accept" in (await grace.get(link)).text
        assert (await grace.post(link, data=GRACE)).status_code == 303
        assert (await grace.get("/me")).status_code == 200
        assert GRACE["email"] not in (await ada.get("/auth/invitations")).text
