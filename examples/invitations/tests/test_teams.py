"""Teams: whoever is invited gets what was offered, and nobody offers what is not theirs."""

import importlib
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from examples.invitations.team import InviteForm
from powauth.extensions.invitation import invite
from powauth.testing import Outbox, Site

pytestmark = pytest.mark.anyio

PASSWORD = "four quiet green owls"


@pytest.fixture
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Site]:
    """Return a browser before the application, with mails that arrive at once."""
    monkeypatch.setenv("AUTH_SECRET", "7c1e0f5a9d3b8264e2f7a1c09b5d3e86")
    monkeypatch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/teams.db")
    program: Any = importlib.reload(importlib.import_module("examples.invitations.app"))
    object.__setattr__(program.auth.plan, "mailer", Outbox())
    await program.database.create_tables()
    await program.auth.open()  # not its lifespan, which would send mails of its own accord
    yield Site(program.auth, program.app)
    await program.auth.close()
    await program.engine.dispose()


async def founder(site: Site) -> Site:
    """Let the operator invite Ada, and Ada accept."""
    async with site.auth.begin() as ctx:
        await invite(ctx, None, InviteForm(email="ada@example.com", team="Owls", role="owner"))
    await site.deliver()
    return await accept(site, "ada@example.com", "Ada")


async def accept(site: Site, email: str, name: str) -> Site:
    browser = site.browser()
    answer = await browser.post(site.outbox.link, email=email, name=name, password=PASSWORD)
    assert answer.status == 303, answer.text
    return browser


async def test_an_invitation_is_the_only_way_in(site: Site) -> None:
    assert (await site.post("/sign-up", email="eve@example.com", password=PASSWORD)).status == 404
    await founder(site)


async def test_whoever_accepts_has_the_role_that_was_offered(site: Site) -> None:
    ada = await founder(site)
    assert (await ada.get("/")).json == {"name": "Ada", "team": "Owls", "role": "owner"}
    await ada.post("/invitations", email="bob@example.com", team="Owls", role="member")
    bob = await accept(site, "bob@example.com", "Bob")
    assert (await bob.get("/")).json == {"name": "Bob", "team": "Owls", "role": "member"}


async def test_nobody_gives_what_they_do_not_have(site: Site) -> None:
    ada = await founder(site)
    assert (await ada.post("/invitations", email="bob@example.com", team="Crows", role="member")).status == 403
    await ada.post("/invitations", email="bob@example.com", team="Owls", role="member")
    bob = await accept(site, "bob@example.com", "Bob")
    assert (await bob.post("/invitations", email="eve@example.com", team="Owls", role="owner")).status == 403
    assert (await bob.post("/invitations", email="eve@example.com", team="Owls", role="member")).status == 303


async def test_whoever_accepts_chooses_no_role(site: Site) -> None:
    ada = await founder(site)
    await ada.post("/invitations", email="bob@example.com", team="Owls", role="member")
    bob = site.browser()
    await bob.post(site.outbox.link, email="bob@example.com", name="Bob", password=PASSWORD, role="owner", team="Crows")
    assert (await bob.get("/")).json == {"name": "Bob", "team": "Owls", "role": "member"}


async def test_whoever_left_the_team_has_nothing_to_give(site: Site) -> None:
    ada = await founder(site)
    await ada.post("/invitations", email="bob@example.com", team="Owls", role="member")
    link = site.outbox.link
    async with site.auth.begin() as ctx:
        account = await ctx.accounts.by_email("ada@example.com")
        assert account
        (await ctx.accounts.user(account)).team = None
    assert (await site.browser().get(link)).status == 400
