"""Every event is a row: who, what, when, from where, on whose behalf. Nobody changes one. S68."""

import dataclasses
import importlib
import json
import logging
import pkgutil
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

import powauth
from powauth import (
    Account,
    AccountId,
    Caller,
    Context,
    Event,
    Extension,
    Handle,
    Limit,
    Manifest,
    NewAccount,
    PasswordChanged,
    Proof,
    Session,
    on,
)
from powauth.errors import InvalidToken
from powauth.events import LimitReached, Personal, Plain, SessionStarted, TokenRefused, Unwritten
from powauth.extensions.audit import Audit, AuditRecord
from powauth.extensions.invitation import InvitationForm
from powauth.extensions.invitation.operations import invite
from powauth.extensions.sign_in import SignIn
from powauth.operations import Entered, erase_account, sign_in
from powauth.testing import Site
from tests.extensions.audit.rows import all_others, names, row, rows
from tests.house import PASSWORD, House, house, settle

pytestmark = pytest.mark.anyio

EXEMPT = {
    "SigningUp",
    "SigningIn",
    "SigningOut",
    "PasswordChanging",
    "EmailChanging",
    "Closing",
    "AccountShown",
    "AccountDescribed",
    "Arriving",
    "Leaving",
    "Acting",
    "Inviting",
    "DevicesListed",
    "WaysCounted",
}
"""Of what is only about to happen there is no row: what came of it has one, the refusal too."""

PLAIN = {"factor", "kind", "limit", "device", "role", "reason", "provider"}
"""The texts that are written: names that code chose, the public id of a device, and why somebody acts as another."""

ADA = Account(AccountId("1"), Handle("a" * 32), "ada@example.com", "ada", "$argon2id$CANARY", datetime.now(UTC))


def every_event() -> list[type[Event]]:
    """Return every event that ships, of every module."""
    for module in pkgutil.walk_packages(powauth.__path__, "powauth."):
        if ".extensions." in module.name and ".templates" not in module.name:
            importlib.import_module(module.name)
    return sorted((kind for kind in _below(Event) if kind.__module__.startswith("powauth.")), key=lambda k: k.__name__)


def _below(kind: type[Event]) -> Iterator[type[Event]]:
    for found in kind.__subclasses__():
        yield found
        yield from _below(found)


FACTS = [kind for kind in every_event() if kind.is_fact]


def session_of(account: Account) -> Session:
    now = datetime.now(UTC)
    return Session(
        handle=account.handle,
        account_id=account.id,
        id="CANARY-id",
        public_id="public",
        transport="cookie",
        epochs=(0,),
        proofs=(),
        created_at=now,
        seen_at=now,
        ends_at=now,
        generation_at=now,
    )


def made(kind: type[Event]) -> Event:
    """Return an event of a kind, with a canary wherever a text may stand."""
    hints = typing.get_type_hints(kind)
    known: dict[object, object] = {
        Account: ADA,
        NewAccount: NewAccount(email="CANARY@example.com", password_hash="CANARY"),
        Session: session_of(ADA),
        Handle: ADA.handle,
        bool: True,
        int: 1,
        str: "CANARY",
    }
    values: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            hint = hints[field.name]
            values[field.name] = known.get(hint, "password" if typing.get_origin(hint) is Literal else ())
    return kind(**values)


async def undone(home: House, event: Event) -> None:
    """Announce an event in a unit of work that fails."""
    async with home.auth.begin() as ctx:
        await ctx.emit(event)
        raise RuntimeError


def test_what_is_exempt_is_listed_and_nothing_else_is() -> None:
    """S68."""
    assert {kind.__name__ for kind in every_event() if not kind.is_fact} == EXEMPT
    assert len(FACTS) > 25


