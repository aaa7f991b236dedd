"""Terms of service, as people, programs and attackers meet them."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from examples.terms_of_service import Acceptance, ReceiptConfirmed, TermsAccepted, TermsOfService
from powauth import (
    Auth,
    ConfigurationError,
    Context,
    Extension,
    MemoryStore,
    Passwords,
    TokenKind,
    change_password,
    close_account,
    on,
)
from powauth.extensions.manage_account import ManageAccount
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase
from powauth.testing import Answer, FrozenClock, Outbox, Site
from powauth.testing.factor import CodeFactor

pytestmark = pytest.mark.anyio

PASSWORD = "four quiet green owls"
ADA, BOB = "ada@example.com", "bob@example.com"
FIRST = TermsOfService(edition="2026-01", text="Be kind.")
SECOND = replace(FIRST, edition="2026-02")


class Town:
    """A database with people in it, and the applications that they meet: one `Auth` after or beside another."""

    def __init__(self, url: str) -> None:
        class Base(DeclarativeBase):
            pass

        class User(AccountColumns, Base):
            __tablename__ = "users"
            id: Mapped[int] = mapped_column(primary_key=True)

        self.url = url
        self.later: list[Town] = []
        self.clock = FrozenClock()
        self.engine: AsyncEngine = create_async_engine(url)
        self.database = SQLAlchemyDatabase(async_sessionmaker(self.engine, expire_on_commit=False), User)
        self.store = MemoryStore(self.clock)

    def auth(self, *extensions: Extension, **settings: Any) -> Auth[Any]:
        """Return an `Auth` of this database."""
        defaults: dict[str, Any] = {
            "secret": "7c1e0f5a9d3b8264e2f7a1c09b5d3e86",
            "base_url": "https://example.com/auth",
            "passwords": Passwords(memory=64, time=1),
            "mailer": Outbox(),
        }
        return Auth(
            database=self.database,
            store=self.store,
            clock=self.clock,
            extensions=(SignUp(welcome=False), SignIn(), ManageAccount(), *extensions),
            **{**defaults, **settings},
        )

    async def site(self, *extensions: Extension, **settings: Any) -> Site:
        """Return a browser in an application of this database."""
        auth = self.auth(*extensions, **settings)
        await self.database.create_tables()
        await auth.open()
        return Site(auth)

    def restarted(self) -> "Town":
        """Return the same database and store under a process that knows nothing of the former one."""
        again = Town(self.url)
        again.clock, again.store = self.clock, self.store
        self.later.append(again)
        return again

    async def close(self) -> None:
        """Let go of the connections, those of later processes too."""
        for again in (self, *self.later):
            await again.engine.dispose()


@asynccontextmanager
async def town(url: str) -> AsyncGenerator[Town]:
    opened = Town(url)
    try:
        yield opened
    finally:
        await opened.close()


@pytest.fixture
async def home(tmp_path: Any) -> AsyncGenerator[Town]:
    async with town(f"sqlite+aiosqlite:///{tmp_path}/app.db") as opened:
        yield opened


@pytest.fixture
async def each_home(database_url: str) -> AsyncGenerator[Town]:
    """The same, on each engine in turn."""
    async with town(database_url) as opened:
        yield opened


async def sign_up(site: Site, email: str = ADA, **more: object) -> Answer:
    return await site.post("/sign-up", email=email, password=PASSWORD, accept_terms=True, **more)


async def sign_in(site: Site, email: str = ADA, **more: object) -> Answer:
    return await site.post("/sign-in", email=email, password=PASSWORD, **more)


async def is_signed_in(site: Site) -> bool:
    session = await site.get("/session", headers={"accept": "application/json"})
    return session.json["account"] is not None


async def acceptances(site: Site) -> Sequence[Acceptance]:
    async with site.auth.begin(writes=False) as ctx:
        return await ctx.records(Acceptance).find(order=("at",))


async def with_receipt(site: Site) -> str:
    """Sign somebody up and return the secret of the receipt that was mailed."""
    await sign_up(site)
    return urlsplit(site.outbox.link).path.rsplit("/", 1)[-1]


# ---- accepting ----


async def test_a_sign_in_waits_until_the_terms_are_accepted_and_then_leads_where_it_was_going(each_home: Town) -> None:
    site = await each_home.site(replace(FIRST, asks_at_sign_up=False))
    assert (await sign_up(site, next="/me")).location == "/auth/terms/accept"
    assert not await is_signed_in(site)
    page = await site.get("/terms/accept")
    assert (page.status, "Be kind." in page.text) == (200, True)
    accepted = await site.post("/terms/accept", accept_terms=True, edition="2026-01")
    assert (accepted.status, accepted.location) == (303, "/me")
    assert await is_signed_in(site)


async def test_terms_are_accepted_once(home: Town) -> None:
    site = await home.site(FIRST)
    await sign_up(site)
    await site.post("/sign-out")
    assert (await sign_in(site)).location == "/"
    assert await is_signed_in(site)
    assert len(await acceptances(site)) == 1


async def test_new_terms_are_asked_about_at_the_next_sign_in(each_home: Town) -> None:
    await sign_up(await each_home.site(FIRST))
    site = await each_home.restarted().site(SECOND)
    assert (await sign_in(site)).location == "/auth/terms/accept"
    await site.post("/terms/accept", accept_terms=True, edition="2026-02")
    assert await is_signed_in(site)
    assert [acceptance.edition for acceptance in await acceptances(site)] == ["2026-01", "2026-02"]


async def test_a_ticked_box_at_sign_up_is_enough(home: Town) -> None:
    site = await home.site(FIRST)
    page = await site.get("/sign-up")
    assert "I accept the terms of service" in page.text
    assert 'href="/auth/terms"' in page.text
    assert (await sign_up(site, next="/me")).location == "/me"
    assert await is_signed_in(site)


async def test_a_box_that_is_not_ticked_makes_no_account(home: Town) -> None:
    site = await home.site(FIRST)
    answer = await site.post("/sign-up", email=ADA, password=PASSWORD)
    assert answer.status == 422
    assert "I accept the terms of service" in answer.text
    assert (await site.program().post("/sign-up", email=ADA, password=PASSWORD)).json["errors"].keys() == {
        "accept_terms"
    }
    assert (await sign_in(site)).status == 401


async def test_no_link_ticks_the_box_for_somebody(home: Town) -> None:
    site = await home.site(FIRST)
    assert " checked" not in (await site.get("/sign-up?accept_terms=on")).text
    assert 'value="ada@example.com"' in (await site.get("/sign-up?email=ada@example.com")).text


async def test_what_was_ticked_at_sign_up_counts_although_another_step_came_before(home: Town) -> None:
    site = await home.site(CodeFactor(), FIRST)
    assert (await sign_up(site)).location == "/auth/test-code"
    assert len(await acceptances(site)) == 1  # and not in fifteen minutes, when the parked sign-in is forgotten


async def test_nobody_goes_on_without_accepting(home: Town) -> None:
    site = await home.site(replace(FIRST, asks_at_sign_up=False))
    await sign_up(site)
    refused = await site.post("/terms/accept", edition="2026-01")
    assert (refused.status, "Be kind." in refused.text) == (422, True)
    assert (await site.get("/account")).location.startswith("/auth/sign-in")
    assert (await sign_in(site)).location == "/auth/terms/accept"
    assert not await acceptances(site)


async def test_only_a_parked_sign_in_may_accept(home: Town) -> None:
    site = await home.site(FIRST)
    for path in ("/terms/accept", "/terms/decline"):
        assert (await site.program().post(path, accept_terms=True)).code == "not_signed_in"
    assert (await site.program().get("/terms/accept")).status == 401


async def test_terms_that_changed_while_they_were_read_are_shown_again(home: Town) -> None:
    site = await home.site(replace(FIRST, asks_at_sign_up=False))
    await sign_up(site)
    later = await home.restarted().site(replace(SECOND, asks_at_sign_up=False))
    later.jar = site.jar
    refused = await later.post("/terms/accept", accept_terms=True, edition="2026-01")
    assert (refused.status, "The terms changed while you read them" in refused.text) == (422, True)
    assert 'name="edition" value="2026-02"' in refused.text  # so that the second attempt is about the new ones
    assert not await acceptances(later)


async def test_the_terms_changed_is_told_to_programs_by_a_code_of_the_extensions_own(home: Town) -> None:
    site = await home.site(replace(FIRST, asks_at_sign_up=False))
    program = site.program()
    await sign_up(program)
    answer = await program.post("/terms/accept", accept_terms=True, edition="2025-12")
    assert answer.json["errors"][""] == [
        {
            "code": "terms_of_service.changed",
            "message": "The terms changed while you read them. Please read them again.",
        }
    ]


async def test_whoever_declines_keeps_the_account_and_is_not_signed_in(home: Town) -> None:
    site = await home.site(replace(FIRST, asks_at_sign_up=False))
    await sign_up(site)
    declined = await site.post("/terms/decline")
    assert declined.location == "/auth/sign-in"
    assert "Your account stays as it is" in (await site.get("/sign-in")).text
    assert not await is_signed_in(site)
    assert (await sign_in(site)).location == "/auth/terms/accept"


async def test_what_was_declined_cannot_be_accepted_by_who_comes_next_to_the_browser(home: Town) -> None:
    site = await home.site(replace(FIRST, asks_at_sign_up=False))
    await sign_up(site)
    former = dict(site.jar)
    await site.post("/terms/decline")
    site.jar = former
    assert (await site.post("/terms/accept", accept_terms=True, edition="2026-01")).status == 401


async def test_the_terms_are_open_to_everybody(home: Town) -> None:
    site = await home.site(FIRST)
    assert "Be kind." in (await site.get("/terms")).text
    assert (await site.program().get("/terms")).json == {"edition": "2026-01", "text": "Be kind.", "url": ""}


async def test_terms_may_stand_elsewhere(home: Town) -> None:
    site = await home.site(TermsOfService(edition="1", url="https://example.com/legal"))
    assert 'href="https://example.com/legal"' in (await site.get("/terms")).text


# ---- programs ----


async def test_a_program_with_cookies_is_told_the_step_and_goes_on_after_it(home: Town) -> None:
    program = (await home.site(replace(FIRST, asks_at_sign_up=False))).program()
    asked = await sign_up(program)
    assert (asked.status, asked.code) == (401, "action_required")
    assert asked.json["action"] == {
        "name": "terms_of_service.ask",
        "url": "https://example.com/auth/terms/accept",
    }
    assert (await program.get("/terms/accept")).json["edition"] == "2026-01"
    done = await program.post("/terms/accept", accept_terms=True)
    assert (done.status, done.json["account"]["email"]) == (200, ADA)
    assert await is_signed_in(program)


async def test_a_program_with_a_token_brings_the_parked_sign_in_in_the_body(home: Town) -> None:
    program = (await home.site(replace(FIRST, asks_at_sign_up=False))).program()
    asked = await sign_up(program, transport="bearer")
    pending = asked.json["pending"]
    assert program.jar == {}
    done = await program.post("/terms/accept", accept_terms=True, pending=pending)
    program.bearer = done.json["token"]
    assert await is_signed_in(program)
    assert (await program.post("/terms/accept", accept_terms=True, pending=pending)).status != 200


# ---- beside other steps ----


async def test_terms_and_a_second_factor_are_asked_one_after_the_other_in_either_order(home: Town) -> None:
    terms = replace(FIRST, asks_at_sign_up=False)
    site = await home.site(terms, CodeFactor())
    assert (await sign_up(site, next="/me")).location == "/auth/terms/accept"
    answer = await site.post("/terms/accept", accept_terms=True, edition="2026-01")
    assert answer.location == "/auth/test-code"
    assert not await is_signed_in(site)
    assert (await site.post("/test-code", code="123456")).location == "/me"
    assert await is_signed_in(site)

    other = await home.restarted().site(CodeFactor(), terms)
    assert (await sign_up(other, BOB, next="/me")).location == "/auth/test-code"
    assert (await other.post("/terms/accept", accept_terms=True)).status == 401  # it is not what is asked for
    assert (await other.post("/test-code", code="123456")).location == "/auth/terms/accept"
    assert not await is_signed_in(other)
    assert (await other.post("/terms/accept", accept_terms=True)).location == "/me"
    assert await is_signed_in(other)


async def test_accepting_adds_no_proof(home: Town) -> None:
    """S29."""
    site = await home.site(replace(FIRST, asks_at_sign_up=False))
    await sign_up(site)
    await site.post("/terms/accept", accept_terms=True)
    session = await site.get("/session", headers={"accept": "application/json"})
    assert [proof["factor"] for proof in session.json["session"]["proofs"]] == ["password"]


async def test_a_sign_in_that_was_parked_before_a_change_of_password_accepts_nothing(home: Town) -> None:
    site = await home.site(replace(FIRST, asks_at_sign_up=False))
    await sign_up(site)
    async with site.auth.begin() as ctx:
        account = await ctx.accounts.by_email(ADA)
        assert account is not None
        await change_password(ctx, account, "five loud purple cats")
    assert (await site.post("/terms/accept", accept_terms=True)).status in {303, 401}
    assert not await is_signed_in(site)
    assert not await acceptances(site)


async def test_accepting_is_announced_once(home: Town) -> None:
    heard: list[object] = []

    async def hear(event: object, ctx: Context) -> None:
        heard.append(event)

    hooks = (on(TermsAccepted, hear), on(ReceiptConfirmed, hear))
    site = await home.site(FIRST, hooks=hooks)
    await site.post(f"/terms/receipt/{await with_receipt(site)}")
    await site.post("/sign-out")
    await sign_in(site)
    assert [type(event) for event in heard] == [TermsAccepted, ReceiptConfirmed]


# ---- the receipt ----


async def test_the_receipt_leads_to_a_page_whose_button_confirms_it(each_home: Town) -> None:
    site = await each_home.site(FIRST)
    await sign_up(site)
    assert site.outbox.kinds() == ["terms_of_service.receipt"]
    assert site.mail.subject == "You accepted the terms of example.com"
    stranger = site.browser()
    page = await stranger.get(site.outbox.link)
    assert (page.status, "You accepted edition 2026-01" in page.text) == (200, True)
    assert (await stranger.post(site.outbox.link)).location == "/"
    (acceptance,) = await acceptances(site)
    assert acceptance.received_at == each_home.clock.now()
    assert not await is_signed_in(stranger)  # a receipt is no way in


async def test_a_mail_scanner_that_opens_the_link_confirms_nothing_and_leaves_it_usable(home: Town) -> None:
    """S20."""
    site = await home.site(FIRST)
    await sign_up(site)
    for _ in range(3):
        assert (await site.browser().get(site.outbox.link)).status == 200
        assert (await site.browser().send("HEAD", site.outbox.link)).status == 200
    assert (await acceptances(site))[0].received_at is None
    assert (await site.post(site.outbox.link)).status == 303


async def test_a_receipt_is_used_once(each_home: Town) -> None:
    """S17, one after the other."""
    program = (await each_home.site(FIRST)).program()
    secret = await with_receipt(program)
    assert (await program.post(f"/terms/receipt/{secret}")).json["edition"] == "2026-01"
    again = await program.post(f"/terms/receipt/{secret}")
    assert (again.status, again.code) == (400, "invalid_token")
    assert (await program.get(f"/terms/receipt/{secret}")).code == "invalid_token"


async def test_of_a_hundred_parallel_uses_of_a_receipt_one_succeeds(each_home: Town) -> None:
    """S17."""
    site = await each_home.site(FIRST)
    secret = await with_receipt(site)
    programs = [site.program(client=f"192.0.2.{number}") for number in range(100)]
    answers = await asyncio.gather(*(program.post(f"/terms/receipt/{secret}") for program in programs))
    assert sorted(answer.status for answer in answers) == [200] + [400] * 99


async def test_a_receipt_expires(home: Town) -> None:
    program = (await home.site(FIRST)).program()
    secret = await with_receipt(program)
    home.clock.move(FIRST.receipt_lifetime - timedelta(seconds=1))
    assert (await program.get(f"/terms/receipt/{secret}")).status == 200
    home.clock.move(timedelta(seconds=1))
    assert (await program.get(f"/terms/receipt/{secret}")).code == "invalid_token"
    assert (await program.post(f"/terms/receipt/{secret}")).code == "invalid_token"


async def test_a_receipt_is_read_in_either_case_and_written_in_one(home: Town) -> None:
    site = await home.site(FIRST)
    secret = await with_receipt(site)
    assert secret == secret.lower()
    assert (await site.get(f"/terms/receipt/{secret.upper()}")).status == 200
    assert (await site.post(f"/terms/receipt/{secret.upper()}")).status == 303
    assert (await site.post(f"/terms/receipt/{secret}")).status == 400  # the same secret, used up


async def test_a_receipt_that_is_not_whole_is_worth_nothing(home: Town) -> None:
    site = await home.site(FIRST)
    secret = await with_receipt(site)
    wrong = [secret[:-1], secret[1:], secret * 2, f"{secret}=", f"{secret}.", secret[::-1], "a" * 77, "x", "ß"]
    for other in wrong:
        assert (await site.post(f"/terms/receipt/{other}")).status == 400, other
    assert (await site.post(f"/terms/receipt/{secret}")).status == 303


async def test_a_secret_opens_nothing_under_another_accounts_name(home: Town) -> None:
    """S15, S16: it carries the account, and is compared with that account's tokens alone."""
    site = await home.site(FIRST)
    mine = await with_receipt(site)
    home.clock.move(timedelta(minutes=1))
    await sign_up(site.browser(), BOB)
    others = urlsplit(site.outbox.link).path.rsplit("/", 1)[-1]
    for mixed in (mine[:26] + others[26:], others[:26] + mine[26:]):
        assert (await site.post(f"/terms/receipt/{mixed}")).status == 400
    await site.post(f"/terms/receipt/{others}")  # in Ada's browser, and yet about Bob
    assert [acceptance.received_at is not None for acceptance in await acceptances(site)] == [False, True]


