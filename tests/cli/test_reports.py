"""`powauth routes`, `tables` and `explain`: what an application is made of, read from itself."""

from collections.abc import Callable
from typing import Any

import pytest

from powauth import Auth
from tests.cli.shop import Shop

MakeShop = Callable[..., Shop]

# ---- routes ----


def test_every_page_is_listed_with_what_it_asks(shop: Shop) -> None:
    rows = {row["page"]: row for row in shop.data("routes")}

    async def pages(auth: Auth[Any]) -> set[str]:
        return {bound.code for bound in auth.plan.pages.values()}

    assert set(rows) == shop.work(pages)
    assert rows["sign_in.new"] == {
        "methods": ["GET", "POST"],
        "path": "/auth/sign-in",
        "page": "sign_in.new",
        "extension": "sign_in",
        "requires": "signed out",
        "limit": "60 in 1 min by address",
        "marks": ["signs_in", "grants_bearer", "is_entrance"],
    }
    assert rows["manage_account.account"]["requires"] == "signed in"
    assert "is_dangerous" in rows["manage_account.close"]["marks"]


def test_routes_are_a_table_for_people(shop: Shop) -> None:
    output = shop.run("routes").output
    assert "/auth/sign-in" in output
    assert "60 in 1 min by address" in output


CALLED_BACK = """
from dataclasses import dataclass
from datetime import timedelta
from powauth.routing import All
from powauth.extensions.prove import recent

@dataclass(frozen=True, slots=True, kw_only=True)
class CalledBack(Post[NoForm]):
    crosses_sites: bool = True

async def submit(request, ctx):
    return Done()

PAGE = CalledBack(name="back", path="/back/{from}", form=NoForm, submit=submit, limit=None,
                  requires=All((SIGNED_IN, recent(timedelta(minutes=5), "password"))))

class Back(Extension):
    name = "back"

    def manifest(self):
        return Manifest(routes=(PAGE,), messages={"back.submit": "Back"})
"""


def test_an_exception_that_a_page_declares_is_marked(make_shop: MakeShop) -> None:
    shop = make_shop(more=CALLED_BACK, extensions="(SignIn(), Prove(), Back())")
    row = next(row for row in shop.data("routes") if row["page"] == "back.back")
    assert row["marks"] == ["crosses_sites"]
    assert row["requires"] == "signed in, recent (age 0:05:00, factors ('password',))"
    assert row["limit"] is None


# ---- tables ----

RECORD = """
from typing import Annotated
from powauth.records import Owner

class Acceptance(Record, table="acceptances"):
    id: Annotated[str, Key()]
    account: Annotated[Handle | None, Owner(on_erase="anonymise")]
    seen_by: Annotated[Handle, Owner(on_erase="keep")]

class Terms(Extension):
    name = "terms"

    def manifest(self):
        return Manifest(records=(Acceptance,))
"""


def test_every_table_says_whose_it_is_and_what_becomes_of_its_rows(make_shop: MakeShop) -> None:
    shop = make_shop(more=RECORD, name="'shop'", extensions="(SignIn(), Terms())")
    tables = {table["table"]: table for table in shop.data("tables")}
    assert list(tables) == ["users", "shop_tokens", "shop_outbox", "shop_acceptances"]
    assert tables["shop_tokens"]["extension"] == "powauth"
    assert tables["shop_tokens"]["on_erase"] == ["delete"]
    ours = tables["shop_acceptances"]
    assert ours["extension"] == "terms"
    assert ours["on_erase"] == ["account: anonymise", "seen_by: keep"]
    assert [column["type"] for column in ours["columns"]] == ["str(190)", "str(190)?", "str(190)"]
    assert "password_hash" in {column["name"] for column in tables["users"]["columns"]}


def test_tables_are_a_table_for_people(shop: Shop) -> None:
    assert "powauth_outbox" in shop.run("tables").output


# ---- explain sign-in ----

GATES = """
import functools
from powauth.events import Event, SignedIn as SomebodySignedIn, SigningIn

async def at_the_door(event, ctx): ...
async def in_the_hall(event, ctx): ...
async def of_the_application(event, ctx): ...
async def everything(event, ctx): ...
async def afterwards(event, ctx): ...

def proved(account, proof):
    return Proved(account=account, proof=proof)

async def helped(request, ctx):
    return proved(None, None)

async def harmless(request, ctx):
    return Done()

class Opaque:
    __call__ = len

def page(name, submit):
    return Post(name=name, path="/" + name, form=NoForm, submit=submit)

PAGES = (page("helped", helped), page("partial", functools.partial(helped)), page("harmless", harmless),
         page("opaque", Opaque()))

class Gates(Extension):
    name = "gates"

    def manifest(self):
        return Manifest(
            routes=PAGES,
            messages={f"{page.name}.submit": "Go" for page in PAGES},
            hooks=(on(SigningIn, at_the_door), on(SomebodySignedIn, afterwards), on(SigningIn, in_the_hall)),
        )
"""


@pytest.fixture
def gated(make_shop: MakeShop) -> Shop:
    hooks = "[on(Event, everything), on(SigningIn, of_the_application)]"
    return make_shop(more=GATES, hooks=hooks, extensions="(SignIn(), Gates(), SignUp())")


def test_gates_are_told_in_the_order_in_which_they_run(gated: Shop) -> None:
    steps = gated.data("explain", "sign-in")
    told = next(step["hooks"] for step in steps if step.get("event") == "SigningIn")
    module = gated.module
    assert told == [
        {"extension": "gates", "function": f"{module}.at_the_door"},
        {"extension": "gates", "function": f"{module}.in_the_hall"},
        {"extension": "the application", "function": f"{module}.of_the_application"},
        {"extension": "the application", "function": f"{module}.everything"},
    ]


def test_what_follows_a_sign_in_is_told_after_the_gates(gated: Shop) -> None:
    events = [step["event"] for step in gated.data("explain", "sign-in") if "event" in step]
    assert events == ["Authenticated", "SigningIn", "SessionStarted", "SignedIn"]


def test_every_page_that_can_yield_a_proof_is_told_and_no_other(gated: Shop) -> None:
    steps = gated.data("explain", "sign-in")
    pages = {page["page"] for step in steps for page in step.get("pages", ())}
    proving = {"sign_in.new", "sign_in.exchange", "sign_up.new", "gates.helped", "gates.partial", "gates.opaque"}
    assert pages == proving


def test_refusals_are_told_before_and_after_the_gates(gated: Shop) -> None:
    output = gated.run("explain", "sign-in").output
    before, gates, after = (output.index(text) for text in ("Refused before the gates", "The gates", "after the gates"))
    assert before < gates < after
    assert "at_the_door" in output
    assert "POST /auth/helped" in output


def test_an_application_without_gates_says_so(shop: Shop) -> None:
    assert "nobody" in shop.run("explain", "sign-in").output
