"""Powauth in a FastAPI application: pages beside the application's own, and who is signed in on those."""

import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from powauth import (
    Account,
    Auth,
    ConfigurationError,
    Context,
    Detour,
    MemoryStore,
    Proof,
    RawRequest,
    Session,
    authenticate,
    lock_account,
)
from powauth.extensions.prove import recent
from powauth.fastapi import current_account, current_session, current_user, install, sign_in
from powauth.sqlalchemy import SQLAlchemyDatabase
from powauth.testing import Answer, FrozenClock, Outbox, Site
from powauth.testing.factor import CodeFactor
from tests.adapters.counting import CountingStore, statements
from tests.house import BASE_URL, PASSWORD, QUICK, SECRET, House, all_extensions, house, sign_up

pytestmark = pytest.mark.anyio

ADA, EVE = "ada@example.com", "eve@example.com"
NEW_PASSWORD = "five loud purple cats"
JSON = {"accept": "application/json"}
CODE = CodeFactor(asks=(EVE,))


@pytest.fixture
def store(clock: FrozenClock) -> CountingStore:
    return CountingStore(clock)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
async def home(tmp_path: Path, clock: FrozenClock, store: CountingStore) -> AsyncGenerator[House]:
    extensions = (*all_extensions(), CODE)
    async with house(tmp_path, clock=clock, store=store, extensions=extensions) as opened:
        yield opened


@pytest.fixture
def app(home: House) -> FastAPI:
    """An application with a page of each kind."""
    app, auth, get_db = FastAPI(), home.auth, db_of(home.sessionmaker)
    install(app, auth)

    @app.get("/public")
    async def public() -> str:
        return "hello"

    @app.get("/by-session")
    async def by_session(session: Annotated[Session, Depends(current_session(auth))]) -> str:
        return session.public_id

    @app.get("/by-account")
    async def by_account(account: Annotated[Account, Depends(current_account(auth))]) -> str | None:
        return account.email

    @app.get("/me")
    async def me(user: Annotated[Any, Depends(current_user(auth, db=get_db))]) -> str:
        return str(user.email)

    @app.post("/note")
    async def note(session: Annotated[Session, Depends(current_session(auth))]) -> str:
        return session.transport

    return app


@pytest.fixture
async def site(home: House, app: FastAPI) -> Site:
    """Ada's browser, signed in."""
    site = home.site(app)
    await sign_up(site)
    return site


def db_of(sessionmaker: async_sessionmaker[AsyncSession]) -> Callable[[], AsyncIterator[AsyncSession]]:
    """Return an application's dependency for its own database session."""

    async def get_db() -> AsyncIterator[AsyncSession]:
        async with sessionmaker() as db:
            yield db

    return get_db


async def create_tables(home: House) -> None:
    assert isinstance(home.auth.database, SQLAlchemyDatabase)
    await home.auth.database.create_tables()


async def account_of(ctx: Context, email: str = ADA) -> Account:
    account = await ctx.accounts.by_email(email)
    assert account is not None
    return account


# ---- install ----


async def test_the_same_auth_is_not_installed_twice(home: House, app: FastAPI) -> None:
    with pytest.raises(ConfigurationError, match="/auth is taken by another mount"):
        install(app, home.auth)


async def test_two_auths_of_one_application_have_two_names(home: House, app: FastAPI) -> None:
    with pytest.raises(ConfigurationError, match="an Auth called 'powauth': give one of them another name"):
        install(app, twin(home, name="powauth", path="/desk"))


async def test_every_route_stands_in_the_openapi_document(app: FastAPI) -> None:
    assert {"/me", "/auth/sign-in", "/auth/account/close"} <= set(app.openapi()["paths"])


async def test_the_lifespan_of_the_application_surrounds_that_of_powauth(home: House) -> None:
    seen: list[str] = []

    class Watched(MemoryStore):
        async def open(self) -> None:
            seen.append("store opens")

        async def close(self) -> None:
            seen.append("store closes")

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[dict[str, str]]:
        seen.append("application opens")
        await create_tables(home)
        yield {"own": "state"}
        seen.append("application closes")

    app = FastAPI(lifespan=lifespan)
    install(app, twin(home, name="watched", path="/watched", store=Watched()))
    async with app.router.lifespan_context(app) as state:
        assert state == {"own": "state"}
        assert seen == ["application opens", "store opens"]
    assert seen == ["application opens", "store opens", "store closes", "application closes"]


