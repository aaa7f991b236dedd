"""The application that the guide shows, by role and while an administrator acts as somebody."""

import importlib
from pathlib import Path
from typing import Any

import pytest

from powauth.extensions.roles import grant
from powauth.testing import Site

pytestmark = pytest.mark.anyio

PASSWORD = "four quiet green owls"
PATHS = ("/draft", "/admin/people", "/diary")


async def test_who_gets_in_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH_SECRET", "7c1e0f5a9d3b8264e2f7a1c09b5d3e86")
    monkeypatch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/roles.db")
    program: Any = importlib.import_module("examples.roles.app")
    async with program.app.router.lifespan_context(program.app):

        async def answers(site: Site) -> list[int]:
            return [(await site.get(path)).status for path in PATHS]

        async def newcomer(email: str, *roles: str) -> Site:
            site = Site(program.auth, program.app).program()
            await site.post("/sign-up", email=email, password=PASSWORD)
            async with program.auth.begin() as ctx:
                account = await ctx.accounts.by_email(email)
                for role in roles:
                    await grant(ctx, account, role)
            return site

        assert await answers(Site(program.auth, program.app).program()) == [401, 401, 401]
        assert await answers(await newcomer("ada@example.com")) == [403, 403, 200]
        assert await answers(await newcomer("eve@example.com", "editor")) == [200, 403, 200]
        grace = await newcomer("grace@example.com", "admin")
        assert await answers(grace) == [200, 200, 200]
        begun = await grace.post("/impersonate", email="ada@example.com", reason="request 7")
        assert begun.json["account"]["email"] == "ada@example.com"
        assert await answers(grace) == [403, 403, 403]
        assert (await grace.post("/impersonate/end")).json["account"]["email"] == "grace@example.com"
        assert await answers(grace) == [200, 200, 200]
