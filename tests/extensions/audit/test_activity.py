"""People see on a page what happened to their account, and nothing of anybody else's."""

from pathlib import Path

import pytest

from powauth import Caller
from powauth.events import PasswordChanged
from powauth.extensions.audit import Audit
from powauth.testing import Site
from tests.extensions.audit.rows import all_others, rows
from tests.house import PASSWORD, House, house, settle, sign_in, whole_house

pytestmark = pytest.mark.anyio


async def test_people_see_what_happened_newest_first_with_place_and_time(home: House, site: Site) -> None:
    await settle(site)
    await site.browser(client="203.0.113.9").post("/sign-in", email="ada@example.com", password="nonsense")
    program = site.program()
    program.jar = site.jar
    shown = (await program.get("/activity")).json["activity"]
    assert [entry["event"] for entry in shown] == [
        "authentication_failed",
        "signed_in",
        "email_confirmed",
        "signed_up",
    ]
    assert shown[0]["client"] == "203.0.113.9"
    assert shown[0]["device"] == "Firefox on Linux"
    assert [entry["is_this_session"] for entry in shown] == [False, True, False, False]
    page = (await site.get("/activity")).text
    assert "A sign-in failed" in page
    assert "Firefox on Linux, 203.0.113.9" in page


@pytest.mark.parametrize(("language", "says"), [("de", "Angemeldet"), ("fr", "Connexion")])
async def test_it_is_said_in_the_words_of_a_language(tmp_path: Path, language: str, says: str) -> None:
    async with house(tmp_path, extensions=whole_house(), languages=["en", "de", "fr"]) as home:
        site = home.site()
        await settle(site)
        page = (await site.send("GET", "/activity", headers={"accept-language": language})).text
        assert says in page


async def test_nobody_sees_what_happened_to_somebody_else(home: House, site: Site) -> None:
    await settle(site)
    bob = site.browser()
    await settle(bob, "bob@example.com")
    program = site.program()
    program.jar = bob.jar
    shown = (await program.get("/activity")).json["activity"]
    assert len(shown) == 3
    (first, *_) = await rows(home)
    program.jar = site.jar
    assert (await program.get(f"/activity?before={first.id}")).json["activity"] == []
    assert (await site.browser().get("/activity")).status == 303
    assert (await site.browser().program().get("/activity")).status == 401


async def test_older_rows_are_behind_a_link_each_once(home: House, site: Site) -> None:
    await settle(site)
    for _ in range(30):
        await site.post("/sign-out")
        await sign_in(site)
    program = site.program()
    program.jar = site.jar
    seen: list[str] = []
    address = "/activity"
    while address:
        answer = (await program.get(address)).json
        seen += [entry["event"] for entry in answer["activity"]]
        address = answer["older_url"]
    assert seen.count("signed_in") == 31
    assert seen.count("signed_out") == 30
    assert seen[-1] == "signed_up"


@pytest.mark.parametrize("query", ["before=", "before=%00", "before=" + "z" * 999, "before=a&before=b", "x" * 2000])
async def test_whatever_stands_in_its_query_is_no_error(site: Site, query: str) -> None:
    await settle(site)
    assert (await site.get(f"/activity?{query}")).status == 200


async def test_what_an_administrator_did_is_shown_as_not_by_the_owner(home: House, site: Site) -> None:
    await settle(site)
    async with home.auth.begin(caller=Caller(operator="root")) as ctx:
        ada = await ctx.accounts.by_email("ada@example.com")
        assert ada is not None
        await ctx.emit(PasswordChanged(account=ada))
    assert "Not by you" in (await site.get("/activity")).text
    program = site.program()
    program.jar = site.jar
    shown = (await program.get("/activity")).json["activity"]
    assert [entry["by_somebody_else"] for entry in shown] == [True, False, False, False]
    assert "root" not in str(shown)


async def test_an_extension_s_event_is_shown_once_there_are_words_for_it(home: House, site: Site) -> None:
    await settle(site)
    await site.post("/sign-out")
    await site.post("/sign-in", email="ada@example.com", password=PASSWORD, remember=True)
    assert "A device was remembered" in (await site.get("/activity")).text


async def test_the_page_can_be_left_away_and_rows_are_written_all_the_same(tmp_path: Path) -> None:
    extensions = (*all_others(), Audit(shows_activity=False))
    async with house(tmp_path, extensions=extensions) as home:
        site = home.site()
        await settle(site)
        assert (await site.get("/activity")).status == 404
        assert len(await rows(home)) > 3


@pytest.mark.parametrize("before", ["%00", "%FF", "zz", "0" * 31 + "%00"])
async def test_a_place_in_the_list_that_nobody_was_given_shows_the_newest(site: Site, before: str) -> None:
    """S55: what no engine would store never reaches one."""
    await settle(site)
    program = site.program()
    program.jar = site.jar
    newest = (await program.get("/activity")).json["activity"]
    assert newest
    assert (await program.get(f"/activity?before={before}")).json["activity"] == newest
