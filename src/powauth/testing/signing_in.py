"""Signed in without a password: for tests of what comes after."""

from powauth.accounts import Account
from powauth.auth import Auth
from powauth.session import Proof
from powauth.settings import U

FACTOR = "test"


async def sign_in_as(auth: Auth[U], user: U | Account) -> dict[str, str]:
    """Return the cookies of a new session of this user, past all gates.

    `client.cookies.update(await sign_in_as(auth, ada))`, or `site.jar |= await sign_in_as(auth, ada)`.
    """
    account = user if isinstance(user, Account) else auth.database.account(user)
    async with auth.begin(writes=False) as ctx:
        proof = Proof(account.handle, account.epoch, FACTOR, ctx.now)
        session = ctx.sessions.new(account, (proof,), transport="cookie", device="Test")
        await ctx.sessions.start(session)
        return {auth.plan.cookie_name("session"): ctx.sessions.secret(session)}
