"""Routes × roles: every route is asked by every kind of person, in HTML and in JSON, and held against a table.

A new route fails here until it has its lines in the table: look at who gets in before you add them.
"""

import json
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from powauth import MemoryStore
from powauth.accounts import Account
from powauth.extensions.email_confirmation import EmailConfirmation
from powauth.extensions.roles import RoleRecord
from powauth.operations import lock_account
from powauth.routing import methods
from powauth.testing import Answer, Site
from powauth.testing.site import HTML
from tests.house import PASSWORD, House, house, let, settle, sign_in, sign_up, whole_house
from tests.withstand.attack import database, fields, filled, posts

pytestmark = pytest.mark.anyio

PEOPLE = ("nobody", "member", "editor", "admin", "locked", "unconfirmed", "acting")
"""`locked` still has the cookie of before; `unconfirmed` waits for a look into their mailbox; `acting` is an
administrator who acts as a member."""

TABLE = """
#                                         nobody member editor admin locked unconfirmed acting
html GET  sign_up.new                        200 303 303 303 200 200 303
json GET  sign_up.new                        200 409 409 409 200 200 409
html POST sign_up.new                        422 303 303 303 422 422 403
json POST sign_up.new                        422 409 409 409 422 422 403
html GET  sign_in.new                        200 303 303 303 200 200 303
json GET  sign_in.new                        200 409 409 409 200 200 409
html POST sign_in.new                        401 303 303 303 401 401 403
json POST sign_in.new                        401 409 409 409 401 401 403
html POST sign_in.out                        303 303 303 303 303 303 303
json POST sign_in.out                        204 204 204 204 204 204 204
html GET  sign_in.session                    200 200 200 200 200 200 200
json GET  sign_in.session                    200 200 200 200 200 200 200
html POST sign_in.renew                      401 403 403 403 401 401 403
json POST sign_in.renew                      401 403 403 403 401 401 403
html POST sign_in.exchange                   400 400 400 400 400 400 403
json POST sign_in.exchange                   400 400 400 400 400 400 403
html GET  manage_account.account             303 200 200 200 303 303 200
json GET  manage_account.account             401 200 200 200 401 401 200
html POST manage_account.email               401 422 422 422 401 401 403
json POST manage_account.email               401 422 422 422 401 401 403
html POST manage_account.password            401 422 422 422 401 401 403
json POST manage_account.password            401 422 422 422 401 401 403
html POST manage_account.close               401 422 422 422 401 401 403
json POST manage_account.close               401 422 422 422 401 401 403
html GET  session_list.sessions              303 200 200 200 303 303 200
json GET  session_list.sessions              401 200 200 200 401 401 200
html POST session_list.end                   401 404 404 404 401 401 403
json POST session_list.end                   401 404 404 404 401 401 403
html POST session_list.end_others            401 303 303 303 401 401 403
json POST session_list.end_others            401 200 200 200 401 401 403
html GET  prove.prove                        303 200 200 200 303 303 200
json GET  prove.prove                        401 200 200 200 401 401 200
html POST prove.prove                        401 422 422 422 401 401 403
json POST prove.prove                        401 422 422 422 401 401 403
html GET  email_confirmation.waiting         200 200 200 200 200 200 200
json GET  email_confirmation.waiting         200 200 200 200 200 200 200
html POST email_confirmation.again           422 303 303 303 422 422 403
json POST email_confirmation.again           422 204 204 204 422 422 403
html POST email_confirmation.cancel          401 303 303 303 401 401 403
json POST email_confirmation.cancel          401 204 204 204 401 401 403
html GET  email_confirmation.confirm         400 400 400 400 400 400 400
json GET  email_confirmation.confirm         400 400 400 400 400 400 400
html POST email_confirmation.confirm         400 400 400 400 400 400 403
json POST email_confirmation.confirm         400 400 400 400 400 400 403
html GET  email_confirmation.take_back       400 400 400 400 400 400 400
json GET  email_confirmation.take_back       400 400 400 400 400 400 400
html POST email_confirmation.undo            400 400 400 400 400 400 403
json POST email_confirmation.undo            400 400 400 400 400 400 403
html POST email_confirmation.waive           400 400 400 400 400 400 403
json POST email_confirmation.waive           400 400 400 400 400 400 403
html GET  reset_password.request             200 200 200 200 200 200 200
json GET  reset_password.request             200 200 200 200 200 200 200
html POST reset_password.request             422 422 422 422 422 422 403
json POST reset_password.request             422 422 422 422 422 422 403
html GET  reset_password.reset               400 400 400 400 400 400 400
json GET  reset_password.reset               400 400 400 400 400 400 400
html POST reset_password.reset               422 422 422 422 422 422 403
json POST reset_password.reset               422 422 422 422 422 422 403
html GET  lock.request                       200 200 200 200 200 200 200
json GET  lock.request                       200 200 200 200 200 200 200
html POST lock.request                       422 422 422 422 422 422 403
json POST lock.request                       422 422 422 422 422 422 403
html GET  lock.unlock                        400 400 400 400 400 400 400
json GET  lock.unlock                        400 400 400 400 400 400 400
html POST lock.unlock                        400 400 400 400 400 400 403
json POST lock.unlock                        400 400 400 400 400 400 403
html GET  reopen.request                     200 200 200 200 200 200 200
json GET  reopen.request                     200 200 200 200 200 200 200
html POST reopen.request                     422 422 422 422 422 422 403
json POST reopen.request                     422 422 422 422 422 422 403
html GET  reopen.reopen                      400 400 400 400 400 400 400
json GET  reopen.reopen                      400 400 400 400 400 400 400
html POST reopen.reopen                      400 400 400 400 400 400 403
json POST reopen.reopen                      400 400 400 400 400 400 403
html POST remember_me.end                    401 404 404 404 401 401 403
json POST remember_me.end                    401 404 404 404 401 401 403
html GET  security_mails.secure              400 400 400 400 400 400 400
json GET  security_mails.secure              400 400 400 400 400 400 400
html POST security_mails.secure              400 400 400 400 400 400 403
json POST security_mails.secure              400 400 400 400 400 400 403
html GET  security_mails.put_back            400 400 400 400 400 400 400
json GET  security_mails.put_back            400 400 400 400 400 400 400
html POST security_mails.put_back            400 400 400 400 400 400 403
json POST security_mails.put_back            400 400 400 400 400 400 403
html GET  health.page                        200 200 200 200 200 200 200
json GET  health.page                        200 200 200 200 200 200 200
html GET  audit.activity                     303 200 200 200 303 303 200
json GET  audit.activity                     401 200 200 200 401 401 200
html GET  invitation.invitations             303 200 200 200 303 303 200
json GET  invitation.invitations             401 200 200 200 401 401 200
html POST invitation.invitations             401 201 201 201 401 401 403
json POST invitation.invitations             401 201 201 201 401 401 403
html GET  invitation.continue                400 400 400 400 400 400 400
json GET  invitation.continue                400 400 400 400 400 400 400
html GET  invitation.open                    400 400 400 400 400 400 400
json GET  invitation.open                    400 400 400 400 400 400 400
html POST invitation.sign_up                 422 303 303 303 422 422 403
json POST invitation.sign_up                 422 409 409 409 422 422 403
html POST invitation.accept                  401 400 400 400 401 401 403
json POST invitation.accept                  401 400 400 400 401 401 403
html POST invitation.revoke                  401 404 404 404 401 401 403
json POST invitation.revoke                  401 404 404 404 401 401 403
html POST invitation.send_again              401 404 404 404 401 401 403
json POST invitation.send_again              401 404 404 404 401 401 403
html POST providers.start                    404 404 404 404 404 404 403
json POST providers.start                    404 404 404 404 404 404 403
html GET  providers.callback                 404 404 404 404 404 404 404
json GET  providers.callback                 404 404 404 404 404 404 404
html POST providers.callback                 404 404 404 404 404 404 404
json POST providers.callback                 415 415 415 415 415 415 415
html GET  providers.complete                 404 303 303 303 404 404 303
json GET  providers.complete                 404 409 409 409 404 404 409
html POST providers.complete                 422 303 303 303 422 422 403
json POST providers.complete                 422 409 409 409 422 422 403
html POST providers.mine                     404 404 404 404 404 404 403
json POST providers.mine                     404 404 404 404 404 404 403
html GET  providers.join                     303 404 404 404 303 303 404
json GET  providers.join                     401 404 404 404 401 401 404
html POST providers.join                     401 404 404 404 401 401 403
json POST providers.join                     401 404 404 404 401 401 403
html POST providers.forget                   404 404 404 404 404 404 403
json POST providers.forget                   404 404 404 404 404 404 403
html POST providers.disconnect               401 404 404 404 401 401 403
json POST providers.disconnect               401 404 404 404 401 401 403
html GET  impersonation.start                303 403 403 200 303 303 403
json GET  impersonation.start                401 403 403 200 401 401 403
html POST impersonation.start                401 403 403 422 401 401 403
json POST impersonation.start                401 403 403 422 401 401 403
html POST impersonation.end                  303 403 403 403 303 303 303
json POST impersonation.end                  204 403 403 403 204 204 200
"""


