"""SIGKILL at every await of an operation; a restart finds the whole effect or none, and every promise kept.

On a machine of continuous integration (CI is set) every third await is walked; everywhere else, every one.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from powauth.accounts import Handle
from powauth.errors import InvalidToken
from powauth.extensions.invitation import Invitation, InvitationRecord
from powauth.extensions.remember_me.families import Families
from powauth.extensions.reset_password import ResetPassword
from powauth.outbox import OutboxRecord
from powauth.testing import FrozenClock
from powauth.tokens import TokenKind, TokenRecord
from tests.ci import STEP
from tests.durability.shop import (
    LASTING,
    NEW_PASSWORD,
    VOUCHER,
    Folder,
    Heard,
    account_of,
    extensions_of,
    has_password,
    rows,
    sessions_of,
    shop,
)
from tests.durability.walker import Facts
from tests.house import PASSWORD, House

pytestmark = pytest.mark.anyio

SETS_PASSWORD = ("change_password", "reset")
NAVIGATES = {"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


@dataclass(frozen=True)
class Walked:
    """What an attempt at each await left behind, after a restart."""

    home: House
    facts: Sequence[Facts]
    mails: Folder

    async def send_what_is_owed(self) -> None:
        await self.home.auth.sender().send_due()

    def mails_to(self, email: str, kind: str) -> list[str]:
        return [id for id, to, found, _ in self.mails.mails() if to == email and found == kind]

    async def is_known(self, secret: str) -> bool:
        """Say whether the store still opens a session with this cookie."""
        found = await self.home.auth.plan.sessions("").find(secret, "cookie", may_write=lambda: False)
        return found.session is not None

    async def is_valid(self, kind: TokenKind, secret: str) -> bool:
        async with self.home.auth.begin(writes=False) as ctx:
            try:
                await ctx.tokens.peek(kind, secret)
            except InvalidToken:
                return False
            return True

    async def can_sign_in(self, email: str, password: str = PASSWORD) -> bool:
        site = self.home.site(accept="application/json", client="10.8.0.1")
        self.home.clock.move(timedelta(minutes=2))  # past the limit by address
        return (await site.post("/sign-in", email=email, password=password)).status == 200


def unmeasured(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave coverage out of a process whose attempts are killed before they could write down what they covered."""
    return {name: value for name, value in environment.items() if not name.startswith("COVERAGE_")}


@asynccontextmanager
async def walked(url: str, flow: str, folder: Path) -> AsyncGenerator[Walked]:
    """Kill the flow at each of its awaits, then restart once every lease is over."""
    command = [sys.executable, str(Path(__file__).with_name("walker.py")), url, flow, str(folder), str(STEP)]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=unmeasured(os.environ)
    )
    async with asyncio.timeout(150):
        out, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()[-3000:]
    last = int(out)
    names = [folder / "facts" / f"{number:03}" for number in range(1, last + 1, STEP)]
    facts = [Facts(**json.loads(name.read_text())) for name in names]
    assert last >= 10  # else it did not walk
    mails = Folder(folder / "mails")
    clock = FrozenClock()
    clock.move(timedelta(minutes=5))
    async with shop(url, create=False, mailer=mails, extensions=extensions_of(flow), clock=clock) as home:
        yield Walked(home, facts, mails)


async def test_a_sign_up_that_is_killed_leaves_an_account_with_its_mail_or_nothing(
    database_url: str, tmp_path: Path
) -> None:
    async with walked(database_url, "sign_up", tmp_path) as after:
        accounts = [await account_of(after.home, facts.email) for facts in after.facts]
        assert None in accounts
        assert accounts[-1] is not None
        for account, facts in zip(accounts, after.facts, strict=True):
            owed = await rows(after.home, OutboxRecord, owner=account.handle) if account else []
            assert len(owed) == (account is not None), facts.email
        rehearsed = 1
        made = sum(account is not None for account in accounts)
        assert len(await rows(after.home, OutboxRecord)) == made + rehearsed
        for account in filter(None, accounts):  # what was written down of a sign-in has its session
            diary = await rows(after.home, Heard, owner=account.handle, event="signed_in")
            assert {row.detail for row in diary} <= set(await sessions_of(after.home, account.handle))
        await after.send_what_is_owed()
        for account, facts in zip(accounts, after.facts, strict=True):
            assert len(after.mails_to(facts.email, "sign_up.welcome")) == (account is not None)
            if account:
                assert await has_password(after.home, account, PASSWORD)
        assert await after.can_sign_in(after.facts[-1].email)


