"""A project begins with two extensions, adds two, upgrades one and takes one out: its data stays, on every engine."""

import json
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest

from tests.ci import STEP
from tests.cli.project import Project, project

VISIT = """
import asyncio, json
import app
from powauth.testing import Site
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

PASSWORD = "four quiet green owls"

async def visit(site, rows):
    {steps}

async def rows(statement):
    try:
        async with app.engine.connect() as connection:
            return [list(map(str, row)) for row in await connection.execute(text(statement))]
    except DBAPIError:  # no such table, or no such column
        return None

async def main():
    async with app.auth.lifespan():
        result = await visit(Site(app.auth), rows)
    await app.engine.dispose()
    print(json.dumps(result))

asyncio.run(main())
"""

ADA_SIGNS_UP = """
    await site.post("/sign-up", email="ada@example.com", password=PASSWORD)
    await site.browser().post("/sign-up", email="bob@example.com", password=PASSWORD)
    return site.jar
"""
LOOK_AROUND = """
    site.jar = {jar}
    session = (await site.send("GET", "/session", headers={{"accept": "application/json"}})).json
    browser = site.browser()
    right = await browser.post("/sign-in", email="ada@example.com", password=PASSWORD)
    wrong = await site.browser().post("/sign-in", email="ada@example.com", password="five quiet green owls")
    note = await browser.send("GET", "/garden", headers={{"accept": "application/json"}})
    return {{
        "signed_in": [session["account"]["email"], right.status, wrong.status],
        "note": note.json["text"] if note.status == 200 else None,
        "users": await rows("SELECT id, handle, email, password_hash, created_at, closed_at FROM users ORDER BY email"),
        "notes": await rows("SELECT owner, text, at FROM powauth_garden_notes"),
        "shelves": await rows("SELECT shelf FROM powauth_garden_notes"),
        "closures": await rows("SELECT * FROM powauth_closures"),
        "versions": await rows("SELECT name, version FROM powauth_schema ORDER BY name"),
    }}
"""
STEPS = """{2: "UPDATE {table} SET shelf = 'top'"}"""
SIGNED_IN = ["ada@example.com", 303, 401]
ADA_WRITES_AND_BOB_CLOSES = """
    await site.post("/sign-in", email="ada@example.com", password=PASSWORD)
    await site.post("/garden/keep", text="Water the roses.")
    bob = site.browser()
    await bob.post("/sign-in", email="bob@example.com", password=PASSWORD)
    closed = await bob.post("/account/close", current_password=PASSWORD)
    return [(await site.program().get("/session")).status, closed.status]
"""


def visit(shop: Project, steps: str) -> Any:
    return json.loads(shop.python(VISIT.replace("{steps}", steps.strip())).splitlines()[-1])


def test_a_project_that_adds_extensions_and_upgrades_keeps_its_data(tmp_path: Path, database_url: str) -> None:
    if STEP > 1 and "postgres" not in database_url:
        pytest.skip("a minute for each engine: under CI it is PostgreSQL alone")
    shop = project(tmp_path / "shop", database_url).with_alembic()
    look = LOOK_AROUND.format(jar=visit(shop, ADA_SIGNS_UP))
    first = visit(shop, look)
    assert first["signed_in"] == SIGNED_IN
    assert len(first["users"]) == 2

    # two more extensions, and what they need; one of them is the project's own
    shop.done("new-extension", "garden")
    shop.done("add", "garden:Garden", "--app", "app:app", "--yes")
    shop.done("add", "reopen", "manage_account", "--app", "app:app", "--yes")
    shop.alembic("upgrade", "head")
    assert "No new upgrade operations" in shop.alembic("check")
    assert visit(shop, look) == {**first, "note": "", "notes": [], "closures": [], "versions": ANY}
    assert visit(shop, ADA_WRITES_AND_BOB_CLOSES) == [200, 303]
    second = visit(shop, look)
    assert second["signed_in"] == SIGNED_IN
    assert [second["note"], len(second["notes"]), len(second["closures"])] == ["Water the roses.", 1, 1]

    # a release that changes a table: a column more, and a step that fills it as the application starts
    records = shop.path("garden/records.py")
    text = records.read_text().replace('table="garden_notes"', 'table="garden_notes", schema_version=2')
    text = text.replace("    at: datetime\n", "    at: datetime\n    shelf: str | None = None\n")
    records.write_text(f"{text}\n    __steps__ = {STEPS}\n")
    shop.alembic("revision", "--autogenerate", "-m", "garden 2")
    shop.alembic("upgrade", "head")
    third = visit(shop, look)
    assert third == {**second, "shelves": [["top"]], "versions": ANY}
    assert ["garden_notes", "2"] in third["versions"]

    # out, and in again: what it knew is there
    shop.done("remove", "garden", "--app", "app:app", "--yes")
    assert visit(shop, look) == {**third, "note": None}
    before = shop.files().keys()
    assert shop.data("add", "garden:Garden", "--app", "app:app", "--yes")["files"] == ["app.py"]
    assert shop.files().keys() == before
    assert visit(shop, look) == third

    # out for good, with its data; everybody else's stays
    shop.done("remove", "garden", "--drop-data", "--app", "app:app", "--yes")
    shop.alembic("upgrade", "head")
    assert "No new upgrade operations" in shop.alembic("check")
    gone = {"note": None, "notes": None, "shelves": None}
    versions = [row for row in third["versions"] if row[0] != "garden_notes"]
    assert visit(shop, look) == {**third, **gone, "versions": versions}
    shop.alembic("downgrade", "base")
    shop.alembic("upgrade", "head")