def email_of(person: str) -> str:
    return f"{person}@example.com"


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path, extensions=whole_house()) as opened:
        for person in ("member", "editor", "admin", "locked", "boss"):
            await settle(opened.site(), email_of(person))
        for person in ("member", "editor", "admin"):
            await let(opened, email_of(person), person)
        await let(opened, email_of("boss"), "admin")
        yield opened


async def become(home: House, person: str) -> Site:
    """Return the browser of somebody."""
    site = home.site()
    if person == "nobody":
        return site
    if person == "unconfirmed":
        await sign_up(site, email_of(person))
        return site
    if person == "acting":
        await sign_in(site, email_of("boss"))
        assert (await site.post("/impersonate", email=email_of("member"), reason="a look")).status == 303
        return site
    await sign_in(site, email_of(person))
    if person == "locked":
        async with home.auth.begin() as ctx:
            account = await ctx.accounts.by_email(email_of(person))
            assert account is not None
            await lock_account(ctx, account.handle)
    return site


def requests(home: House) -> Iterator[tuple[str, str, str]]:
    """Give the method, the name and the path of every route there is."""
    for bound in home.auth.plan.pages.values():
        for method in sorted(methods(bound.page) - {"HEAD"}):
            yield method, bound.code, filled(bound.page)


async def ask(site: Site, method: str, path: str, accept: str) -> Answer:
    """Ask as somebody does who sends an empty form; what is limited by address is asked from many."""
    headers = {"accept": accept}
    if method == "GET":
        return await site.send("GET", path, headers=headers)
    if accept == HTML:
        return await site.send("POST", path, form={}, headers=headers)
    return await site.send("POST", path, json={}, headers=headers)


