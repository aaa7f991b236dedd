"""What is done: accept, confirm the receipt. No HTTP in here."""

from examples.terms_of_service import tokens
from examples.terms_of_service.events import ReceiptConfirmed, TermsAccepted
from examples.terms_of_service.records import Acceptance
from examples.terms_of_service.settings import TermsSettings
from powauth import Account, Context, InvalidToken, NotSignedIn


async def has_accepted(ctx: Context, account: Account) -> bool:
    """Say whether an account accepted the edition in force."""
    return await ctx.records(Acceptance).get(account.handle, ctx[TermsSettings].edition) is not None


async def accept(ctx: Context, account: Account) -> Acceptance:
    """Keep that an account accepts the edition in force; twice is once."""
    await ctx.lock(account.handle)  # two tabs at one time would both add the row
    edition = ctx[TermsSettings].edition
    known = await ctx.records(Acceptance).get(account.handle, edition)
    if known is not None:
        return known
    new = Acceptance(account=account.handle, edition=edition, at=ctx.now, client=ctx.caller.client)
    added = await ctx.records(Acceptance).add(new)
    await ctx.emit(TermsAccepted(account=account, acceptance=added))
    return added


async def parked_account(ctx: Context) -> Account:
    """Return the account whose sign-in waits, locked. Raises `NotSignedIn` if the sign-in may no longer go on."""
    account = await ctx.lock(ctx.pending.handle)
    if not account.is_open or account.epoch != ctx.pending.epoch:
        raise NotSignedIn
    return account


async def find_receipt(ctx: Context, secret: str) -> Acceptance:
    """Return what a receipt is about, and leave its link usable. Raises `InvalidToken`."""
    token = await ctx.tokens.peek(tokens.receipt(ctx[TermsSettings].receipt_lifetime), secret)
    return await _acceptance(ctx, token.account, token.data["edition"])


async def confirm_receipt(ctx: Context, secret: str) -> Acceptance:
    """Use the link of a receipt up, and keep that it arrived. Raises `InvalidToken`."""
    token = await ctx.tokens.take(tokens.receipt(ctx[TermsSettings].receipt_lifetime), secret)
    acceptance = await _acceptance(ctx, token.account, token.data["edition"])
    confirmed = await ctx.records(Acceptance).update(acceptance, received_at=ctx.now)
    await ctx.emit(ReceiptConfirmed(account=token.account, acceptance=confirmed))
    return confirmed


async def _acceptance(ctx: Context, account: Account, edition: str) -> Acceptance:
    found = await ctx.records(Acceptance).get(account.handle, edition)
    if found is None:
        raise InvalidToken
    return found
