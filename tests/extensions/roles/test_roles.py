"""Roles: granted on the server only, asked of the database each time, and refused at once when they are gone."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from powauth import Account, Caller, ConfigurationError, Context, Event, OwnerOnly, on
from powauth.asgi import Guarded
from powauth.extensions.roles import (
    LastOfItsKind,
    RoleGranted,
    RoleRecord,
    RoleRevoked,
    Roles,
    grant,
    revoke,
    role,
    roles_of,
    standing,
)
from powauth.fastapi import install as install_fastapi
from powauth.guards import Guard
from powauth.http import RawRequest
from powauth.operations import erase_account
from powauth.starlette import current_account, current_session, current_user, install
from tests.house import House, all_extensions, house, let, sign_in, sign_up

pytestmark = pytest.mark.anyio

COOKIE = "__Host-powauth-session"


@pytest.fixture
async def heard() -> list[Event]:
    return []


@pytest.fixture
async def home(tmp_path: Path, heard: list[Event]) -> AsyncGenerator[House]:
    async def hear(event: RoleGranted | RoleRevoked, _: Context) -> None:
        heard.append(event)

    hooks = (on(RoleGranted, hear), on(RoleRevoked, hear))
    async with house(tmp_path, extensions=(*all_extensions(), Roles()), hooks=hooks) as opened:
        yield opened


async def admin_only(request: Request) -> JSONResponse:
    return JSONResponse({"in": True})


def app_of(home: House) -> Starlette:
    """Return an application with a page for each way in which somebody is asked for a role."""

    def page(guard: Any) -> Any:
        async def endpoint(request: Request) -> JSONResponse:
            await guard(request)
            return JSONResponse({"in": True})

        return endpoint

    inner = Starlette(routes=[Route("/", admin_only)])
    app = Starlette(
        routes=[
            Route("/session-page", page(current_session(home.auth, require=role("admin")))),
            Route("/account-page", page(current_account(home.auth, require=role("admin")))),
            Route("/editors", page(current_account(home.auth, require=role("editor")))),
            Mount("/mount", Guarded(inner, home.auth, require=role("admin"))),
        ]
    )
    install(app, home.auth)
    return app


PAGES = ("/session-page", "/account-page", "/mount/")


async def take(home: House, email: str, name: str, **settings: bool) -> None:
    async with home.auth.begin() as ctx:
        account = await ctx.accounts.by_email(email)
        assert account is not None
        await revoke(ctx, account, name, **settings)


async def account(home: House, email: str) -> Account:
    async with home.auth.begin() as ctx:
        found = await ctx.accounts.by_email(email)
    assert found is not None
    return found


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_asks_for_a_role_401_signed_out_403_without_it_200_with_it(home: House, path: str) -> None:
    """S65."""
    site = home.site(app_of(home)).program()
    assert (await site.get(path)).status == 401
    await sign_up(site)
    answer = await site.get(path)
    assert (answer.status, answer.code) == (403, "forbidden")
    await let(home, "ada@example.com", "admin")
    assert (await site.get(path)).status == 200


@pytest.mark.parametrize("path", PAGES)
async def test_a_revoked_role_is_refused_at_the_very_next_request(home: House, path: str) -> None:
    """S65."""
    site = home.site(app_of(home)).program()
    await sign_up(site)
    await let(home, "ada@example.com", "admin")
    assert (await site.get(path)).status == 200
    await take(home, "ada@example.com", "admin", may_be_last=True)
    assert (await site.get(path)).status == 403


async def test_people_are_sent_to_sign_in_and_who_is_in_without_the_role_is_told_so(home: House) -> None:
    site = home.site(app_of(home))
    answer = await site.get("/account-page")
    assert (answer.status, answer.location) == (303, "/auth/sign-in?next=%2Faccount-page")
    await sign_up(site)
    assert (await site.get("/account-page")).status == 403


async def test_a_higher_role_may_do_what_a_lower_one_may_and_not_the_other_way_round(home: House) -> None:
    site = home.site(app_of(home)).program()
    await sign_up(site)
    await let(home, "ada@example.com", "member")
    assert (await site.get("/editors")).status == 403
    await let(home, "ada@example.com", "admin")
    assert (await site.get("/editors")).status == 200


async def test_roles_that_are_not_cumulative_are_good_for_themselves_alone(tmp_path: Path) -> None:
    roles = Roles(roles=("billing", "support"), cumulative=False)
    async with house(tmp_path, extensions=(*all_extensions(), roles)) as home:
        await sign_up(home.site())
        await let(home, "ada@example.com", "support")
        ada = await account(home, "ada@example.com")
        async with home.auth.begin() as ctx:
            assert await roles_of(ctx, ada) == ("support",)
            assert await standing(ctx, ada) == 2


async def test_fastapi_asks_through_its_dependencies_and_a_whole_router(home: House) -> None:
    """S65."""

    async def get_db() -> AsyncGenerator[object]:
        async with home.sessionmaker() as db:
            yield db

    app = FastAPI()
    guard = current_user(home.auth, require=role("admin"))

    @app.get("/user")
    async def user(request: Request, db: Annotated[object, Depends(get_db)]) -> dict[str, bool]:
        await guard(request, db)
        return {"in": True}

    @app.get("/router", dependencies=[Depends(current_account(home.auth, require=role("admin", "editor")))])
    async def router() -> dict[str, bool]:
        return {"in": True}

    install_fastapi(app, home.auth)
    site = home.site(app).program()
    assert [(await site.get(path)).status for path in ("/user", "/router")] == [401, 401]
    await sign_up(site)
    assert [(await site.get(path)).status for path in ("/user", "/router")] == [403, 403]
    await let(home, "ada@example.com", "editor")
    assert [(await site.get(path)).status for path in ("/user", "/router")] == [403, 200]


async def test_requirements_of_the_same_roles_are_equal_so_that_a_framework_asks_once(home: House) -> None:
    assert role("admin") == role("admin")
    assert hash(role("admin")) == hash(role("admin"))
    assert role("admin") != role("editor")
    assert current_session(home.auth, require=role("admin")) == current_session(home.auth, require=role("admin"))


async def test_a_role_that_does_not_exist_is_refused_before_the_first_request(home: House, tmp_path: Path) -> None:
    """S57."""
    with pytest.raises(ConfigurationError, match=r"role\('boss'\) is asked for, and Roles\(roles=…\) names member"):
        current_session(home.auth, require=role("boss"))
    with pytest.raises(ConfigurationError, match="names no role"):
        role()
    async with house(tmp_path / "..", extensions=all_extensions()) as bare:
        for guard in (Guard, current_account):
            with pytest.raises(ConfigurationError, match=r"add Roles\(\) to extensions"):
                guard(bare.auth, require=role("admin"))


@pytest.mark.parametrize("roles", [(), ("Admin",), ("a", "a"), ("x" * 64,)])
async def test_roles_that_make_no_order_are_refused_at_start(tmp_path: Path, roles: tuple[str, ...]) -> None:
    """S57."""
    with pytest.raises(ConfigurationError, match="roles: "):
        async with house(tmp_path, extensions=(*all_extensions(), Roles(roles=roles))):
            pass


async def test_granting_and_revoking_is_announced_once_with_who_did_it(home: House, heard: list[Event]) -> None:
    await sign_up(home.site())
    await sign_up(home.site(), "bob@example.com")
    ada, bob = await account(home, "ada@example.com"), await account(home, "bob@example.com")
    async with home.auth.begin(writes=False) as ctx:
        (session,) = await ctx.sessions.list(bob.handle)
    async with home.auth.begin(caller=Caller(session=session)) as ctx:
        assert await grant(ctx, ada, "editor")
        assert not await grant(ctx, ada, "editor")
        assert await revoke(ctx, ada, "editor")
        assert not await revoke(ctx, ada, "editor")
    assert [
        (type(event), event.role, event.by) for event in heard if isinstance(event, (RoleGranted, RoleRevoked))
    ] == [
        (RoleGranted, "editor", bob.handle),
        (RoleRevoked, "editor", bob.handle),
    ]


async def test_a_role_that_is_not_named_is_never_granted(home: House) -> None:
    await sign_up(home.site())
    with pytest.raises(ConfigurationError, match="is no role"):
        await let(home, "ada@example.com", "root")


async def test_the_last_who_has_the_highest_role_keeps_it_unless_that_is_meant(home: House) -> None:
    await sign_up(home.site())
    await sign_up(home.site(), "bob@example.com")
    await let(home, "ada@example.com", "admin")
    with pytest.raises(LastOfItsKind):
        await take(home, "ada@example.com", "admin")
    await let(home, "bob@example.com", "admin")
    await take(home, "ada@example.com", "admin")
    with pytest.raises(LastOfItsKind):
        await take(home, "bob@example.com", "admin")
    await take(home, "bob@example.com", "admin", may_be_last=True)
    async with home.auth.begin() as ctx:
        assert not await ctx.records(RoleRecord).find()


async def test_roles_go_with_the_account_and_who_granted_them_is_forgotten_with_theirs(home: House) -> None:
    for email in ("ada@example.com", "bob@example.com"):
        await sign_up(home.site(), email)
    ada, bob = await account(home, "ada@example.com"), await account(home, "bob@example.com")
    async with home.auth.begin(writes=False) as ctx:
        (session,) = await ctx.sessions.list(bob.handle)
    async with home.auth.begin(caller=Caller(session=session)) as ctx:
        await grant(ctx, ada, "editor")
        await grant(ctx, bob, "editor")
    async with home.auth.begin() as ctx:
        await erase_account(ctx, await ctx.lock(bob.handle))
    async with home.auth.begin() as ctx:
        (row,) = await ctx.records(RoleRecord).find()
        assert (row.account, row.granted_by) == (ada.handle, None)


# ---- sessions ----


async def test_a_change_rotates_the_cookie_at_the_next_request_and_the_one_before_dies_a_minute_later(
    home: House,
) -> None:
    """S23, S65."""
    site = home.site()
    await sign_up(site)
    before = site.cookie
    assert (await site.get("/account")).cookies() == []

    await let(home, "ada@example.com", "editor")

    await site.get("/account")
    after = site.cookie
    assert after != before
    await site.get("/account")
    home.clock.move(timedelta(seconds=61))
    stale = home.site()
    stale.jar[COOKIE] = str(before)
    assert (await stale.get("/account")).status == 303
    assert (await site.get("/account")).status == 303  # and two held it: theft


async def test_a_change_leaves_cookies_alone_once_they_are_replaced(home: House) -> None:
    site = home.site()
    await sign_up(site)
    await let(home, "ada@example.com", "editor")
    for _ in range(2):
        await site.get("/account")
    assert (await site.get("/account")).cookies() == []
    assert (await site.get("/account")).status == 200


async def test_a_change_ends_tokens_since_no_answer_replaces_them(home: House) -> None:
    """S65."""
    await sign_up(home.site())
    program = home.site().program()
    answer = await program.post(
        "/sign-in", email="ada@example.com", password="four quiet green owls", transport="bearer"
    )
    program.bearer = answer.json["token"]
    assert (await program.get("/account")).status == 200
    await let(home, "ada@example.com", "editor")
    assert (await program.get("/account")).status == 401


async def test_a_connection_that_lasts_ends_with_the_role_that_it_was_opened_with(home: House) -> None:
    """S27, S65."""
    site = home.site()
    await sign_up(site)
    await let(home, "ada@example.com", "admin")
    ada = await account(home, "ada@example.com")
    async with home.auth.begin(writes=False) as ctx:
        (session,) = await ctx.sessions.list(ada.handle)
    visit = home.auth.visit(RawRequest("GET", "/feed"), is_socket=True)
    guard, other = Guard(home.auth, role("admin")), Guard(home.auth)
    assert await guard.goes_on(visit, session)
    await take(home, "ada@example.com", "admin", may_be_last=True)
    assert not await guard.goes_on(visit, session)
    assert await other.goes_on(visit, session)
    async with home.auth.begin() as ctx:
        await ctx.sessions.end(session)
    assert not await other.goes_on(visit, session)


async def test_a_front_end_is_told_the_roles_and_a_page_can_ask(home: House) -> None:
    program = home.site().program()
    await sign_up(program)
    assert (await program.get("/session")).json["account"]["roles"] == []
    await let(home, "ada@example.com", "editor")
    assert (await program.get("/session")).json["account"]["roles"] == ["member", "editor"]


async def test_no_session_and_no_cookie_holds_a_role(home: House) -> None:
    site = home.site()
    await sign_up(site)
    await let(home, "ada@example.com", "editor")
    await sign_in(home.site())
    async with home.auth.begin(writes=False) as ctx:
        sessions = await ctx.sessions.list((await account(home, "ada@example.com")).handle)
    assert len(sessions) == 2
    assert "editor" not in repr(sessions)


async def test_whoever_acts_as_somebody_grants_and_revokes_nothing(home: House) -> None:
    """S66."""
    await sign_up(home.site())
    ada = await account(home, "ada@example.com")
    async with home.auth.begin(writes=False) as ctx:
        (session,) = await ctx.sessions.list(ada.handle)
        acting = ctx.sessions.new(ada, session.proofs, transport="cookie", actor=ada.handle)
    for change in (grant, revoke):
        with pytest.raises(OwnerOnly):
            async with home.auth.begin(caller=Caller(session=acting)) as ctx:
                await change(ctx, ada, "editor")
