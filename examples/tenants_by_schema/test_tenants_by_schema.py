"""Companies in schemas of PostgreSQL: nothing of one opens anything in another, and no row stands in the wrong one."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, text

from examples.opening import Opener
from powauth.testing import Answer, Site

pytestmark = pytest.mark.anyio
SCHEMAS = ("public", "common", "company_acme", "company_globex")
ADA, PASSWORD = "ada@example.com", "four quiet green owls"


class Visitor:
    """A browser or a program at the host of one company."""

    def __init__(self, site: Site, host: str) -> None:
        self.site, self.host = site, host

    async def get(self, path: str) -> Answer:
        return await self.site.send("GET", path, headers={"host": self.host})

    async def post(self, path: str, **fields: object) -> Answer:
        headers = {"host": self.host, "origin": f"http://{self.host}"}
        if self.site.accept == "application/json":
            return await self.site.send("POST", path, json=fields, headers=headers)
        return await self.site.send("POST", path, form=fields, headers=headers)

    def at(self, company: str) -> "Visitor":
        """The same browser, with all it holds, at another company's host."""
        return Visitor(self.site, f"{company}.localhost:8000")


@pytest.fixture
def program(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Opener:
    return Opener(postgres_url, monkeypatch)


@pytest.fixture
async def made(program: Opener) -> AsyncGenerator[Any]:
    async with program("tenants_by_schema") as opened:
        yield opened


@pytest.fixture
async def acme(made: Any) -> Visitor:
    """Ada's browser at Acme, where she has an account; at Globex she has another."""
    program = Visitor(Site(made.auth, made.app).program(), "localhost:8000")
    for company in ("acme", "globex"):
        sent = {"company": company, "email": ADA, "password": f"{PASSWORD} {company}x"}
        answer = await program.post("/found", **sent)
        assert answer.json == {"sign_in_at": f"http://{company}.localhost:8000/auth/sign-in"}
    browser = Visitor(Site(made.auth, made.app), "acme.localhost:8000")
    assert (await browser.post("/sign-in", email=ADA, password=f"{PASSWORD} acmex")).status == 303
    return browser


def tables_by_schema(connection: Connection) -> dict[str, set[str]]:
    return {schema: set(inspect(connection).get_table_names(schema)) for schema in SCHEMAS}


async def test_every_company_has_tables_of_its_own_and_none_stand_in_between(made: Any, acme: Visitor) -> None:
    await acme.post("/notes?text=secret")
    async with made.engine.connect() as connection:
        tables = await connection.run_sync(tables_by_schema)
        counts = [
            (await connection.execute(text(f"SELECT count(*) FROM {schema}.{table}"))).scalar_one()  # noqa: S608
            for schema, table in (("company_acme", "users"), ("company_acme", "notes"), ("company_globex", "notes"))
        ]
    assert tables["company_acme"] == tables["company_globex"] >= {"users", "notes", "powauth_tokens", "powauth_outbox"}
    assert tables["common"] == {"companies"}
    assert "users" not in tables["public"]
    assert counts == [1, 1, 0]


async def test_a_company_that_failed_half_way_can_be_founded_again_and_one_that_exists_cannot(
    made: Any, acme: Visitor
) -> None:
    program = Visitor(Site(made.auth, made.app).program(), "localhost:8000")
    initech = {"company": "initech", "email": ADA, "password": PASSWORD}
    assert (await program.post("/found", **{**initech, "password": "password"})).status == 422
    assert (await acme.at("initech").get("/auth/sign-in")).status == 404
    assert (await program.post("/found", **initech)).status == 201
    assert (await program.post("/found", **{**initech, "email": "eve@example.com"})).status == 409
    assert (await acme.at("initech").post("/sign-in", email="eve@example.com", password=PASSWORD)).status == 401


async def test_a_session_of_one_company_is_nobody_in_another(acme: Visitor) -> None:
    """S16: cookie and all, as a browser would send it if somebody planted it there."""
    assert (await acme.get("/notes")).json == []
    assert (await acme.at("globex").get("/notes")).status == 303
    assert (await acme.get("/notes")).status == 200  # and it is not ended by that


async def test_a_token_of_one_company_is_nobody_in_another(made: Any, acme: Visitor) -> None:
    """S16."""
    program = Visitor(Site(made.auth, made.app).program(), acme.host)
    sent = {"email": ADA, "password": f"{PASSWORD} acmex", "transport": "bearer"}
    program.site.bearer = (await program.post("/sign-in", **sent)).json["token"]
    assert (await program.get("/notes")).status == 200
    assert (await program.at("globex").get("/notes")).status == 401


async def test_a_password_of_one_company_is_wrong_in_another(acme: Visitor) -> None:
    assert (await acme.at("globex").post("/sign-in", email=ADA, password=f"{PASSWORD} acmex")).status == 401


async def test_a_mailed_link_leads_to_its_company_and_opens_nothing_in_another(acme: Visitor) -> None:
    """S16, S56."""
    await acme.post("/reset-password", email=ADA)
    link = acme.site.mail.parts["url"]
    assert link.startswith("http://acme.localhost:8000/auth/reset-password/")
    path = link.removeprefix("http://acme.localhost:8000")
    assert (await acme.at("globex").get(path)).status == 400
    assert (await acme.at("globex").post(path, password="five loud red foxes")).status == 400
    assert (await acme.post(path, password="five loud red foxes")).status == 303


async def test_rows_of_the_applications_own_stand_in_the_companys_schema(acme: Visitor) -> None:
    assert (await acme.post("/notes?text=secret")).status == 201
    assert (await acme.get("/notes")).json == ["secret"]
    globex = Visitor(acme.site.browser(), "globex.localhost:8000")
    await globex.post("/sign-in", email=ADA, password=f"{PASSWORD} globexx")
    assert (await globex.get("/notes")).json == []


async def test_an_unknown_host_is_404_for_every_page(acme: Visitor) -> None:
    for host in ("hooli.localhost:8000", "localhost:8000", "acme.localhost:8000.evil.example", ""):
        assert (await Visitor(acme.site, host).get("/sign-in")).status == 404, host


async def test_a_restart_finds_every_company(made: Any, acme: Visitor, program: Opener) -> None:
    async with program("tenants_by_schema") as again:
        assert {tenant.id for tenant in again.companies.all()} == {"acme", "globex"}
        assert (await Visitor(Site(again.auth, again.app), acme.host).get("/auth/sign-in")).status == 200
