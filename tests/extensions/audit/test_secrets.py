"""No secret is ever in a row, or in a log: unmistakable ones are planted everywhere. S68, S14."""

import json
import logging
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import pytest

from powauth import Event, Passwords
from powauth.events import Plain
from powauth.extensions.audit import Audit, event_log
from powauth.passwords import Pepper
from powauth.testing import Site
from tests.extensions.audit.rows import all_others, rows
from tests.extensions.remember_me.browser import close, copied, navigate
from tests.house import SECRET, House, house

pytestmark = pytest.mark.anyio

CANARY = "tweet-7f3a91c4-canary"
PEPPER = f"{CANARY}-pepper-of-32-bytes-or-more"
TOKEN = re.compile(r"[a-z2-7]{77}")


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    passwords = Passwords(memory=64, time=1, peppers=[Pepper("1", PEPPER)])
    extensions = (*all_others(), Audit(logs=True))
    async with house(tmp_path, extensions=extensions, passwords=passwords, hooks=event_log()) as opened:
        yield opened


class Secrets:
    """Everything that somebody held on the way."""

    def __init__(self) -> None:
        self.held = {CANARY, SECRET, PEPPER}

    def hold(self, site: Site) -> None:
        """Note every cookie and bearer token, whole and in its parts, and every mailed token."""
        secrets = [*site.jar.values(), *([site.bearer] if site.bearer else [])]
        for mail in site.outbox:
            secrets += TOKEN.findall(mail.text)
        for secret in secrets:
            self.held |= {secret, *(part for part in re.split(r"[.~!|]", secret) if len(part) > 20)}


async def live(home: House, secrets: Secrets) -> None:
    """Do everything that can be done, rightly and wrongly, with a canary in every password."""
    site = home.site()
    first, second = f"{CANARY} one", f"{CANARY} two"

    async def post(who: Site, path: str, status: int, /, **fields: object) -> None:
        answer = await who.post(path, **fields)
        secrets.hold(who)
        assert answer.status == status, (path, answer.status, answer.text)

    await post(site, "/sign-up", 303, email="ada@example.com", password=first)
    await post(site, site.outbox.link, 303)
    await post(site, "/sign-in", 303, email="ada@example.com", password=first, remember=True)
    await post(site.browser(), "/sign-up", 303, email="ada@example.com", password=f"{CANARY} three")
    stranger = site.browser(client="203.0.113.9")
    await post(stranger, "/sign-in", 401, email="ada@example.com", password=f"{CANARY} wrong")
    await post(stranger, "/sign-in", 401, email=f"{CANARY} wrong", password=f"{CANARY} wrong")
    await post(stranger, "/sign-in", 401, email=f"{CANARY}@", password="x")
    await post(site, "/account/password", 422, current_password=f"{CANARY} wrong", new_password=second)
    await post(site, "/account/email", 303, email="ada@example.org", current_password=first)
    await post(site, site.outbox.link, 303)
    await post(site, "/account/password", 303, current_password=first, new_password=second)
    await post(stranger, "/reset-password", 303, email="ada@example.org")
    used = site.outbox.link
    await post(stranger, used, 303, password=first)
    await post(stranger, used, 400, password=second)
    assert (await stranger.get(f"/reset-password/{CANARY}")).status == 400
    program = site.program()
    answer = await program.post("/sign-in", email="ada@example.org", password=first, transport="bearer")
    program.bearer = answer.json["token"]
    secrets.hold(program)
    assert (await program.get("/session")).status == 200
    await post(site, "/sign-in", 303, email="ada@example.org", password=first, remember=True)
    stolen = dict(site.jar)
    assert any("remember" in name for name in stolen)
    for _ in range(3):
        home.clock.move(home.auth.sessions.renew_every)
        assert (await site.get("/account")).status == 200
        secrets.hold(site)
    thief = site.browser(client="203.0.113.9")
    thief.jar = {name: value for name, value in stolen.items() if name.endswith("session")}
    assert (await thief.get("/account")).status == 303
    device = site.browser()
    await post(device, "/sign-in", 303, email="ada@example.org", password=first, remember=True)
    copy = copied(device)
    for who in (device, device, copy):
        close(who)
        home.clock.move(timedelta(hours=1))
        await navigate(who)
        secrets.hold(who)
    await post(site, "/sign-in", 303, email="ada@example.org", password=first)
    for _ in range(8):
        await stranger.post("/sign-in", email="ada@example.org", password=f"{CANARY} wrong")
    await post(site, "/account/close", 303, current_password=first)


async def told(home: House) -> str:
    """Return all that stands in rows."""
    return json.dumps([[str(value) for value in vars(row).values()] for row in await rows(home)], ensure_ascii=False)


async def test_no_row_and_no_log_holds_a_secret(home: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = Secrets()
    await live(home, secrets)
    assert {row.event for row in await rows(home)} >= {
        "signed_up",
        "email_taken",
        "signed_in",
        "authentication_failed",
        "email_changed",
        "password_changed",
        "token_minted",
        "token_taken",
        "token_refused",
        "session_started",
        "remember_me.device_remembered",
        "session_stolen",
        "remember_me.device_stolen",
        "limit_reached",
        "closed",
    }
    assert len(secrets.held) > 20
    written, logged = await told(home), caplog.text
    assert "signed_in" in written
    assert '"event": "signed_in"' in logged
    lines = [record.getMessage() for record in caplog.records if record.name == "powauth.events"]
    assert {json.loads(line)["event"] for line in lines} == {row.event for row in await rows(home)}
    for secret in secrets.held:
        assert secret not in written
        assert secret not in logged
    assert "ada@example" not in written
    assert "$argon2" not in written


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaking(Event):
    """An event whose author marked what must not be."""

    token: Annotated[str, Plain()]


async def test_a_secret_that_was_written_would_be_seen(home: House) -> None:
    """The breach of the test above: it looks where secrets would be."""
    site, secrets = home.site(), Secrets()
    await site.post("/sign-up", email="ada@example.com", password="four quiet green owls")
    secrets.hold(site)
    (token,) = TOKEN.findall(site.mail.text)
    assert token in secrets.held
    async with home.auth.begin() as ctx:
        await ctx.emit(Leaking(token=token))
    written = await told(home)
    assert [secret for secret in secrets.held if secret in written] == [token]