async def observed(home: House) -> list[str]:
    """Return a line for each route and kind of answer: the status that each kind of person gets."""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for number, person in enumerate(PEOPLE):
        site = await become(home, person)
        jar = dict(site.jar)
        for method, code, path in requests(home):
            for wants, accept in (("html", HTML), ("json", "application/json")):
                site.jar, site.client = dict(jar), f"10.0.{number}.{len(rows) % 250}"
                answer = await ask(site, method, path, accept)
                rows.setdefault((method, code, wants), []).append(str(answer.status))
                if method == "POST" and answer.status < 400 and person not in {"nobody", "locked"}:
                    site = await become(home, person)  # signed out, or closed
                    jar = dict(site.jar)
    return [f"{wants} {method:<4} {code:<34} {' '.join(statuses)}" for (method, code, wants), statuses in rows.items()]


async def test_every_route_answers_every_kind_of_person_as_the_table_says(home: House) -> None:
    """S65."""
    expected = [" ".join(line.split()) for line in TABLE.strip().splitlines() if not line.startswith("#")]
    found = await observed(home)
    strangers = [line for line in found if " ".join(line.split()) not in expected]
    assert not strangers, "the table does not say so:\n" + "\n".join(strangers)
    gone = set(expected) - {" ".join(line.split()) for line in found}
    assert not gone, "the table says what is not so:\n" + "\n".join(sorted(gone))


# ---- acting as somebody ----

MAY_BE_SENT = {"sign_in.out", "sign_in.renew", "impersonation.end", "providers.callback"}
"""What somebody who acts may send; the last one reads no session. Every other unsafe route of every extension, the next
one's too, is the owner's."""


