"""Nobody is led away: S55, every redirect parameter of every page; S56, no link, mail or redirect by Host."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from functools import partial
from html import unescape
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from powauth import Context, Extension, MailKind, Manifest, on
from powauth.events import SignedUp
from powauth.extensions import invitation, sign_in
from powauth.extensions.sign_in import SignIn
from powauth.jinja import JinjaTemplates
from powauth.redirects import safe_target
from powauth.starlette import current_account, install
from powauth.testing import Answer, Site
from tests.ci import STEP
from tests.core.test_redirects import CORPUS
from tests.house import BASE_URL, PASSWORD, House, house, let, settle
from tests.withstand.attack import (
    ADA,
    EVE,
    HOST,
    READS_HTML,
    READS_JSON,
    SENDS_HTML,
    SENDS_JSON,
    WRONG,
    Headers,
    Wire,
    every_extension,
    fields,
    gets,
    parked,
    posts,
    signed_in,
    urlencoded,
)

pytestmark = pytest.mark.anyio

SENDABLE = [value for value in CORPUS if "\ud800" not in value and "\udfff" not in value]
AWAY = [value for value in SENDABLE if safe_target(value.strip(), base_url=BASE_URL, origins=()) is None]
FEW = AWAY[:: 3 * STEP]
"""Enough where each takes a hash: the validator itself is shown in tests/core/test_redirects.py."""
SOME = AWAY[:: 9 * STEP]
"""Enough where each takes a sign-in with two factors."""


def leads_nowhere(answer: Answer) -> bool:
    """Whether an address was ignored, or refused where it holds what no field of one line may hold (S4)."""
    return (answer.status, answer.location) in {(303, "/"), (422, "")}


# ---- next ----


async def test_only_these_pages_take_an_address_and_all_of_them_are_attacked_below(home: House) -> None:
    """S55: a page that is new has to be added to this file; providers are in tests/extensions/providers."""
    taking = {path for path, page in posts(home.auth) if any(known.name == "next" for known in fields(home.auth, page))}
    assert taking == {"/sign-in", "/sign-up", "/prove", "/invitations/token", "/impersonate", "/providers/provider"}


async def test_signing_in_leads_nobody_away(home: House) -> None:
    for value in FEW:
        home.clock.move(timedelta(minutes=1))
        answer = await home.site().post("/sign-in", email=ADA, password=PASSWORD, next=value)
        assert leads_nowhere(answer), value


async def test_signing_in_by_a_link_leads_nobody_away(home: House) -> None:
    """The same in the query: the form that comes does not hold it, nor does the one that comes back."""
    site = home.site()
    for value in AWAY:
        home.clock.move(timedelta(minutes=20))
        query = urlencoded(next=value).decode()
        for answer in (
            await site.get(f"/sign-in?{query}"),
            await site.post(f"/sign-in?{query}", email="x", password=WRONG),
        ):
            assert 'name="next" value=""' in answer.text, value
            assert "?next=" not in answer.text, value


async def test_whoever_is_signed_in_already_is_not_led_away_either(home: House) -> None:
    site = await signed_in(home)
    for value in AWAY:
        query = urlencoded(next=value).decode()
        for path in ("/sign-in", "/sign-up", "/test-code"):
            assert (await site.get(f"{path}?{query}")).location == "/", value


async def test_signing_up_leads_nobody_away(home: House) -> None:
    for number, value in enumerate(FEW):
        home.clock.move(timedelta(minutes=1))
        answer = await home.site().post("/sign-up", email=f"new{number}@example.com", password=PASSWORD, next=value)
        assert answer.location in {"", "/auth/confirm-email"}, value


async def test_signing_up_where_nobody_has_to_confirm_leads_nobody_away(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        for number, value in enumerate(FEW):
            home.clock.move(timedelta(minutes=1))
            answer = await home.site().post("/sign-up", email=f"new{number}@example.com", password=PASSWORD, next=value)
            assert leads_nowhere(answer), value


async def test_accepting_an_invitation_leads_nobody_away(home: House) -> None:
    for number, value in enumerate(FEW):
        home.clock.move(timedelta(minutes=1))
        email = f"new{number}@example.com"
        async with home.auth.begin() as ctx:
            await invitation.invite(ctx, None, invitation.InvitationForm(email=email))
        await home.site().deliver()
        link = home.site().outbox.link
        query = urlencoded(next=value).decode()
        assert "evil" not in (await home.site().get(f"{link}?{query}")).text, value
        answer = await home.site().post(link, email=email, password=PASSWORD, next=value)
        assert leads_nowhere(answer), value


async def test_proving_again_leads_nobody_away(home: House) -> None:
    site = await signed_in(home)
    for value in FEW:
        home.clock.move(timedelta(minutes=1))
        answer = await site.post("/prove", password=PASSWORD, next=value)
        assert leads_nowhere(answer), value


async def test_acting_as_somebody_leads_nobody_away(home: House) -> None:
    await settle(home.site(), "bob@example.com")
    await let(home, ADA, "admin")
    for value in SOME:
        home.clock.move(timedelta(minutes=3))
        site = await signed_in(home)
        answer = await site.post("/impersonate", email="bob@example.com", reason="a request", next=value)
        assert leads_nowhere(answer), value
        assert answer.status == 422 or (await site.post("/impersonate/end")).location == "/"


async def test_a_detour_leads_nobody_away(home: House) -> None:
    for value in SOME:
        home.clock.move(timedelta(minutes=1))
        site = home.site()
        await site.post("/sign-in", email=EVE, password=PASSWORD, next=value)
        finished = await site.post("/test-code", code="123456")
        assert finished.location in {"/", "/auth/sign-in?next=%2Fauth%2Ftest-code"} or finished.status == 401, value


async def test_a_way_back_to_a_page_is_one_of_ours_however_the_page_was_spelled(home: House) -> None:
    wire = Wire(home.site())
    for path in ("//evil.example/account", "/account//evil.example", "/\\evil.example", "/account/../x", "/account/"):
        answer = await wire.send("GET", path, READS_HTML)
        assert (answer.status, answer.location) == (404, ""), path
    answer = await wire.send("GET", "/account", READS_HTML, query="x=//evil.example&y=\\\\evil")
    assert answer.location.startswith("/auth/sign-in?next=%2Fauth%2Faccount%3Fx%3D")


# ---- Host ----

HOSTS: list[Headers] = [
    (("host", "evil.example"),),
    (("host", "evil.example:443"),),
    (("host", "example.com@evil.example"),),
    (("host", "evil.example/x?"),),
    (("host", "evil.example/#"),),
    (("host", "example.com/x//evil.example"),),
    (("host", "\\evil.example"),),
    (("host", ""),),
    (),
    (HOST, ("host", "evil.example")),
    (("host", "evil.example"), HOST),
    (HOST, ("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "http"), ("x-forwarded-port", "81")),
    (HOST, ("forwarded", "host=evil.example;proto=http")),
    (HOST, ("x-original-url", "//evil.example/"), ("x-rewrite-url", "//evil.example/")),
    (
        HOST,
        ("x-host", "evil.example"),
        ("x-forwarded-server", "evil.example"),
        ("x-forwarded-prefix", "//evil.example"),
    ),
    (HOST, ("referer", "https://evil.example/"), ("origin", "https://evil.example")),
]


class Inviting(Extension):
    """Sends a mail with a link."""

    name = "inviting"
    requires = (SignIn,)

    def manifest(self) -> Manifest:
        return Manifest(
            mails=(LINK,),
            hooks=(on(SignedUp, invite),),
            messages={"link.subject": "Come in", "link.body": "Here it is.", "link.button": "Come in"},
        )


LINK = MailKind(name="link", page=sign_in.NEW)


async def invite(event: SignedUp, ctx: Context) -> None:
    await ctx.send(LINK, account=event.account)


@pytest.fixture
async def app(tmp_path: Path) -> AsyncGenerator[Site]:
    """An application in Starlette, with a page of its own."""
    async with house(tmp_path, extensions=(*every_extension(), Inviting())) as home:
        own = Starlette(routes=[Route("/me", partial(_me, home))])
        install(own, home.auth)
        yield home.site(own)


async def _me(home: House, request: Request) -> PlainTextResponse:
    account = await current_account(home.auth)(request)
    return PlainTextResponse(account.label)


def said(answer: Answer) -> tuple[object, ...]:
    return answer.status, tuple(h for h in answer.headers if h[0] != "set-cookie"), answer.body


async def test_the_host_header_changes_nothing_that_is_said(app: Site) -> None:
    """S56: every page, signed out and signed in, ours and the application's, byte by byte."""
    await app.post("/sign-up", email=ADA, password=PASSWORD)
    for cookies in ((), Wire(app).cookies()):
        for reads in (READS_HTML, READS_JSON):
            for path in (*gets(app.auth), "", "/", "/nothing", "/assets/1/powauth.css"):
                wire, rest = Wire(app), (*reads[1:], *cookies)
                expected = await wire.send("GET", path, (*reads, *cookies))
                assert "evil" not in expected.text
                for hosts in HOSTS:
                    assert said(await wire.send("GET", path, (*hosts, *rest))) == said(expected), (path, hosts)
    refused = await app.browser().send("GET", "/me", headers={"host": "evil.example/x?"})
    assert refused.location == "/auth/sign-in?next=%2Fme"
    well_known = await app.send("GET", "/.well-known/change-password", headers={"host": "evil.example"})
    assert well_known.location == "/auth/account"


