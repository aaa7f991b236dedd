"""Handlers of one's own cannot get around the gates: limits, locks, confirmation, terms of service, second factors."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI, Request

from examples.opening import Opener
from examples.terms_of_service import TermsOfService
from powauth import (
    AuthenticationFailed,
    ConfigurationError,
    Context,
    Extension,
    LimitReached,
    MemoryStore,
    Proof,
    authenticate,
    lock_account,
    on,
    operations,
)
from powauth.extensions.email_confirmation import EmailConfirmation
from powauth.extensions.lock import Lock
from powauth.extensions.remember_me import RememberMe
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.fastapi import begin, install, sign_in
from powauth.testing import FrozenClock, Outbox, Site
from powauth.testing.factor import CodeFactor

pytestmark = pytest.mark.anyio
ADA, PASSWORD = "ada@example.com", "four quiet green owls"
FORM = {"email": ADA, "password": PASSWORD}


@pytest.fixture
async def made(program: Opener) -> AsyncGenerator[Any]:
    async with program("own_handlers") as opened:
        yield opened


@pytest.fixture
async def site(made: Any) -> Site:
    site = Site(made.auth, made.app)
    answer = await site.program().send("POST", "/api/sign-up", json=FORM)
    assert answer.status == 201
    return site


async def test_the_page_and_the_json_sign_in_make_sessions(site: Site) -> None:
    assert (await site.send("POST", "/come-in", form=FORM)).location == "/me"
    assert (await site.get("/me")).json == {"signed_in_as": ADA}
    program = site.program()
    assert (await program.send("POST", "/api/sign-in", json=FORM)).json["session"]
    assert (await program.get("/me")).json == {"signed_in_as": ADA}


async def test_people_who_have_to_sign_in_are_led_to_the_page_and_back(site: Site) -> None:
    """S55: and to no other site."""
    assert (await site.browser().get("/me")).location == "/come-in?next=%2Fme"
    assert (await site.send("POST", "/come-in?next=/me%3Ftab=2", form=FORM)).location == "/me?tab=2"
    for evil in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        assert (await site.send("POST", f"/come-in?next={quote(evil)}", form=FORM)).location == "/me", evil


async def test_the_box_of_an_extension_works_on_a_page_of_ones_own(site: Site) -> None:
    await site.send("POST", "/come-in", form=FORM)
    assert not any("remember" in name for name in site.jar)
    assert (await site.send("POST", "/come-in", form={**FORM, "remember": True})).location == "/me"
    assert any("remember" in name for name in site.jar)


async def test_wrong_and_unknown_get_the_same_answer(site: Site) -> None:
    """S9."""
    wrong = await site.browser().send("POST", "/come-in", form={**FORM, "password": "something else"})
    unknown = await site.browser().send("POST", "/come-in", form={**FORM, "email": "bob@example.com"})
    assert (wrong.status, wrong.body) == (unknown.status, unknown.body)
    assert wrong.status == 401


async def test_guessing_slows_down_by_address_and_a_known_device_is_known(site: Site) -> None:
    """S42, S46: the limits of the sign-in that ships are those of one's own."""
    await site.send("POST", "/come-in", form=FORM)
    stranger = site.browser(client="192.0.2.7")
    wrong = {**FORM, "password": "something else"}
    statuses = [(await stranger.send("POST", "/come-in", form=wrong)).status for _ in range(7)]
    assert statuses[:5] == [401] * 5
    assert statuses[-1] == 429
    assert (await stranger.post("/sign-in", **FORM)).status == 429  # one budget, whichever door
    assert (await site.send("POST", "/come-in", form=FORM)).location == "/me"


async def test_a_success_forgets_the_failures_before_it(site: Site) -> None:
    for _ in range(12):  # more than are free
        browser = site.browser(client="192.0.2.8")
        assert (await browser.send("POST", "/come-in", form=FORM)).location == "/me"


async def test_a_locked_account_gets_in_by_no_door(made: Any, site: Site) -> None:
    """S9, S45."""
    await site.send("POST", "/come-in", form=FORM)
    wrong = await site.browser().send("POST", "/come-in", form={**FORM, "password": "wrong"})
    async with made.auth.begin() as ctx:
        ada = await ctx.accounts.by_email(ADA)
        await lock_account(ctx, ada.handle)
    assert (await site.get("/me")).status == 303  # her session is over as well
    locked = await site.browser().send("POST", "/come-in", form=FORM)
    assert (locked.status, locked.body) == (wrong.status, wrong.body)
    assert (await site.program().send("POST", "/api/sign-in", json=FORM)).code == "invalid_credentials"


async def test_another_site_signs_nobody_in(site: Site) -> None:
    """S54: not even somebody who has no cookie yet."""
    stranger = site.browser()
    evil = {"origin": "https://evil.example"}
    assert (await stranger.send("POST", "/come-in", form=FORM, headers=evil)).status == 403
    assert (await stranger.send("POST", "/api/sign-in", json=FORM, headers=evil)).status == 403
    assert stranger.jar == {}


