"""What is done to prove an address, and to take a change of it back."""

from dataclasses import dataclass

from powauth.accounts import Account, Changes, Handle, email_key
from powauth.context import Context
from powauth.errors import Conflict, InvalidForm, InvalidToken, Taken
from powauth.extensions import reset_password
from powauth.extensions.email_confirmation.records import PendingEmail, UnprovedRecord
from powauth.extensions.email_confirmation.settings import ConfirmationSettings
from powauth.operations import Changed, confirm_email, end_links, erase_account, replace_email
from powauth.tokens import Token
from powauth.watching import operation


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Whose address a link proves, and which one."""

    account: Account
    email: str


async def peek(ctx: Context, secret: str) -> Confirmation:
    """Return what a link proves, and leave it usable. Raises `InvalidToken`."""
    token = await ctx.tokens.peek(ctx[ConfirmationSettings].token, secret)
    return Confirmation(token.account, token.data.get("email") or token.account.email or "")


@operation
async def confirm(ctx: Context, secret: str) -> Changed:
    """Confirm a new account's address, or the one that it waits for; nobody is signed in by that.

    Raises `InvalidToken`, also when the change was cancelled, and `Conflict` when another account has the address by
    now: then nothing changes, and the link stays.
    """
    found = await peek(ctx, secret)
    account = await ctx.lock(found.account.handle)
    if not is_own(account, found.email):
        await make_way(ctx, account, found.email)
    token = await ctx.tokens.take(ctx[ConfirmationSettings].token, secret)
    email = token.data.get("email")
    if email is None:  # the address that the account had when it was mailed; with another one the link is worthless
        return Changed(await confirm_email(ctx, account))
    waiting = await pending(ctx, account.handle)
    if waiting is None or waiting.email != email:
        raise InvalidToken
    try:
        return await replace_email(ctx, account, email, confirmed_at=ctx.now)
    except InvalidForm as error:
        raise Conflict from error


def is_own(account: Account, email: str) -> bool:
    """Say whether an address is the account's, however it is spelled."""
    return account.email is not None and email_key(account.email) == email_key(email)


async def pending(ctx: Context, handle: Handle) -> PendingEmail | None:
    """Return the address that an account waits for."""
    return await ctx.records(PendingEmail).get(handle)


async def wait_for(ctx: Context, account: Account, email: str) -> bool:
    """Let an account wait for an address; say whether it did not before. Another one that it waited for is given up."""
    waiting = await pending(ctx, account.handle)
    if waiting is not None and waiting.email == email:
        return False
    await cancel(ctx, account)
    try:
        await ctx.records(PendingEmail).add(PendingEmail(owner=account.handle, email=email, created_at=ctx.now))
    except Taken:  # the account is locked: nobody else adds one
        raise Conflict from None
    return True


@operation
async def cancel(ctx: Context, account: Account) -> None:
    """Give a pending address up, with every link and mail for it."""
    await end_links(ctx, account, ctx[ConfirmationSettings].token, unless=lambda _, data: "email" not in data)
    await ctx.records(PendingEmail).delete_all(where={"owner": account.handle})


async def make_way(ctx: Context, account: Account | None, email: str) -> None:
    """Let a proved mailbox win over an account that was made with its address and never proved: that one is erased.

    Raises `Conflict` when the address is another account's that may be in use.
    """
    holder = await ctx.accounts.by_email(email)
    if holder is None or (account is not None and holder.handle == account.handle):
        return
    holder = await ctx.lock(holder.handle)
    if not await is_unproved(ctx, holder):
        raise Conflict
    await erase_account(ctx, holder)


async def is_unproved(ctx: Context, account: Account) -> bool:
    """Say whether an account was made with an address that nobody proved, and that nobody can use before."""
    return not account.is_confirmed and await ctx.records(UnprovedRecord).get(account.handle) is not None


async def is_held(ctx: Context, email: str) -> bool:
    """Say whether an address is an account's that may be in use; one that nobody proved makes way for its mailbox."""
    account = await ctx.accounts.by_email(email)
    if account is None:
        return False
    return not (ctx.has(ConfirmationSettings) and await is_unproved(ctx, account))


async def note_unproved(ctx: Context, account: Account) -> None:
    """Note that a new account is to be erased if nobody proves its address."""
    settings = ctx[ConfirmationSettings]
    if settings.erase_after and not settings.grace:
        erase_at = ctx.now + settings.erase_after
        await ctx.records(UnprovedRecord).add(UnprovedRecord(owner=account.handle, erase_at=erase_at))


async def forget_unproved(ctx: Context, account: Account) -> None:
    """Note that a new account's address is proved."""
    await ctx.records(UnprovedRecord).delete_all(where={"owner": account.handle})


async def erase_unproved(ctx: Context) -> int:
    """Erase one new account whose address nobody proved in time; say how many were due."""
    unproved = ctx.records(UnprovedRecord)
    for due in await unproved.find(below={"erase_at": ctx.now}, order=("erase_at",), limit=1):
        account = await ctx.accounts.lock(due.owner)
        await unproved.delete(due)
        if account is not None and not account.is_confirmed:
            await erase_account(ctx, account)
        return 1
    return 0


async def give_up_password(ctx: Context, account: Account) -> None:
    """Make the password of an unproved account worthless, and each link that confirms it: its address is contested.

    Whoever made it may be somebody else than whoever reads the mailbox (pre-hijacking): the owner sets a password.
    """
    await ctx.accounts.change(account, Changes(password_hash=None))
    await end_links(ctx, account, ctx[ConfirmationSettings].token)


async def peek_undo(ctx: Context, secret: str) -> Token:
    """Return which change a link of the former mailbox reverts, and leave it usable. Raises `InvalidToken`."""
    return await ctx.tokens.peek(ctx[ConfirmationSettings].undo_token, secret)


@operation
async def undo(ctx: Context, secret: str) -> Account:
    """Put the former address back, and end everything that somebody made meanwhile. Raises `InvalidToken`, `Conflict`.

    It sets nothing else and signs nobody in.
    """
    found = await peek_undo(ctx, secret)
    account = await ctx.lock(found.account.handle)
    await make_way(ctx, account, found.data["former"])
    token = await ctx.tokens.take(ctx[ConfirmationSettings].undo_token, secret)
    return await reset_password.restore(ctx, account, token)


async def waive(ctx: Context, secret: str) -> None:
    """Give the way back up, which only the former mailbox can. Raises `InvalidToken`."""
    await ctx.lock((await peek_undo(ctx, secret)).account.handle)
    await ctx.tokens.take(ctx[ConfirmationSettings].undo_token, secret)