async def test_a_token_of_another_kind_is_no_receipt(home: Town) -> None:
    """S16."""
    site = await home.site(FIRST)
    receipt = await with_receipt(site)
    other = TokenKind("another", timedelta(hours=1), proves="mailbox")
    async with site.auth.begin() as ctx:
        account = await ctx.accounts.by_email(ADA)
        assert account is not None
        secret = await ctx.tokens.mint(other, account, data={"edition": "2026-01"})
    assert (await site.post(f"/terms/receipt/{secret}")).status == 400
    assert (await site.post(f"/terms/receipt/{receipt}")).status == 303


async def test_the_database_holds_no_usable_receipt(home: Town) -> None:
    """S14."""
    site = await home.site(FIRST)
    secret = await with_receipt(site)
    async with home.engine.connect() as connection:
        rows = [*await connection.execute(text("SELECT * FROM powauth_tokens"))]
        rows += [*await connection.execute(text("SELECT * FROM powauth_outbox"))]
    assert rows
    dump = repr(rows)
    assert secret not in dump
    for stored in (str(value) for row in rows for value in row):
        assert (await site.program(client="192.0.2.9").post(f"/terms/receipt/{stored}")).status in {400, 404}


async def test_a_receipt_outlives_a_change_of_password_and_no_change_of_address(home: Town) -> None:
    site = await home.site(FIRST)
    secret = await with_receipt(site)
    await site.post("/account/password", current_password=PASSWORD, new_password="five loud purple cats")
    assert (await site.get(f"/terms/receipt/{secret}")).status == 200
    await site.post("/account/email", current_password="five loud purple cats", email=BOB)
    assert (await site.get(f"/terms/receipt/{secret}")).status == 400