async def test_password_managers_find_where_a_password_is_changed(site: Site) -> None:
    answer = await site.get("/.well-known/change-password")
    assert (answer.status, answer.location) == (303, "/auth/account")


# ---- two of them in one application ----


def twin(home: House, *, name: str, path: str, **settings: Any) -> Auth[Any]:
    """Return another `Auth` with the same secret, store and database."""
    defaults: dict[str, Any] = {"store": home.auth.plan.store, "extensions": (*all_extensions(), CODE)}
    return Auth(
        name=name,
        secret=SECRET,
        base_url=BASE_URL.replace("/auth", path),
        database=home.auth.database,
        clock=home.clock,
        mailer=Outbox(),
        passwords=QUICK,
        **{**defaults, **settings},
    )


@pytest.fixture
async def desk(home: House, app: FastAPI) -> Auth[Any]:
    """A second `Auth` of the same application: same secret, store, database and people."""
    desk = twin(home, name="desk", path="/desk")
    await create_tables(home)
    install(app, desk)

    @app.get("/desk-me")
    async def desk_me(session: Annotated[Session, Depends(current_session(desk))]) -> str:
        return session.public_id

    return desk


async def test_one_auth_takes_no_session_of_the_other(desk: Auth[Any], site: Site) -> None:
    assert (await site.get("/me", headers=JSON)).status == 200
    site.jar["__Host-desk-session"] = str(site.cookie)
    assert (await site.get("/desk-me", headers=JSON)).status == 401


async def test_one_auth_takes_no_bearer_token_of_the_other(desk: Auth[Any], site: Site) -> None:
    program = site.program()
    answer = await program.post("/sign-in", email=ADA, password=PASSWORD, transport="bearer")
    program.bearer = answer.json["token"]
    assert (await program.get("/me")).status == 200
    assert (await program.get("/desk-me")).status == 401


async def test_one_auth_takes_no_parked_sign_in_of_the_other(desk: Auth[Any], site: Site) -> None:
    eve = site.browser()
    assert (await eve.post("/sign-up", email=EVE, password=PASSWORD)).location == "/auth/test-code"
    parked = eve.jar.pop("__Host-powauth-pending")
    eve.jar["__Host-desk-pending"] = parked
    assert (await eve.send("POST", "/desk/test-code", form={"code": "123456"})).status == 401
    eve.jar["__Host-powauth-pending"] = parked
    assert (await eve.post("/test-code", code="123456")).status == 303


async def test_one_auth_shows_no_notice_of_the_other(desk: Auth[Any], site: Site) -> None:
    await site.post("/account/password", current_password=PASSWORD, new_password=NEW_PASSWORD)
    site.jar["__Host-desk-notice"] = site.jar["__Host-powauth-notice"]
    assert "Your password is changed" not in (await site.get("/desk/sign-in")).text
    assert "Your password is changed" in (await site.get("/auth/account")).text


async def test_one_auth_knows_no_device_of_the_other(home: House, desk: Auth[Any], site: Site) -> None:
    device = site.jar["__Host-powauth-device"]
    for auth, is_known in ((home.auth, True), (desk, False)):
        cookie = f"{auth.plan.cookie_name('device')}={device}"
        caller = await auth.visit(RawRequest("GET", "/", headers=(("cookie", cookie),))).caller()
        assert bool(caller.known) == is_known


async def test_signing_out_of_one_auth_leaves_the_other(desk: Auth[Any], site: Site) -> None:
    await site.send("POST", "/desk/sign-in", form={"email": ADA, "password": PASSWORD})
    assert (await site.get("/desk-me", headers=JSON)).status == 200
    await site.send("POST", "/desk/sign-out")
    assert (await site.get("/desk-me", headers=JSON)).status == 401
    assert (await site.get("/me", headers=JSON)).status == 200


