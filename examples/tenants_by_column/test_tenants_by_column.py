"""What belongs to one company opens nothing in another: sessions, tokens, links, codes, known devices."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import anyio
import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from examples.opening import Opener
from powauth import Tenant
from powauth.cli import main
from powauth.testing import Answer, Site

pytestmark = pytest.mark.anyio
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
async def made(program: Opener) -> AsyncGenerator[Any]:
    async with program("tenants_by_column") as opened:
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


async def test_a_company_and_its_first_account_are_made_together_or_not_at_all(made: Any, acme: Visitor) -> None:
    program = Visitor(Site(made.auth, made.app).program(), "localhost:8000")
    poor = await program.post("/found", company="initech", email=ADA, password="password")
    assert (poor.status, poor.code) == (422, "invalid_form")
    assert (await acme.at("initech").get("/sign-in")).status == 404
    good = await program.post("/found", company="initech", email=ADA, password=PASSWORD)
    assert good.status == 201
    again = await program.post("/found", company="initech", email="eve@example.com", password=PASSWORD)
    assert again.status == 409
    assert (await acme.at("initech").post("/sign-in", email="eve@example.com", password=PASSWORD)).status == 401
    assert (await acme.at("initech").get("/auth/sign-in")).status == 200


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


async def test_one_company_cannot_act_in_another(acme: Visitor) -> None:
    """S54."""
    headers = {"host": acme.host, "origin": "http://globex.localhost:8000"}
    assert (await acme.site.send("POST", "/notes?text=x", headers=headers)).status == 403


async def test_rows_of_the_applications_own_are_told_apart_by_the_users_tenant(acme: Visitor) -> None:
    assert (await acme.post("/notes?text=secret")).status == 201
    assert (await acme.get("/notes")).json == ["secret"]
    globex = Visitor(acme.site.browser(), "globex.localhost:8000")
    await globex.post("/sign-in", email=ADA, password=f"{PASSWORD} globexx")
    assert (await globex.get("/notes")).json == []


async def test_an_unknown_host_is_404_for_every_page(acme: Visitor) -> None:
    for host in ("hooli.localhost:8000", "localhost:8000", "acme.localhost:8000.evil.example", ""):
        assert (await Visitor(acme.site, host).get("/sign-in")).status == 404, host


async def test_a_restart_finds_every_company(made: Any, acme: Visitor, program: Opener) -> None:
    async with program("tenants_by_column") as again:
        assert {tenant.id for tenant in again.companies.all()} == {"acme", "globex"}
        assert Tenant("acme", "http://acme.localhost:8000/auth") in again.companies.all()


def test_commands_know_the_companies_of_the_table(program: Opener) -> None:
    founded = {"company": "acme", "email": ADA, "password": PASSWORD}
    made = program.load("tenants_by_column")
    with TestClient(made.app, base_url="http://localhost:8000") as client:
        assert client.post("/found", json=founded).status_code == 201

    def run(*args: str) -> str:
        program.load("tenants_by_column")  # as in a process of its own
        return CliRunner().invoke(main, [*args, "--app", "examples.tenants_by_column.app:auth"]).output

    assert ADA in run("accounts", "list", "--tenant", "acme")
    assert ADA in run("accounts", "list")  # there is only one
    assert "acme" in run("accounts", "list", "--tenant", "globex")
    assert "erased" in run("accounts", "close", ADA, "--yes", "--tenant", "acme")


async def test_another_process_learns_of_a_company_without_a_restart(
    made: Any, acme: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("powauth.auth.RELOAD_EVERY", 0.01)
    other, learnt = made.Companies(), anyio.Event()

    def add(name: str) -> Tenant:
        if name == "initech":
            learnt.set()
        return Tenant(name, made.Companies.add(other, name).base_url)

    monkeypatch.setattr(other, "add", add)
    auth = replace(made.auth, tenant=other)
    async with auth.lifespan():
        assert {tenant.id for tenant in other.all()} == {"acme", "globex"}
        async with made.sessions() as db:
            db.add(made.Company(id="initech"))
            await db.commit()
        with anyio.fail_after(5):
            await learnt.wait()
    assert "initech" in {tenant.id for tenant in other.all()}