# ---- accounts and neighbours ----


async def test_what_somebody_accepted_is_erased_with_the_account(each_home: Town) -> None:
    site = await each_home.site(FIRST)
    await sign_up(site)
    await sign_up(site.browser(), BOB)
    async with site.auth.begin() as ctx:
        ada = await ctx.accounts.by_email(ADA)
        assert ada is not None
        await close_account(ctx, ada)
    (left,) = await acceptances(site)
    assert left.account != ada.handle


async def test_two_applications_in_one_database_have_terms_of_their_own(each_home: Town) -> None:
    """Same secret, same store, same people."""
    shop = await each_home.site(FIRST, name="shop", base_url="https://example.com/shop")
    desk = await each_home.site(
        TermsOfService(edition="9", text="No running.", asks_at_sign_up=False),
        name="desk",
        base_url="https://example.com/desk",
    )
    receipt = await with_receipt(shop)
    assert (await sign_in(desk)).location == "/desk/terms/accept"
    assert "No running." in (await desk.get("/terms/accept")).text
    assert not await acceptances(desk)
    assert (await desk.post(f"/terms/receipt/{receipt}")).status == 400
    parked = desk.jar["__Host-desk-pending"]
    shop.jar = {"__Host-shop-pending": parked}
    assert (await shop.post("/terms/accept", accept_terms=True)).status == 401
    assert (await desk.post("/terms/accept", accept_terms=True)).status == 303
    assert [acceptance.edition for acceptance in await acceptances(desk)] == ["9"]
    assert [acceptance.edition for acceptance in await acceptances(shop)] == ["2026-01"]


# ---- settings ----


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"edition": "", "text": "Be kind."}, "edition: name it"),
        ({"edition": "1"}, "give the terms as text or as url"),
        ({"edition": "1", "text": "Be kind.", "url": "https://example.com/legal"}, "give the terms as text or as url"),
        ({"edition": "1", "text": "Be kind.", "receipt_lifetime": timedelta(0)}, "receipt_lifetime must be longer"),
    ],
)
async def test_settings_that_make_no_sense_are_refused_at_start(
    home: Town, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        home.auth(TermsOfService(**settings))
