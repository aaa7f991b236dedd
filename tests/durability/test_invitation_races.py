"""Two processes want one invitation, or one accepts what the other takes back: S17, on every engine."""

import asyncio
from typing import Any

import pytest

from powauth.context import Context, on
from powauth.errors import AuthError
from powauth.extensions.invitation import (
    Invitation,
    InvitationAccepted,
    InvitationForm,
    InvitationRecord,
    acceptance,
    invite,
    operations,
)
from powauth.operations import new_hash
from powauth.testing import Answer
from powauth.tokens import Token, TokenKind, Tokens
from powauth.units import persistently
from tests.durability.shop import account_of, extensions, heard, rows, write_down
from tests.durability.test_races import Meeting, Two, two
from tests.house import PASSWORD, House

pytestmark = pytest.mark.anyio


async def grant(event: InvitationAccepted, ctx: Context) -> None:
    await write_down(ctx, event.account.handle, "granted")


def inviting() -> dict[str, Any]:
    """The settings of two shops where an acceptance is written down."""
    return {"extensions": extensions(Invitation()), "hooks": (on(InvitationAccepted, grant),)}


async def link_of(home: House, email: str | None = None) -> str:
    """Invite somebody, and return the secret of a link."""
    async with home.auth.begin() as ctx:
        made = await invite(ctx, None, InvitationForm(email=email))
        return made.secret or await ctx.tokens.mint(Invitation().token, made.invitation.subject)


async def acceptances(homes: Two, secret: str, times: int, *, email: str = "") -> list[int]:
    async def accept(number: int) -> Answer:
        site = homes.both[number % 2].site(accept="application/json", client=f"10.0.0.{number}")
        return await site.post(f"/invitations/{secret}", email=email or f"n{number}@example.com", password=PASSWORD)

    answers = await asyncio.gather(*(accept(number) for number in range(times)))
    return sorted(answer.status for answer in answers)


@pytest.mark.parametrize("email", ["", "bob@example.com"], ids=["by link alone", "by mail"])
async def test_thirty_acceptances_of_one_invitation_make_one_account(database_url: str, email: str) -> None:
    async with two(database_url, **inviting()) as homes, asyncio.timeout(120):
        secret = await link_of(homes.first, email or None)
        statuses = await acceptances(homes, secret, 30, email=email)
        assert statuses[0] == 201
        assert set(statuses[1:]) <= {400, 401}  # used up; or its address has an account by now
        assert len(await heard(homes.first, "granted")) == 1
        async with homes.first.auth.begin(writes=False) as ctx:
            assert len(await ctx.accounts.find()) == 1


async def test_the_twin_that_peeks_and_then_writes_accepts_twice(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = Meeting()

    async def hash_and_wait(*values: Any, **named: Any) -> str:
        found = await new_hash(*values, **named)
        await meeting.wait()
        return found

    async def take(self: Tokens, kind: TokenKind, secret: str) -> Token:
        await self._records.delete_all(where={"id": known.record.id})
        return known

    async def accepted(ctx: Context, invitation: InvitationRecord, account: Any, *, is_new: bool) -> InvitationRecord:
        await ctx.emit(InvitationAccepted(invitation=invitation, account=account, is_new=is_new))
        return invitation

    async with two(database_url, **inviting()) as homes:
        secret = await link_of(homes.first)
        async with homes.first.auth.begin(writes=False) as ctx:
            known = await ctx.tokens.peek(Invitation().token, secret)
        monkeypatch.setattr(acceptance, "new_hash", hash_and_wait)
        monkeypatch.setattr(acceptance, "_accepted", accepted)
        monkeypatch.setattr(Tokens, "take", take)
        assert await acceptances(homes, secret, 2) == [201, 201]
        assert len(await heard(homes.first, "granted")) == 2


@pytest.mark.parametrize("late", ["", "late"])
async def test_an_invitation_is_accepted_or_revoked_and_never_both(
    database_url: str, late: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever has read first, and waits for the other."""
    meeting = Meeting()

    async def hash_and_wait(*values: Any, **named: Any) -> str:
        found = await new_hash(*values, **named)
        await meeting.wait()
        await asyncio.sleep(0.05 if late else 0)
        return found

    async def revoke(home: House) -> bool:
        async def once() -> None:
            async with home.auth.begin() as ctx:
                (record,) = await ctx.records(InvitationRecord).find()
                found = await operations.find(ctx, None, record.id)
                await ctx.release()
                await met.wait()
                await operations.revoke(ctx, found)

        met = meeting
        try:
            await persistently(once)
        except AuthError:
            return False
        return True

    async with two(database_url, **inviting()) as homes, asyncio.timeout(60):
        secret = await link_of(homes.first)
        monkeypatch.setattr(acceptance, "new_hash", hash_and_wait)
        (status,), was_revoked = await asyncio.gather(acceptances(homes, secret, 1), revoke(homes.second))
        (found,) = await rows(homes.first, InvitationRecord)
        assert (found.accepted_at is None) == (status == 400)
        assert (found.revoked_at is not None) == was_revoked
        assert (found.accepted_at is None) != (found.revoked_at is None)
        assert len(await heard(homes.first, "granted")) == (status == 201)
        assert (await account_of(homes.first, "n0@example.com") is not None) == (status == 201)


async def test_two_invitations_of_one_inviter_at_once_are_counted_one_after_the_other(database_url: str) -> None:
    settings = {"extensions": extensions(Invitation(may_invite=lambda ctx, account: True, most_open=3))}
    async with two(database_url, **settings) as homes, asyncio.timeout(60):
        site = homes.first.site(accept="application/json")
        assert (await site.post("/sign-up", email="ada@example.com", password=PASSWORD)).status == 201
        other = homes.second.site(accept="application/json")
        other.jar = site.jar
        sent = (each.post("/invitations") for each in (site, other) * 4)
        answers = [answer.status for answer in await asyncio.gather(*sent)]
        assert sorted(answers) == [201] * 3 + [422] * 5
        assert len(await rows(homes.first, InvitationRecord)) == 3