@pytest.mark.parametrize("kind", FACTS, ids=lambda kind: kind.__name__)
async def test_every_event_that_happened_has_a_row(tmp_path: Path, kind: type[Event]) -> None:
    """S68: every one that ships, whoever announces it."""
    async with house(tmp_path, extensions=(SignIn(), Audit())) as home:
        async with home.auth.begin() as ctx:
            await ctx.emit(made(kind))
        (found,) = await rows(home)
        assert found.event.rpartition(".")[2].replace("_", "") == kind.__name__.lower()
        assert {name for name, value in found.details.items() if "CANARY" in str(value)} <= PLAIN
        if {"account", "handle"} & {f.name for f in dataclasses.fields(kind) if f.default is dataclasses.MISSING}:
            assert found.account == ADA.handle


async def test_a_day_in_the_life_of_an_account_is_told_from_its_rows(home: House, site: Site) -> None:
    await settle(site)
    new = f"{PASSWORD} more"
    assert (await site.post("/account/password", current_password=PASSWORD, new_password=new)).status == 303
    assert (await site.post("/sign-out")).status == 303
    told = [name for name in await names(home) if not name.startswith(("token_", "session_", "authenticated"))]
    assert told == ["signed_up", "email_confirmed", "signed_in", "credential_changed", "password_changed", "signed_out"]
    changed = await row(home, "password_changed")
    assert changed.account == changed.actor != ""
    assert (changed.client, changed.device) == ("127.0.0.1", "Firefox on Linux")
    assert changed.at == home.clock.now()
    assert changed.session == (await row(home, "signed_in")).session
    assert (await row(home, "credential_changed")).details == {"change": "password"}


async def test_what_was_refused_has_its_row_although_the_request_changed_nothing(home: House, site: Site) -> None:
    await settle(site)
    stranger = site.browser(client="203.0.113.9")
    assert (await stranger.post("/sign-in", email="ada@example.com", password="nonsense")).status == 401
    assert (await stranger.post("/sign-in", email="nobody@example.com", password="nonsense")).status == 401
    assert (await stranger.get("/reset-password/" + "a" * 77)).status == 400
    hers, nobodys = await rows(home, "authentication_failed")
    ada = (await row(home, "signed_up")).account
    assert (hers.account, hers.actor, hers.client) == (ada, "", "203.0.113.9")
    assert (nobodys.account, nobodys.details["factor"]) == ("", "password")
    assert (await row(home, "token_refused")).details == {"kind": "reset_password"}


async def test_a_limit_that_was_reached_has_its_row(home: House, site: Site) -> None:
    await settle(site)
    for _ in range(7):
        await site.browser().post("/sign-in", email="ada@example.com", password="nonsense")
    assert (await rows(home, "limit_reached"))[0].details == {"limit": "sign_in"}


async def test_a_wrong_password_of_somebody_signed_in_is_theirs(home: House, site: Site) -> None:
    await settle(site)
    answer = await site.post("/account/password", current_password="nonsense", new_password="six loud red robins")
    assert answer.status == 422
    failed = await row(home, "authentication_failed")
    assert failed.actor == failed.account == (await row(home, "signed_up")).account
    assert failed.session == (await row(home, "signed_in")).session


async def test_what_a_script_was_refused_has_its_row(home: House) -> None:
    with pytest.raises(InvalidToken):
        async with home.auth.begin() as ctx:
            await ctx.tokens.take(home.auth.plan.token_kinds[0], "forged")
    assert await names(home) == ["token_refused"]


async def test_what_is_rolled_back_has_no_row(home: House) -> None:
    with pytest.raises(RuntimeError):
        await undone(home, PasswordChanged(account=ADA))
    assert await rows(home) == []


async def test_what_cannot_be_written_down_does_not_happen(home: House, site: Site) -> None:
    """Rows are of the same transaction: there is no change without one."""
    await settle(site)
    async with home.engine.begin() as db:
        await db.exec_driver_sql("DROP TABLE powauth_audit")
    with pytest.raises(Exception, match="no such table"):
        await site.post("/account/password", current_password=PASSWORD, new_password=f"{PASSWORD} more")
    async with home.auth.begin(writes=False) as ctx:
        ada = await ctx.accounts.by_email("ada@example.com")
    assert ada is not None
    assert (await home.auth.plan.hasher.verify(PASSWORD, ada.password_hash, client="")).ok