# ---- dependencies ----


async def test_dependencies_that_ask_the_same_are_one(home: House) -> None:
    auth, get_db, fresh = home.auth, db_of(home.sessionmaker), recent(timedelta(minutes=5))
    assert current_session(auth) == current_session(auth)
    assert current_account(auth, require=fresh) == current_account(auth, require=recent(timedelta(minutes=5)))
    assert len({current_user(auth, db=get_db), current_user(auth, db=get_db)}) == 1
    assert len({current_user(auth, db=get_db), current_user(auth, db=db_of(home.sessionmaker))}) == 2
    differ: tuple[object, ...] = (
        current_session(auth),
        current_session(auth, require=fresh),
        current_session(auth, optional=True),
        current_user(auth, db=get_db),
        current_user(auth, db=get_db, optional=True),
    )
    assert len(set(differ)) == len(differ)


async def test_a_dependency_is_asked_once_per_request(home: House, app: FastAPI, site: Site) -> None:
    auth, get_db = home.auth, db_of(home.sessionmaker)

    def name(user: Annotated[Any, Depends(current_user(auth, db=get_db))]) -> str:
        return str(user.email)

    @app.get("/twice")
    async def twice(
        name: Annotated[str, Depends(name)],
        one: Annotated[Any, Depends(current_user(auth, db=get_db))],
        other: Annotated[Any, Depends(current_user(auth, db=get_db))],
    ) -> bool:
        return one is other and one.email == name

    with statements(home.engine) as sent:
        assert (await site.get("/twice")).json is True
    assert len(sent) == 1


async def test_a_test_replaces_a_dependency(home: House, app: FastAPI) -> None:
    auth, get_db = home.auth, db_of(home.sessionmaker)

    @app.get("/mine")
    async def mine(user: Annotated[Any, Depends(current_user(auth, db=get_db))]) -> str:
        return str(user.email)

    app.dependency_overrides[current_user(auth, db=get_db)] = lambda: home.user(email="somebody@example.com")
    assert (await home.site(app).get("/mine")).json == "somebody@example.com"


async def test_an_optional_dependency_is_none_for_strangers(home: House, app: FastAPI, site: Site) -> None:
    auth, get_db = home.auth, db_of(home.sessionmaker)

    @app.get("/greeting")
    async def greeting(
        session: Annotated[Session | None, Depends(current_session(auth, optional=True))],
        account: Annotated[Account | None, Depends(current_account(auth, optional=True))],
        user: Annotated[Any, Depends(current_user(auth, db=get_db, optional=True))],
    ) -> list[bool]:
        return [session is None, account is None, user is None]

    assert (await site.get("/greeting")).json == [False, False, False]
    assert (await site.browser().get("/greeting")).json == [True, True, True]


async def test_signed_out_people_are_sent_to_sign_in_and_programs_told(site: Site) -> None:
    answer = await site.browser().get("/me?tab=1")
    assert (answer.status, answer.location) == (303, "/auth/sign-in?next=%2Fme%3Ftab%3D1")
    refused = await site.program().get("/me")
    assert (refused.status, refused.code) == (401, "not_signed_in")
    assert refused.header("content-type") == "application/problem+json"
    assert refused.header("www-authenticate") == "Bearer"


async def test_a_page_that_asks_for_a_recent_proof_sends_people_to_prove_and_back(
    home: House, app: FastAPI, site: Site
) -> None:
    """S30."""
    fresh = recent(timedelta(minutes=5))

    @app.get("/vault")
    async def vault(_: Annotated[Session, Depends(current_session(home.auth, require=fresh))]) -> str:
        return "gold"

    assert (await site.get("/vault?drawer=2")).json == "gold"
    home.clock.move(timedelta(minutes=6))
    asked = await site.get("/vault?drawer=2")
    assert (asked.status, asked.location) == (303, "/auth/prove?next=%2Fvault%3Fdrawer%3D2")
    proved = await site.post(asked.location, password=PASSWORD, next="/vault?drawer=2")
    assert proved.location == "/vault?drawer=2"
    assert (await site.get(proved.location)).json == "gold"