# ---- with other extensions ----


@asynccontextmanager
async def opened(made: Any, *more: Extension, **settings: Any) -> AsyncGenerator[Site]:
    """Open the same handlers around an `Auth` with more extensions, on the same database."""
    clock = FrozenClock()
    others = {"name": "more", "mailer": Outbox(), "clock": clock, "store": MemoryStore(clock), **settings}
    auth = replace(made.auth, extensions=[SignIn(), Lock(), RememberMe(), *more], **others)
    app = FastAPI()
    install(app, auth)
    app.include_router(made.doors(auth))
    await made.database.create_tables()
    await auth.open()
    yield Site(auth, app)
    await auth.close()


async def test_whoever_signs_up_by_ones_own_handler_proves_the_mailbox_first(made: Any) -> None:
    """S11: and a taken address gets the same answer."""
    async with opened(made, SignUp(), EmailConfirmation()) as site:
        first = await site.browser().send("POST", "/api/sign-up", json=FORM)
        taken = await site.browser().send("POST", "/api/sign-up", json=FORM)
        assert (first.status, first.json) == (taken.status, taken.json) == (201, {"next_step": "/auth/confirm-email"})
        link = next(mail.parts["url"] for mail in site.outbox if mail.kind == "email_confirmation.confirm")
        refused = await site.browser().send("POST", "/come-in", form=FORM)
        assert refused.status == 401  # the words of a wrong password
        assert (await site.browser().post(link)).status == 303
        assert (await site.send("POST", "/come-in", form=FORM)).location == "/me"


@pytest.mark.parametrize(
    ("gate", "page", "step"),
    [
        (TermsOfService(edition="1", text="Be kind.", asks_at_sign_up=False), "/terms/accept", {"accept_terms": True}),
        (CodeFactor(), "/test-code", {"code": "123456"}),
    ],
)
async def test_a_step_before_the_session_is_asked_for_by_ones_own_page(
    made: Any, gate: Extension, page: str, step: dict[str, object]
) -> None:
    """S32, S28: terms of service, and a second factor."""
    async with opened(made, SignUp(welcome=False), gate) as site:
        assert (await site.program().send("POST", "/api/sign-up", json=FORM)).json == {"next_step": f"/auth{page}"}
        assert (await site.send("POST", "/come-in", form=FORM)).location == f"/auth{page}"
        assert site.cookie is None
        assert (await site.get("/me")).status == 303
        assert (await site.post(page, **step)).location == "/me"  # where it was going
        assert (await site.get("/me")).json == {"signed_in_as": ADA}


async def test_hooks_hear_of_what_is_refused(made: Any) -> None:
    heard: list[str] = []

    async def hear(event: AuthenticationFailed | LimitReached, _: Context) -> None:
        heard.append(type(event).__name__)

    hooks = [on(AuthenticationFailed, hear), on(LimitReached, hear)]
    async with opened(made, hooks=hooks) as site:
        for _ in range(7):
            await site.send("POST", "/come-in", form={**FORM, "password": "wrong"})
    assert heard == ["AuthenticationFailed"] * 5 + ["LimitReached"] * 2


async def test_a_proof_of_ones_own_making_opens_only_the_account_as_it_is_now(made: Any) -> None:
    """S29: what it says is what the session has, and a gate is asked all the same."""
    async with opened(made, SignUp(welcome=False), CodeFactor()) as site:
        app = FastAPI()
        install(app, site.auth)

        @app.post("/by-another-system")
        async def enter(request: Request, behind: int) -> str:
            async with begin(site.auth, request) as ctx:
                ada = await ctx.accounts.by_email(ADA)
                assert ada is not None
            proof = Proof(ada.handle, ada.epoch - behind, "another_system", site.auth.clock.now())
            return type(await sign_in(site.auth, request, proof)).__name__

        await site.program().send("POST", "/api/sign-up", json=FORM)
        other = Site(site.auth, app)
        assert (await other.send("POST", "/by-another-system?behind=1")).status == 401
        assert (await other.send("POST", "/by-another-system?behind=0")).json == "Detour"
        assert other.cookie is None


async def test_nobody_is_signed_in_by_get_nor_inside_a_transaction_of_the_applications_own(made: Any) -> None:
    async with opened(made, SignUp(welcome=False)) as site:
        await site.program().send("POST", "/api/sign-up", json=FORM)
        app = FastAPI()
        install(app, site.auth)

        @app.get("/by-get")
        async def by_get(request: Request) -> None:
            async with begin(site.auth, request) as ctx:
                found = await authenticate(ctx, ADA, PASSWORD)
            await sign_in(site.auth, request, found)

        assert (await Site(site.auth, app).program().get("/by-get")).code == "forbidden"
        async with made.sessions() as db, site.auth.begin(db=db) as ctx:
            found = await authenticate(ctx, ADA, PASSWORD)
            with pytest.raises(ConfigurationError, match="must not outlive a rollback"):
                await operations.sign_in(ctx, (found.proof,), transport="cookie")
