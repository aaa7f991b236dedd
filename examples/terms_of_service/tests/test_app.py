"""The application that shows the extension at work."""

import importlib
from pathlib import Path
from typing import Any

import pytest

from powauth.testing import Site

pytestmark = pytest.mark.anyio


async def test_the_application_starts_and_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH_SECRET", "7c1e0f5a9d3b8264e2f7a1c09b5d3e86")
    monkeypatch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/terms.db")
    program: Any = importlib.import_module("examples.terms_of_service.app")
    async with program.app.router.lifespan_context(program.app):
        site = Site(program.auth, program.app)
        assert (await site.get("/")).location == "/auth/sign-in?next=%2F"
        ada = {"email": "ada@example.com", "password": "four quiet green owls"}
        assert (await site.post("/sign-up", **ada)).status == 422
        assert (await site.post("/sign-up", **ada, accept_terms=True)).location == "/"
        assert (await site.get("/")).json["email"] == "ada@example.com"