async def test_a_program_is_told_that_a_recent_proof_is_needed(home: House, app: FastAPI, site: Site) -> None:
    fresh = recent(timedelta(minutes=5))

    @app.get("/vault")
    async def vault(_: Annotated[Session, Depends(current_session(home.auth, require=fresh))]) -> str:
        return "gold"

    home.clock.move(timedelta(minutes=6))
    refused = await site.get("/vault", headers=JSON)
    assert (refused.status, refused.code) == (401, "action_required")
    assert refused.json["action"]["name"] == "prove.prove"
    assert (await site.browser().get("/vault", headers=JSON)).code == "not_signed_in"


# ---- answers ----


def sets_a_session(answer: Answer) -> bool:
    return any(header.startswith("__Host-powauth-session=") for header in answer.cookies())


@pytest.mark.parametrize("path", ["own", "http-exception", "stream", "plain", "invalid"])
async def test_a_renewed_cookie_leaves_with_whatever_answer(home: House, app: FastAPI, site: Site, path: str) -> None:
    session = current_session(home.auth)

    @app.get("/own")
    async def own(_: Annotated[Session, Depends(session)]) -> Response:
        return JSONResponse({}, headers={"cache-control": "public, max-age=60"})

    @app.get("/http-exception")
    async def raising(_: Annotated[Session, Depends(session)]) -> str:
        raise HTTPException(418)

    @app.get("/stream")
    async def stream(_: Annotated[Session, Depends(session)]) -> StreamingResponse:
        async def parts() -> AsyncIterator[str]:
            yield "one "
            yield "two"

        return StreamingResponse(parts())

    @app.get("/plain")
    async def plain(_: Annotated[Session, Depends(session)]) -> str:
        return "plain"

    @app.get("/invalid")
    async def invalid(_: Annotated[Session, Depends(session)], number: int) -> int:
        return number

    home.clock.move(timedelta(minutes=16))
    answer = await site.get(f"/{path}")
    assert sets_a_session(answer), answer
    assert answer.header("cache-control") == "private, no-store"
    assert answer.header("vary") == "Cookie, Authorization, Accept"


async def test_a_cookie_leaves_although_the_page_breaks(home: House, app: FastAPI, site: Site) -> None:
    @app.get("/broken")
    async def broken(_: Annotated[Session, Depends(current_session(home.auth))]) -> str:
        raise RuntimeError

    home.clock.move(timedelta(minutes=16))
    answer = await through_an_error(site, "/broken")
    assert answer.status == 500
    assert sets_a_session(answer)
    assert answer.header("cache-control") == "private, no-store"


async def through_an_error(site: Site, path: str) -> Answer:
    """Return what a server would have sent before the error reached it; Starlette raises it on to be logged."""
    answers: list[Answer] = []
    inner = site._app

    async def surviving(scope: Any, receive: Any, send: Any) -> None:
        with pytest.raises(RuntimeError):
            await inner(scope, receive, send)

    site._app = surviving
    answers.append(await site.get(path))
    site._app = inner
    return answers[0]


async def test_answers_that_asked_for_no_session_are_left_alone(site: Site) -> None:
    answer = await site.get("/public")
    assert (answer.header("cache-control"), answer.header("vary"), answer.cookies()) == (None, None, [])
    asked = await site.get("/me")
    assert (asked.header("cache-control"), asked.header("vary")) == (
        "private, no-store",
        "Cookie, Authorization, Accept",
    )


async def test_the_answer_to_a_stranger_is_private_too_where_a_session_was_asked_for(site: Site) -> None:
    answer = await site.browser().get("/me")
    assert answer.header("cache-control") == "private, no-store"


# ---- other sites ----


async def test_an_unsafe_request_with_a_cookie_comes_from_this_site(site: Site) -> None:
    """S54."""
    assert (await site.send("POST", "/note")).status == 200
    for headers in (
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "https://sub.example.com"},
    ):
        refused = await site.send("POST", "/note", headers={**JSON, **headers})
        assert (refused.status, refused.code) == (403, "cross_site"), headers


