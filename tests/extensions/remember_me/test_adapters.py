"""A remembered browser comes back on an application's own pages, and the cookies go with whatever leaves."""

from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from powauth import Session
from powauth.asgi import Guarded
from powauth.fastapi import current_session as session_of_fastapi
from powauth.fastapi import current_user as user_of_fastapi
from powauth.fastapi import install as install_in_fastapi
from powauth.starlette import current_account, current_session, install
from powauth.testing import Site
from tests.extensions.remember_me.browser import FETCHES, close, name_of, navigate, remembered, send
from tests.extensions.remember_me.conftest import extensions
from tests.house import PASSWORD, House, house

pytestmark = pytest.mark.anyio


def starlette(home: House) -> Any:
    async def page(request: Request) -> Response:
        await current_session(home.auth)(request)
        return PlainTextResponse("in")

    async def account(request: Request) -> Response:
        return JSONResponse((await current_account(home.auth)(request)).email)

    async def optional(request: Request) -> Response:
        session = await current_session(home.auth, optional=True)(request)
        return JSONResponse(session is not None)

    async def broken(request: Request) -> Response:
        await current_session(home.auth)(request)
        raise ValueError("broken")

    async def stream(request: Request) -> Response:
        await current_session(home.auth)(request)

        async def parts() -> AsyncIterator[str]:
            yield "in"

        return StreamingResponse(parts())

    async def public(request: Request) -> Response:
        return PlainTextResponse("public")

    pages = {"page": page, "account": account, "optional": optional, "broken": broken, "stream": stream}
    guarded = Mount("/guarded", Guarded(Starlette(routes=[Route("/", public)]), home.auth))
    routes = [Route(f"/own/{name}", handler, methods=["GET", "POST"]) for name, handler in pages.items()]
    app = Starlette(routes=[*routes, Route("/own/public", public), guarded])
    install(app, home.auth)
    return app


def fastapi(home: House) -> Any:
    app = FastAPI()
    install_in_fastapi(app, home.auth)

    async def get_db() -> AsyncIterator[Any]:
        async with home.sessionmaker() as db:
            yield db

    session = Depends(session_of_fastapi(home.auth))
    optional_session = Depends(session_of_fastapi(home.auth, optional=True))
    user = Depends(user_of_fastapi(home.auth, db=get_db))

    @app.api_route("/own/page", methods=["GET", "POST"])
    async def page(found: Annotated[Session, session]) -> Response:
        return PlainTextResponse("in")  # a response of its own: what a dependency sets on another is lost

    @app.get("/own/account")
    async def account(found: Annotated[Any, user]) -> str:
        return str(found.email)

    @app.get("/own/optional")
    async def optional(found: Annotated[Session | None, optional_session]) -> bool:
        return found is not None

    @app.get("/own/broken")
    async def broken(found: Annotated[Session, session]) -> None:
        raise ValueError("broken")

    @app.get("/own/stream")
    async def stream(found: Annotated[Session, session]) -> Response:
        return StreamingResponse(iter(["in"]))

    @app.get("/own/public")
    async def public() -> Response:
        return PlainTextResponse("public")

    app.mount("/guarded", Guarded(Starlette(routes=[Route("/", lambda _: PlainTextResponse("public"))]), home.auth))
    return app


@pytest.fixture(params=[starlette, fastapi])
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Site]:
    async with house(tmp_path, extensions=extensions()) as home:
        site = home.site(request.param(home))
        await send(site, "/sign-up", email="ada@example.com", password=PASSWORD, remember=True)
        close(site)
        yield site


@pytest.mark.parametrize("path", ["/own/page", "/own/account", "/own/optional", "/own/stream", "/guarded/"])
async def test_the_cookies_go_with_an_application_s_own_answer(site: Site, path: str) -> None:
    former = remembered(site)
    answer = await navigate(site, path)
    assert (answer.status, answer.text != "false") == (200, True)
    assert site.cookie
    assert remembered(site) not in {None, former}
    assert answer.header("cache-control") == "private, no-store"
    assert (await site.get("/own/page")).status == 200


async def test_an_error_of_the_application_s_loses_nobody(site: Site) -> None:
    former = remembered(site)
    with pytest.raises(ValueError, match="broken"):
        await navigate(site, "/own/broken")
    assert remembered(site) == former  # this browser in memory saw no answer: it was lost on the way
    assert (await navigate(site, "/own/page")).status == 200
    assert remembered(site) != former


async def test_a_script_of_another_site_brings_nobody_back(site: Site) -> None:
    evil = {"sec-fetch-site": "cross-site", "sec-fetch-dest": "empty", "origin": "https://evil.example"}
    assert (await site.send("POST", "/own/page", headers=evil)).status == 401
    assert site.cookie is None


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_script_of_the_site_comes_back(site: Site, method: str) -> None:
    assert (await site.send(method, "/own/page", headers=FETCHES)).status == 200
    assert site.cookie


async def test_a_page_that_asks_for_nobody_uses_nothing(site: Site) -> None:
    former = remembered(site)
    answer = await navigate(site, "/own/public")
    assert (answer.cookies(), answer.header("cache-control")) == ([], None)
    assert remembered(site) == former


async def test_whoever_is_forgotten_goes_to_sign_in_and_the_cookie_goes(site: Site) -> None:
    kept = dict(site.jar)
    await navigate(site, "/own/page")
    await send(site, "/sign-out")
    site.jar = kept
    answer = await navigate(site, "/own/page")
    assert answer.location == "/auth/sign-in?next=%2Fown%2Fpage"
    assert name_of(site) not in site.jar
