"""What a program is told of providers, and which columns of the application's own their claims fill."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, Integer, SmallInteger, select, text
from sqlalchemy.types import TypeEngine

from powauth.context import Context, on
from powauth.errors import FieldError, InvalidForm
from powauth.events import ProfileChanged
from powauth.extensions.email_confirmation import EmailConfirmation
from powauth.extensions.providers.profiles import holds
from powauth.extensions.reset_password import ResetPassword
from powauth.openapi import paths
from powauth.sqlalchemy.columns import OwnColumn
from powauth.sqlalchemy.keys import most_of
from powauth.testing import Site
from powauth.testing.factor import CodeFactor
from tests.extensions.providers.conftest import extensions
from tests.extensions.providers.fake import Fake, enter, who
from tests.house import House, house, sign_up

pytestmark = pytest.mark.anyio

JSON = {"accept": "application/json"}


async def name(home: House) -> str | None:
    async with home.sessionmaker() as db:
        found: str | None = (await db.scalars(select(home.user.name))).one()
        return found


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up"])
async def test_a_program_finds_the_providers_where_people_do(site: Site, path: str) -> None:
    page = (await site.program().get(path)).json
    assert page["fields"]
    assert page["buttons"] == [
        {
            "page": "providers.start",
            "params": {"provider": name},
            "text": f"Continue with {name.title()}",
            "url": f"https://example.com/auth/providers/{name}",
            "values": {},
        }
        for name in ("fake", "other")
    ]
    answer = await site.program().send("POST", page["buttons"][0]["url"].removeprefix("https://example.com"), json={})
    assert answer.json["url"].startswith("https://fake.example/authorize?")


async def test_a_program_finds_how_to_connect_and_disconnect(site: Site) -> None:
    await sign_up(site)
    await enter(site)
    page = (await site.get("/account", headers=JSON)).json
    found = {button["page"]: (button["params"], button["values"]) for button in page["buttons"]}
    assert found == {
        "providers.start": ({"provider": "other"}, {"purpose": "connect"}),
        "providers.disconnect": ({"provider": "fake"}, {}),
    }


async def test_a_page_without_offers_says_nothing_of_buttons(site: Site) -> None:
    assert "buttons" not in (await site.program().get("/session")).json


async def test_openapi_says_where_there_are_buttons(site: Site) -> None:
    found = paths(site.auth.plan)
    schema = found["/auth/sign-in"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert "url" in schema["properties"]["buttons"]["items"]["properties"]
    other = found["/auth/session"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert "buttons" not in other.get("properties", {})


async def test_only_sign_up_fills_columns_unless_the_application_says_otherwise(tmp_path: Path, fake: Fake) -> None:
    async with house(tmp_path, extensions=extensions(fake, profile={"name": "name"})) as home:
        await enter(home.site())
        fake.memory.claims["name"] = "Augusta"
        await enter(home.site())
        assert await name(home) == "Ada"


async def test_columns_are_brought_up_to_date_at_each_sign_in_and_only_what_changed_is_announced(
    tmp_path: Path, fake: Fake
) -> None:
    heard: list[ProfileChanged] = []

    async def hear(event: ProfileChanged, ctx: Context) -> None:
        heard.append(event)

    settings: dict[str, Any] = {"profile": {"name": "name"}, "updates_profile": True, "claims": ()}
    async with house(tmp_path, extensions=extensions(fake, **settings), hooks=(on(ProfileChanged, hear),)) as home:
        for said in ("Ada", "Ada", "Augusta"):
            fake.memory.claims["name"] = said
            await enter(home.site())
            assert await name(home) == said
        assert [event.fields for event in heard] == [("name",)]
        del fake.memory.claims["name"]
        await enter(home.site())
        assert await name(home) == "Augusta"


async def test_a_provider_s_word_alone_changes_nothing_before_every_gate(tmp_path: Path, fake: Fake) -> None:
    """S32."""
    more = (*extensions(fake, profile={"name": "name"}, updates_profile=True), CodeFactor())
    async with house(tmp_path, extensions=more) as home:
        site = home.site()
        await enter(site)
        await site.post("/test-code", code="123456")
        fake.memory.claims["name"] = "Mallory"
        again = home.site()
        await enter(again)
        assert await name(home) == "Ada"
        await again.post("/test-code", code="123456")
        assert await name(home) == "Mallory"


@pytest.mark.parametrize("said", ["x" * 81, "A\0da", "\ud800", 2**70, ["Ada"], {"is": "Ada"}])
async def test_what_a_column_cannot_hold_stops_nobody(database_url: str, tmp_path: Path, fake: Fake, said: Any) -> None:
    """S58: a provider lets people call themselves what they like."""
    fake.memory.claims["team"] = said
    settings: dict[str, Any] = {"profile": {"name": "team"}, "updates_profile": True}
    more = (*extensions(fake, **settings), EmailConfirmation(), ResetPassword())
    async with house(tmp_path, url=database_url, extensions=more) as home:
        for _ in range(2):
            site = home.site()
            assert (await enter(site)).status == 303
            assert await who(site) == "ada@example.com"
        assert await name(home) is None


@pytest.mark.parametrize(
    ("kind", "most"), [(SmallInteger(), 2**15 - 1), (Integer(), 2**31 - 1), (BigInteger(), 2**63 - 1)]
)
def test_a_number_that_a_column_cannot_hold_is_left_out(kind: TypeEngine[int], most: int) -> None:
    column = OwnColumn("points", int, None, most_of(kind), is_required=False)
    assert holds(column, most)
    assert not holds(column, most + 1)
    assert not holds(column, -most - 2)


async def test_nobody_is_kept_out_by_somebody_who_calls_themselves_the_same(tmp_path: Path, fake: Fake) -> None:
    """S58: neither whoever is known here nor whoever is new; a column that has each value only once is left alone."""
    settings: dict[str, Any] = {"profile": {"name": "name"}, "updates_profile": True}
    async with house(tmp_path, extensions=extensions(fake, **settings)) as home:
        async with home.engine.begin() as db:
            await db.execute(text("CREATE UNIQUE INDEX one_name ON users (name)"))
        await enter(home.site())
        for sub, email in (("2", "mallory@example.com"), ("3", "eve@example.com")):
            fake.memory.claims |= {"sub": sub, "email": email, "name": "Ada"}
            site = home.site()
            answer = await enter(site)
            if answer.location.endswith("/complete"):
                await site.post("/providers/fake/complete", email=email)
            assert await who(site) == email
            fake.memory.claims["name"] = f"Ada {sub}"
            await enter(home.site())
            fake.memory.claims["name"] = "Ada"
            again = home.site()
            await enter(again)
            assert await who(again) == email


async def test_an_application_that_refuses_a_change_is_heard(tmp_path: Path, fake: Fake) -> None:
    async def refuse(event: ProfileChanged, ctx: Context) -> None:
        raise InvalidForm({"name": [FieldError("not_allowed")]})

    settings: dict[str, Any] = {"profile": {"name": "name"}, "updates_profile": True}
    async with house(tmp_path, extensions=extensions(fake, **settings), hooks=(on(ProfileChanged, refuse),)) as home:
        await enter(home.site())
        fake.memory.claims["name"] = "Mallory"
        assert (await enter(home.site())).status == 422
        assert await name(home) == "Ada"