async def test_a_bearer_token_needs_no_origin_and_a_cookie_does(app: FastAPI, site: Site) -> None:
    program = site.program()
    answer = await program.post("/sign-in", email=ADA, password=PASSWORD, transport="bearer")
    cookie = f"__Host-powauth-session={site.cookie}"
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="https://example.com") as client:
        noted = await client.post("/note", headers={"authorization": f"Bearer {answer.json['token']}"})
        assert (noted.status_code, noted.json()) == (200, "bearer")
        assert (await client.post("/note", headers={"cookie": cookie})).status_code == 403


async def test_the_words_bearer_x_do_not_make_a_cookie_acceptable_from_elsewhere(site: Site) -> None:
    headers = {**JSON, "origin": "https://evil.example", "authorization": "Bearer x"}
    assert (await site.send("POST", "/note", headers=headers)).status == 401


# ---- the application's own user ----


async def test_what_a_page_changes_of_the_user_is_what_its_session_commits(
    home: House, app: FastAPI, site: Site
) -> None:
    get_db = db_of(home.sessionmaker)

    @app.post("/name")
    async def name(
        user: Annotated[Any, Depends(current_user(home.auth, db=get_db))],
        db: Annotated[AsyncSession, Depends(get_db)],
    ) -> bool:
        user.name = "Countess"
        await db.commit()
        return user in db

    assert (await site.send("POST", "/name")).json is True
    async with home.sessionmaker() as db:
        assert (await db.execute(text("SELECT name FROM users"))).scalars().all() == ["Countess"]


async def test_a_row_that_is_newer_than_the_session_ends_it(home: House, site: Site) -> None:
    """S27."""
    async with home.engine.begin() as connection:
        await connection.execute(text("UPDATE users SET epoch = epoch + 1"))
    assert (await site.get("/me", headers=JSON)).status == 401
    async with home.auth.begin(writes=False) as ctx:
        assert await ctx.sessions.list((await account_of(ctx)).handle) == ()


async def test_a_locked_account_is_refused_at_once(home: House, site: Site) -> None:
    """S27: on the pages that ask for the account; the lock ended the session for the others."""
    async with home.engine.begin() as connection:
        await connection.execute(text("UPDATE users SET locked_at = created_at"))
    assert (await site.get("/me", headers=JSON)).status == 401
    assert (await site.get("/by-session", headers=JSON)).status == 401