async def test_who_acts_as_somebody_stands_beside_whom_they_acted_as(home: House) -> None:
    """S66: both ids."""
    await settle(home.site())
    await settle(home.site(), "bob@example.com")
    async with home.auth.begin(writes=False) as ctx:
        ada, bob = [await ctx.accounts.by_email(f"{name}@example.com") for name in ("ada", "bob")]
    assert ada is not None
    assert bob is not None
    async with home.auth.begin() as ctx:
        proof = Proof(ada.handle, ada.epoch, "impersonation", ctx.now)
        entered = await sign_in(ctx, (proof,), transport="cookie", actor=bob.handle)
    assert isinstance(entered, Entered)
    async with home.auth.begin(caller=Caller(session=entered.session)) as ctx:
        await ctx.emit(PasswordChanged(account=ada))
    for found in (await row(home, "password_changed"), (await rows(home, "session_started"))[-1]):
        assert (found.account, found.actor, found.behalf) == (ada.handle, bob.handle, ada.handle)
    own = (await rows(home, "signed_in"))[0]
    assert (own.actor, own.behalf) == (ada.handle, "")


# ---- events that nobody here ever saw ----


class Colour(Enum):
    RED = "CANARY red"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelSent(Event):
    """An event of an application's own."""

    account: Account
    to: Account
    street: str  # not marked: it is left out
    weight: int  # the same
    code: bytes
    carrier: Annotated[str, Plain()]
    parts: Annotated[tuple[str, ...], Plain()]
    pieces: Annotated[int, Plain()]
    mail: Annotated[str, Personal()]
    is_paid: bool
    is_secret: Annotated[bool, Unwritten()]
    size: Literal["small", "large"]
    colour: Colour
    due: datetime
    within: timedelta


def parcel(**changes: Any) -> ParcelSent:
    values: dict[str, Any] = {
        "account": ADA,
        "to": dataclasses.replace(ADA, handle=Handle("b" * 32)),
        "street": "CANARY street",
        "weight": 4711,
        "code": b"CANARY",
        "carrier": "x" * 500,
        "parts": ("one", "two\x1b[2J"),
        "pieces": 3,
        "mail": "Ada@Example.com",
        "is_paid": True,
        "is_secret": True,
        "size": "small",
        "colour": Colour.RED,
        "due": datetime(2026, 1, 2, tzinfo=UTC),
        "within": timedelta(minutes=1),
    }
    return ParcelSent(**{**values, **changes})


async def test_an_event_of_an_extension_is_there_without_being_asked(home: House) -> None:
    async with home.auth.begin() as ctx:
        await ctx.emit(parcel())
    found = await row(home, "app.parcel_sent")
    mail = found.details["mail"]
    assert found.account == ADA.handle
    assert found.details == {
        "to": "b" * 32,
        "carrier": "x" * 200,
        "parts": ["one", "two\N{REPLACEMENT CHARACTER}[2J"],
        "pieces": 3,
        "mail": mail,
        "is_paid": True,
        "size": "small",
        "colour": "RED",
        "due": "2026-01-02T00:00:00+00:00",
        "within": 60.0,
    }
    assert len(str(mail)) == 16


async def test_what_stands_where_its_type_does_not_belong_is_left_out(home: House) -> None:
    wrong = {"to": "CANARY", "is_paid": "CANARY", "size": "CANARY", "colour": "CANARY", "due": "CANARY", "within": "C"}
    async with home.auth.begin() as ctx:
        await ctx.emit(parcel(**wrong, pieces=10**400, carrier=b"CANARY"))
        await ctx.emit(SessionStarted(handle=Handle("CANARY"), session="public"))
    assert set((await row(home, "app.parcel_sent")).details) == {"parts", "mail"}
    started = await row(home, "session_started")
    assert (started.account, started.session) == ("", "public")