async def credentials(home: House, email: str) -> tuple[Account, list[str]]:
    """Return all by which somebody proves who they are, and every row of theirs but their name."""
    async with home.auth.begin() as ctx:
        account = await ctx.accounts.by_email(email)
        assert account is not None
        mine = [line for line in database(home) if account.handle in line]
    return account, mine


@pytest.mark.parametrize("accept", [HTML, "application/json"])
async def test_whoever_acts_as_somebody_is_refused_every_route_that_changes_something_of_theirs(
    home: House, accept: str
) -> None:
    """S29, S66."""
    owner = await become(home, "member")
    acting = await become(home, "acting")
    before = await credentials(home, email_of("member"))
    store = home.auth.plan.store
    assert isinstance(store, MemoryStore)
    kept = {key for key in store._entries if key.owner == before[0].handle}
    owner.outbox.clear()
    refused = set()
    for path, page in posts(home.auth):
        bound = next(bound for bound in home.auth.plan.pages.values() if bound.page == page)
        if bound.code in MAY_BE_SENT:
            continue
        sent = {known.name: value_for(known.name, known.kind) for known in fields(home.auth, page)}
        if accept == HTML:
            answer = await acting.send("POST", path, form=sent, headers={"accept": accept})
        else:
            answer = await acting.send("POST", path, json=sent, headers={"accept": accept})
            assert answer.code == "owner_only", path
        assert answer.status == 403, path
        refused.add(bound.code)
    sent_to = {bound.code for bound in home.auth.plan.pages.values() if "POST" in methods(bound.page)}
    assert refused == sent_to - MAY_BE_SENT
    assert await credentials(home, email_of("member")) == before
    assert {key for key in store._entries if key.owner == before[0].handle} == kept
    assert owner.outbox.mails == []
    assert (await owner.get("/account")).status == 200


def value_for(name: str, kind: str) -> str:
    """Return something good for a field, so that only who asks can be what is wrong."""
    if kind == "password":
        return PASSWORD if name != "new_password" else "seven small brass keys"
    return {"email": "new@example.com", "transport": "cookie"}.get(name, "on" if kind == "checkbox" else "something")


# ---- no form sets a role ----

THROWN = {
    "role": "admin",
    "roles": "admin",
    "roles[]": "admin",
    "is_admin": "true",
    "is_staff": "true",
    "is_superuser": "true",
    "admin": "1",
    "granted_by": "admin",
    "standing": "3",
    "account": "member@example.com",
    "values": "admin",
    "actor": "admin",
}


@pytest.mark.parametrize(
    ("person", "accept"), [("nobody", HTML), ("member", "application/json"), ("admin", HTML), ("unconfirmed", HTML)]
)
async def test_no_form_of_the_whole_house_sets_a_role(home: House, person: str, accept: str) -> None:
    """S65."""
    for number, (path, page) in enumerate(posts(home.auth)):
        site = await newcomer(home, person, number)
        before = await roles(home)
        sent = {known.name: value_for(known.name, known.kind) for known in fields(home.auth, page)}
        whole = {**sent, "email": f"thrown{number}@example.com", **THROWN}
        if accept == HTML:
            answer = await site.send("POST", path, form=whole, headers={"accept": accept})
        else:
            answer = await site.send("POST", path, json={**whole, "roles": ["admin"]}, headers={"accept": accept})
        assert answer.status < 500, path
        assert await roles(home) == before, path


async def newcomer(home: House, person: str, number: int) -> Site:
    """Return the browser of somebody whose account nothing was done to yet."""
    site = home.site()
    site.client = f"10.1.0.{number}"
    email = f"{person}{number}@example.com"
    if person == "unconfirmed":
        await sign_up(site, email)
    elif person != "nobody":
        await settle(site, email)
        await let(home, email, person)
    return site


async def roles(home: House) -> list[tuple[str, str]]:
    async with home.auth.begin() as ctx:
        return sorted((row.account, row.role) for row in await ctx.records(RoleRecord).find())


async def test_the_table_is_of_a_house_that_proves_addresses(home: House) -> None:
    """Or `unconfirmed` would be a member like others."""
    assert any(isinstance(each, EmailConfirmation) for each in home.auth.extensions)
    assert json.loads((await ask(await become(home, "unconfirmed"), "GET", "/session", "application/json")).body) == {
        "account": None,
        "session": None,
    }