async def test_a_mail_leads_to_the_configured_address_whatever_host_asked_for_it(app: Site) -> None:
    """S56: even if it is the very first request."""
    for number, hosts in enumerate(HOSTS[:-1]):
        form = urlencoded(email=f"new{number}@example.com", password=PASSWORD)
        answer = await Wire(app).send("POST", "/sign-up", (*hosts, *SENDS_HTML[1:]), form)
        assert answer.location == "/auth/confirm-email"
    await app.deliver()
    links = {mail.parts["url"] for mail in app.outbox if "url" in mail.parts}
    assert links
    assert all(link.startswith("https://example.com/auth/") for link in links)
    assert not any("evil" in unescape(text) for mail in app.outbox for text in (mail.subject, mail.text, mail.html))


async def test_a_program_is_sent_to_the_configured_address_for_one_more_step(home: House) -> None:
    """S56."""
    body = b'{"email": "eve@example.com", "password": "%s"}' % PASSWORD.encode()
    for hosts in HOSTS[:-1]:
        answer = await Wire(home.site()).send("POST", "/sign-in", (*hosts, *SENDS_JSON[1:]), body)
        assert answer.json["action"]["url"] == "https://example.com/auth/test-code"


async def test_a_parked_browser_stays_with_us(home: House) -> None:
    site = await parked(home)
    for value in SOME:
        answer = await site.get(f"/test-code?{urlencoded(next=value).decode()}")
        assert answer.status == 200
        assert "?next=" not in answer.text


async def test_who_is_refused_by_an_application_sees_its_own_templates(tmp_path: Path) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "page.html").write_text("mine: {{ view.title }}")
    async with house(tmp_path) as home:
        app = Starlette(routes=[Route("/me", partial(_me, home), methods=["POST"])])
        install(app, home.auth, templates=JinjaTemplates(folder))
        answer = await home.site(app).send("POST", "/me")
        assert (answer.status, answer.text) == (401, "mine: Please sign in first.")