@pytest.fixture
async def stale(home: House, app: FastAPI, tmp_path: Path) -> AsyncGenerator[Callable[[], None]]:
    """A page whose database session reads a copy; call it to take the copy."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/copy.db")
    get_db = db_of(async_sessionmaker(engine))

    @app.get("/stale-me")
    async def stale_me(user: Annotated[Any, Depends(current_user(home.auth, db=get_db))]) -> str:
        return str(user.email)

    def take() -> None:
        shutil.copy(f"{tmp_path}/app.db", f"{tmp_path}/copy.db")

    yield take
    await engine.dispose()


async def test_a_row_that_is_older_than_the_session_is_read_again_before_anything_is_decided(
    home: House, site: Site, stale: Callable[[], None]
) -> None:
    stale()
    await site.post("/account/password", current_password=PASSWORD, new_password=NEW_PASSWORD)
    assert (await site.get("/stale-me")).json == ADA
    async with home.auth.begin() as ctx:
        await lock_account(ctx, (await account_of(ctx)).handle)
    assert (await site.get("/stale-me", headers=JSON)).status == 401


async def test_a_row_that_is_not_there_yet_is_told_as_come_back_later(
    home: House, app: FastAPI, site: Site, stale: Callable[[], None]
) -> None:
    stale()
    eve = site.browser()
    await sign_up(eve, "bob@example.com")
    missing = await eve.get("/stale-me", headers=JSON)
    assert (missing.status, missing.code) == (503, "unavailable")
    stale()
    assert (await eve.get("/stale-me")).json == "bob@example.com"


# ---- signing in from a handler of the application's own ----


@pytest.fixture
def own_door(home: House, app: FastAPI) -> str:
    """A handler that signs in whoever knows the password."""

    async def enter(request: Request, email: str) -> str:
        async with home.auth.begin() as ctx:
            known = await authenticate(ctx, email, PASSWORD)
        result = await sign_in(home.auth, request, known.proof)
        return result.page.name if isinstance(result, Detour) else result.public_id

    app.add_api_route("/enter", enter, methods=["GET", "POST"])
    return "/enter"


async def test_a_handler_of_the_applications_own_signs_in(app: FastAPI, site: Site, own_door: str) -> None:
    stranger = site.browser()
    assert (await stranger.send("POST", f"{own_door}?email={ADA}")).status == 200
    assert (await stranger.get("/me")).json == ADA


async def test_the_session_before_ends_with_that(home: House, site: Site, own_door: str) -> None:
    """S23."""
    former = site.cookie
    await site.send("POST", f"{own_door}?email={ADA}")
    assert site.cookie != former
    other = site.browser()
    other.jar["__Host-powauth-session"] = str(former)
    assert (await other.get("/me", headers=JSON)).status == 401


async def test_such_a_handler_signs_nobody_in_by_get_nor_for_another_site(site: Site, own_door: str) -> None:
    """S54: a sign-in that another site sends is refused, cookie or not."""
    stranger = site.browser()
    assert (await stranger.get(f"{own_door}?email={ADA}", headers=JSON)).code == "forbidden"
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site", "authorization": "Bearer x"}):
        refused = await stranger.send("POST", f"{own_door}?email={ADA}", headers={**JSON, **headers})
        assert refused.code == "cross_site"
    assert stranger.jar == {}


async def test_the_gates_hold_for_such_a_handler(site: Site, own_door: str) -> None:
    """S32."""
    await sign_up(site.browser(), EVE)
    eve = site.browser()
    answer = await eve.send("POST", f"{own_door}?email={EVE}")
    assert (answer.status, answer.json) == (200, "code")
    assert eve.cookie is None


async def test_a_step_that_stands_before_such_a_sign_in_leads_on_to_the_session(site: Site, own_door: str) -> None:
    await sign_up(site.browser(), EVE)
    eve = site.browser()
    await eve.send("POST", f"{own_door}?email={EVE}")
    assert (await eve.get("/test-code")).status == 200
    assert (await eve.post("/test-code", code="123456")).location == "/"
    assert (await eve.get("/me")).json == EVE


async def test_a_proof_of_an_account_as_it_was_signs_nobody_in(home: House, app: FastAPI, site: Site) -> None:
    async with home.auth.begin(writes=False) as ctx:
        account = await account_of(ctx)
    stale = Proof(account.handle, account.epoch - 1, "password", home.clock.now())

    @app.post("/stale-proof")
    async def enter(request: Request) -> bool:
        return isinstance(await sign_in(home.auth, request, stale), Session)

    refused = await site.browser().send("POST", "/stale-proof", headers=JSON)
    assert (refused.status, refused.code) == (401, "invalid_credentials")


# ---- what it costs ----


@pytest.mark.parametrize(("path", "queries"), [("/by-session", 0), ("/by-account", 1), ("/me", 1)])
async def test_a_signed_in_request_reads_the_store_once_and_writes_nothing(
    home: House, site: Site, store: CountingStore, path: str, queries: int
) -> None:
    await site.get(path)
    store.reads = store.writes = 0
    with statements(home.engine) as sent:
        assert (await site.get(path)).status == 200
    assert (store.reads, store.writes, len(sent)) == (1, 0, queries), sent


async def test_a_forged_cookie_never_reaches_the_store(site: Site, store: CountingStore) -> None:
    cookie = site.jar["__Host-powauth-session"]
    site.jar["__Host-powauth-session"] = cookie[:-2] + ("AA" if cookie[-2:] != "AA" else "BB")
    store.reads = store.writes = 0
    assert (await site.get("/by-session", headers=JSON)).status == 401
    assert (store.reads, store.writes) == (0, 0)


async def test_a_page_that_asks_nothing_costs_nothing(home: House, site: Site, store: CountingStore) -> None:
    store.reads = store.writes = 0
    with statements(home.engine) as sent:
        await site.get("/public")
    assert (store.reads, store.writes, sent) == (0, 0, [])