async def test_a_record_in_an_event_is_written_by_the_types_and_marks_of_its_columns(home: House) -> None:
    form = InvitationForm(email="ada@example.com")
    async with home.auth.begin() as ctx:
        made = (await invite(ctx, None, form)).invitation
    found = (await row(home, "invitation.invited")).details["invitation"]
    assert isinstance(found, dict)
    assert found == {
        "id": made.id,
        "email": found["email"],
        "created_at": made.created_at.isoformat(),
        "expires_at": made.expires_at.isoformat(),
    }
    assert len(str(found["email"])) == 16


async def test_an_address_is_written_as_what_tells_whether_two_are_the_same(tmp_path: Path, home: House) -> None:
    """A password typed into the wrong field is no address, and is not written in any form."""
    async with home.auth.begin() as ctx:
        for mail in ("ADA@example.com", "ada@example.com", "bob@example.com", "a password", "p\ud800", ""):
            await ctx.emit(parcel(mail=mail))
    same, again, other, *none = [found.details.get("mail") for found in await rows(home)]
    assert same == again != other
    assert none == [None, None, None]


async def test_the_name_of_an_event_is_its_extension_s_although_an_application_changed_that(tmp_path: Path) -> None:
    class Mine(Audit):
        pass

    @dataclass(frozen=True, slots=True, kw_only=True)
    class HTMLRead(Event):
        pass

    class Reading(Extension):
        name = "reading"

        def manifest(self) -> Manifest:
            return Manifest()

    async with house(tmp_path, extensions=(SignIn(), Reading(), Mine())) as home:
        async with home.auth.begin() as ctx:
            await ctx.emit(HTMLRead())
        assert await names(home) == ["reading.html_read"]


# ---- what is set ----


async def test_events_can_be_left_out(tmp_path: Path) -> None:
    async with house(tmp_path, extensions=(SignIn(), Audit(leaves_out=(SessionStarted,)))) as home:
        async with home.auth.begin() as ctx:
            await ctx.emit(SessionStarted(handle=ADA.handle, session="public"))
            await ctx.emit(TokenRefused(kind="x"))
        assert await names(home) == ["token_refused"]


@pytest.mark.parametrize(
    ("clients", "client", "written"),
    [
        ("whole", "203.0.113.9", "203.0.113.9"),
        ("network", "203.0.113.9", "203.0.113.0"),
        ("network", "2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("network", "CANARY", ""),
        ("none", "203.0.113.9", ""),
    ],
)
async def test_of_a_network_address_as_much_is_written_as_is_set(
    tmp_path: Path, clients: Literal["whole", "network", "none"], client: str, written: str
) -> None:
    async with house(tmp_path, extensions=(SignIn(), Audit(clients=clients))) as home:
        async with home.auth.begin(caller=Caller(client=client)) as ctx:
            await ctx.emit(LimitReached(limit="sign_in", client=client))
        found = await row(home, "limit_reached")
        assert found.client == written
        assert "203" not in str(found.details)


async def test_a_flood_of_strangers_does_not_fill_the_disk_and_hides_nobody(tmp_path: Path) -> None:
    limit = Limit(3, per=timedelta(minutes=1))
    async with house(tmp_path, extensions=(*all_others(), Audit(strangers=limit))) as home:
        await settle(home.site())
        flood = home.site(client="203.0.113.9")
        for number in range(8):
            assert (await flood.get(f"/reset-password/{number}")).status == 400
        assert (await flood.browser(client="203.0.113.10").get("/reset-password/a")).status == 400
        await flood.post("/sign-in", email="ada@example.com", password="nonsense")
        assert len(await rows(home, "token_refused")) == 4
        assert len(await rows(home, "authentication_failed")) == 1
        home.clock.move(timedelta(minutes=1))
        assert (await flood.get("/reset-password/a")).status == 400
        assert len(await rows(home, "token_refused")) == 5


async def test_rows_go_to_a_log_once_they_are_committed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="powauth.extensions.audit")
    async with house(tmp_path, extensions=(SignIn(), Audit(logs=True))) as home:
        with pytest.raises(RuntimeError):
            await undone(home, TokenRefused(kind="first"))
        async with home.auth.begin() as ctx:
            await ctx.emit(TokenRefused(kind="second"))
            assert caplog.messages == []
        (line,) = caplog.messages
        assert json.loads(line)["details"] == {"kind": "second"}
        assert json.loads(line)["id"] == (await row(home, "token_refused")).id


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"keep": timedelta(hours=1)}, "a day or more"),
        ({"strangers": Limit(0, per=timedelta(minutes=1))}, "strangers"),
        ({"leaves_out": (Event,)}, "every event"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, Any], problem: str) -> None:
    assert problem in " ".join(Audit(**settings).problems())
    assert Audit().problems() == ()
    assert Audit(keep=None).problems() == ()