async def test_a_sign_in_that_is_killed_leaves_a_session_or_none(database_url: str, tmp_path: Path) -> None:
    async with walked(database_url, "sign_in", tmp_path) as after:
        for facts in after.facts:
            mine = await sessions_of(after.home, Handle(facts.handle))
            diary = await rows(after.home, Heard, owner=facts.handle, event="signed_in")
            assert {row.detail for row in diary} <= set(mine)
            assert 2 <= len(mine) <= 3
            assert await after.is_known(facts.mine)
            assert await after.is_known(facts.other)
        assert await after.can_sign_in(after.facts[0].email)
        assert await after.can_sign_in(after.facts[-1].email)


async def test_a_return_that_is_killed_leaves_the_device_as_it_was_or_with_its_session(
    database_url: str, tmp_path: Path
) -> None:
    async with walked(database_url, "come_back", tmp_path) as after:
        plan = after.home.auth.plan
        families, outcomes = Families(plan, plan.single), set[int]()
        for number, facts in enumerate(after.facts):
            family = (await families.list(Handle(facts.handle)))[0]
            listed = await plan.sessions("").list(Handle(facts.handle))
            assert 2 <= len(listed) <= 3
            assert {turn.session for turn in family.turns} <= {session.id for session in listed}
            assert len(family.turns) == family.generation
            diary = await rows(after.home, Heard, owner=facts.handle, event="signed_in")
            assert {row.detail for row in diary} <= set(family.sessions)
            outcomes.add(family.generation)
            site = after.home.site(client=f"10.6.0.{number}")
            arrived = number % 2  # whether the browser got its answer before the process was killed
            cookie = families.secret(family) if arrived else facts.remembered
            site.jar = {plan.cookie_name("remember"): cookie}
            is_late = family.generation == 1 and not arrived  # by minutes: the restart took its time
            assert (await site.get("/account", headers=NAVIGATES)).status == (303 if is_late else 200)
        assert outcomes == {0, 1}
        assert len(await rows(after.home, OutboxRecord, kind="remember_me.stolen")) == 0


@pytest.mark.parametrize("flow", ["change_password", "change_email", "reset"])
async def test_a_change_of_credential_that_is_killed_is_whole_or_none_and_keeps_no_session(
    database_url: str, tmp_path: Path, flow: str
) -> None:
    async with walked(database_url, flow, tmp_path) as after:
        outcomes: list[bool] = []
        for facts in after.facts:
            former = await account_of(after.home, facts.email)
            account = former or await account_of(after.home, f"new-{facts.email}")
            assert account, facts.email
            is_changed = account.epoch == 1
            outcomes.append(is_changed)
            if flow == "change_email":
                assert (former is None) == is_changed
            else:
                assert await has_password(after.home, account, NEW_PASSWORD if is_changed else PASSWORD)
                assert not await has_password(after.home, account, PASSWORD if is_changed else NEW_PASSWORD)
            owed = await rows(after.home, OutboxRecord, owner=account.handle)
            assert len(owed) == (is_changed and flow in SETS_PASSWORD)
            assert await after.is_valid(VOUCHER, facts.voucher) == (not is_changed)
            assert await after.is_valid(LASTING, facts.lasting)
            if flow == "reset":
                assert await after.is_valid(ResetPassword().token, facts.reset) == (not is_changed)
            if is_changed:
                assert not await after.is_known(facts.mine)
                assert not await after.is_known(facts.other)
            sessions = await after.home.auth.plan.sessions("").list(account.handle)
            assert all(account.epoch in session.epochs for session in sessions)
        assert set(outcomes) == {False, True}
        await after.send_what_is_owed()
        await after.send_what_is_owed()
        for facts, is_changed in zip(after.facts, outcomes, strict=True):
            sent = after.mails_to(facts.email, "vouchers.notice")
            assert len(sent) == (is_changed and flow in SETS_PASSWORD)


