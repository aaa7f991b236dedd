"""Only who ticks the box is remembered, on every page that signs in, and one at a time."""

from datetime import timedelta
from http.cookies import SimpleCookie
from pathlib import Path

import pytest

from powauth.errors import ConfigurationError
from powauth.extensions.remember_me import RememberMe
from powauth.testing import Site
from powauth.testing.factor import CodeFactor
from tests.extensions.remember_me.browser import close, is_in, name_of, navigate, remembered, send, sign_in
from tests.extensions.remember_me.conftest import extensions
from tests.house import PASSWORD, House, house, sign_up

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"


@pytest.fixture
async def known(home: House) -> House:
    """A house in which Ada has an account, and is remembered nowhere."""
    await sign_up(home.site())
    return home


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up"])
async def test_every_page_that_signs_in_has_the_box_and_it_is_not_ticked(home: House, path: str) -> None:
    page = await home.site().get(path)
    assert "Keep me signed in on this device" in page.text
    assert "Only on a device that nobody else uses." in page.text
    assert " checked" not in page.text
    fields = (await home.site().program().get(path)).json["fields"]
    assert next(field for field in fields if field["name"] == "remember")["required"] is False


async def test_no_link_ticks_the_box(home: House) -> None:
    assert " checked" not in (await home.site().get("/sign-in?remember=on")).text


async def test_whoever_mistypes_the_password_finds_the_box_as_they_left_it(known: House) -> None:
    assert " checked" in (await sign_in(known.site(), "wrong words here", remember=True)).text


@pytest.mark.parametrize("fields", [{}, {"remember": "false"}, {"remember": "0"}, {"remember": ""}])
async def test_a_form_without_a_tick_remembers_nobody(known: House, fields: dict[str, object]) -> None:
    site = known.site()
    assert (await sign_in(site, PASSWORD, **fields)).status == 303
    assert remembered(site) is None
    close(site)
    assert not await is_in(site)


@pytest.mark.parametrize("fields", [{}, {"remember": "false"}, {"remember": False}, {"remember": None}])
async def test_json_without_a_tick_remembers_nobody(known: House, fields: dict[str, object]) -> None:
    program = known.site().program()
    assert (await program.post("/sign-in", email=ADA, password=PASSWORD, **fields)).status == 200
    assert remembered(program) is None


@pytest.mark.parametrize("value", [True, "true", "on", "1"])
async def test_a_tick_remembers_in_json(known: House, value: object) -> None:
    program = known.site().program()
    assert (await program.post("/sign-in", email=ADA, password=PASSWORD, remember=value)).status == 200
    assert remembered(program)


async def test_what_is_neither_is_an_error_of_the_field(known: House) -> None:
    answer = await known.site().program().post("/sign-in", email=ADA, password=PASSWORD, remember="maybe")
    assert (answer.status, list(answer.json["errors"])) == (422, ["remember"])


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up"])
async def test_a_tick_keeps_the_browser_signed_in_after_it_was_closed(known: House, path: str) -> None:
    site = known.site()
    email = ADA if path == "/sign-in" else "bob@example.com"
    answer = await send(site, path, email=email, password=PASSWORD, remember=True)
    cookie = next(SimpleCookie(text)[name_of(site)] for text in answer.cookies() if name_of(site) in text)
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"], cookie["path"]) == (True, True, "Lax", "/")
    assert cookie["max-age"] == str(30 * 24 * 60 * 60)
    assert name_of(site).startswith("__Host-")
    close(site)
    assert (await navigate(site)).status == 200


async def test_a_wrong_password_remembers_nobody(known: House) -> None:
    site = known.site()
    assert (await sign_in(site, "wrong words here", remember=True)).status == 401
    assert remembered(site) is None


async def test_a_tick_outlasts_a_second_step(tmp_path: Path) -> None:
    async with house(tmp_path, extensions=extensions(CodeFactor())) as home:
        site = home.site()
        await send(site, "/sign-up", email=ADA, password=PASSWORD, remember=True)
        assert remembered(site) is None
        assert (await send(site, "/test-code", code="123456")).status == 303
        assert remembered(site)
        close(site)
        assert await is_in(site)


async def test_a_bearer_session_is_never_remembered(known: House) -> None:
    program = known.site().program()
    fields = {"email": ADA, "password": PASSWORD, "remember": True, "transport": "bearer"}
    assert "token" in (await program.post("/sign-in", **fields)).json
    assert program.jar == {}


async def test_coming_back_mints_nothing_and_asks_for_no_tick(home: House, site: Site) -> None:
    close(site)
    assert await is_in(site)
    assert await count(site) == 1


async def count(site: Site) -> int:
    site.accept = "application/json"
    return len((await navigate(site, "/sessions")).json["devices"])


async def test_a_new_tick_takes_the_place_of_the_former_one(home: House, site: Site) -> None:
    former = remembered(site)
    close(site)
    assert (await site.post("/sign-in", email=ADA, password=PASSWORD, remember=True)).status == 303
    assert remembered(site) not in {None, former}
    assert await count(site) == 1
    assert not await opens(site, former)


async def test_signing_in_without_a_tick_takes_the_former_one_back(home: House, site: Site) -> None:
    former = remembered(site)
    close(site)
    assert (await site.post("/sign-in", email=ADA, password=PASSWORD)).status == 303
    assert remembered(site) is None
    assert not await opens(site, former)


@pytest.mark.parametrize("ticks", [True, False])
async def test_signing_in_as_somebody_else_forgets_whoever_was_before(home: House, site: Site, *, ticks: bool) -> None:
    await sign_up(home.site(), "bob@example.com")
    former = remembered(site)
    close(site)
    fields = {"remember": True} if ticks else {}
    assert (await site.post("/sign-in", email="bob@example.com", password=PASSWORD, **fields)).status == 303
    assert bool(remembered(site)) is ticks
    assert not await opens(site, former)


async def opens(site: Site, cookie: str | None) -> bool:
    other = site.browser()
    other.jar = {name_of(site): str(cookie)}
    return await is_in(other)


@pytest.mark.parametrize("seconds", [0, -1, 60])
async def test_a_lifetime_that_makes_no_sense_is_refused(tmp_path: Path, seconds: int) -> None:
    with pytest.raises(ConfigurationError, match="remember_me: lifetime"):
        async with house(tmp_path, extensions=(*extensions()[:-1], RememberMe(lifetime=timedelta(seconds=seconds)))):
            pass