# ---- nobody changes one ----


async def test_no_row_is_changed_or_deleted_but_by_age(home: House, site: Site) -> None:
    await settle(site)
    (first, *_) = before = await rows(home)
    async with home.auth.begin() as ctx:
        records = ctx.records(AuditRecord)
        with pytest.raises(TypeError, match="only ever added"):
            await records.update(first, client="elsewhere")
        with pytest.raises(TypeError, match="only ever added"):
            await records.delete(first)
        with pytest.raises(TypeError, match="only ever added"):
            await records.delete_all(where={"account": first.account})
        with pytest.raises(TypeError, match="only ever added"):
            await records.delete_all(where={"account": first.account}, below={"id": "f"})
        with pytest.raises(TypeError, match="only ever added"):
            await records.delete_all(where={})
    assert await rows(home) == before


@pytest.mark.parametrize(("keep", "left"), [(timedelta(days=30), 1), (None, 3)])
async def test_rows_end_by_age_as_is_set_and_not_before(tmp_path: Path, keep: timedelta | None, left: int) -> None:
    async with house(tmp_path, extensions=(SignIn(), Audit(keep=keep))) as home:
        for _ in range(3):
            async with home.auth.begin() as ctx:
                await ctx.emit(TokenRefused(kind="x"))
            home.clock.move(timedelta(days=15))
        home.clock.move(-timedelta(microseconds=1))
        await home.auth.purge()
        assert len(await rows(home)) == (2 if keep else 3)
        home.clock.move(timedelta(microseconds=1))
        home.clock.move(timedelta(microseconds=1))
        await home.auth.purge()
        assert len(await rows(home)) == left


async def test_the_rows_of_an_erased_account_stay_and_name_nobody(home: House, site: Site) -> None:
    await settle(site)
    async with home.auth.begin() as ctx:
        ada = await ctx.accounts.by_email("ada@example.com")
        assert ada is not None
        before = len(await ctx.records(AuditRecord).find(where={"account": ada.handle}))
        await erase_account(ctx, await ctx.lock(ada.handle))
    stayed = [found for found in await rows(home) if found.account == ada.handle]
    assert len(stayed) > before
    assert stayed[-1].event in {"erased", "session_ended"}
    assert "ada@example.com" not in str(await rows(home))


async def test_rows_follow_each_other_in_time_although_the_clock_stands(home: House) -> None:
    async with home.auth.begin() as ctx:
        for number in range(300):
            await ctx.emit(TokenRefused(kind=str(number)))
    assert [found.details["kind"] for found in await rows(home)] == [str(number) for number in range(300)]


# ---- hooks ----


async def test_a_hook_hears_what_is_a_kind_of_its_event_after_that_event_s_own(tmp_path: Path) -> None:
    heard: list[str] = []

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Tea(Event):
        pass

    @dataclass(frozen=True, slots=True, kw_only=True)
    class GreenTea(Tea):
        pass

    def hears(name: str) -> Any:
        async def hear(event: Event, ctx: Context) -> None:
            heard.append(name)

        return hear

    hooks = [on(Event, hears("event")), on(Tea, hears("tea")), on(GreenTea, hears("green"))]
    async with house(tmp_path, hooks=hooks) as home:
        async with home.auth.begin() as ctx:
            await ctx.emit(GreenTea())
            assert heard == ["green", "tea", "event"]
            heard.clear()
            await ctx.emit(Tea())
            assert heard == ["tea", "event"]
        assert home.auth.plan.listens(GreenTea)