async def test_a_closing_that_is_killed_leaves_nothing_or_all_but_sessions(database_url: str, tmp_path: Path) -> None:
    async with walked(database_url, "close", tmp_path) as after:
        outcomes: list[bool] = []
        for facts in after.facts:
            account = await account_of(after.home, facts.email)
            outcomes.append(account is None)
            tokens = await rows(after.home, TokenRecord, owner=facts.handle)
            assert len(tokens) == (0 if account is None else 3)
            if account is None:
                assert not await after.is_known(facts.mine)
                assert not await after.is_known(facts.other)
                assert await sessions_of(after.home, Handle(facts.handle)) == []
            else:
                assert account.is_open
                assert await has_password(after.home, account, PASSWORD)
        assert set(outcomes) == {False, True}


async def test_an_acceptance_that_is_killed_leaves_an_account_with_what_was_offered_or_nothing(
    database_url: str, tmp_path: Path
) -> None:
    """S17, S67."""
    async with walked(database_url, "accept", tmp_path) as after:
        outcomes: list[bool] = []
        for number, facts in enumerate(after.facts):
            account = await account_of(after.home, facts.email)
            outcomes.append(account is not None)
            (invitation,) = await rows(after.home, InvitationRecord, email=facts.email)
            granted = await rows(after.home, Heard, event="accepted", detail=invitation.id)
            assert len(granted) == (account is not None)
            assert (invitation.accepted_by is not None) == (account is not None)
            assert await after.is_valid(Invitation().token, facts.invitation) == (account is None)
            site = after.home.site(accept="application/json", client=f"10.7.0.{number}")
            again = await site.post(f"/invitations/{facts.invitation}", email=facts.email, password=PASSWORD)
            assert again.status == (201 if account is None else 400)
        assert set(outcomes) == {False, True}


async def test_a_token_whose_use_is_killed_is_used_with_its_effect_or_not_at_all(
    database_url: str, tmp_path: Path
) -> None:
    async with walked(database_url, "redeem", tmp_path) as after:
        outcomes: list[int] = []
        for number, facts in enumerate(after.facts):
            site = after.home.site(accept="application/json", client=f"10.7.0.{number}")
            effects = await rows(after.home, Heard, owner=facts.handle, event="redeemed")
            again = await site.post("/redeem", voucher=facts.voucher)
            assert again.status == (400 if effects else 200)
            assert (await site.post("/redeem", voucher=facts.voucher)).status == 400
            assert len(await rows(after.home, Heard, owner=facts.handle, event="redeemed")) == 1
            outcomes.append(len(effects))
        assert set(outcomes) == {0, 1}


async def test_a_mail_whose_sending_is_killed_is_sent_once_or_again_with_the_same_id(
    database_url: str, tmp_path: Path
) -> None:
    async with walked(database_url, "send", tmp_path) as after:
        await after.send_what_is_owed()
        assert await rows(after.home, OutboxRecord) == []
        counts: Counter[int] = Counter()
        for facts in after.facts:
            for kind in ("sign_up.welcome", "vouchers.gift"):
                ids = after.mails_to(facts.email, kind)
                assert len(set(ids)) == 1, (facts.email, kind)
                assert len(ids) <= 2
                counts[len(ids)] += 1
        assert counts[2]  # killed between sending and marking
        assert counts[1] > counts[2]
        links = [(to, url) for _, to, kind, url in after.mails.mails() if kind == "vouchers.gift"]
        assert len({url for _, url in links}) == len(links)  # each try mints anew
