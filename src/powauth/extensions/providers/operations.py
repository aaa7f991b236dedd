"""What somebody who came back from a provider becomes: known, new, connected, proved; and disconnecting."""

from collections.abc import Mapping
from dataclasses import dataclass

from powauth.accounts import (
    Account,
    Changes,
    Handle,
    InvalidEmail,
    InvalidUsername,
    NewAccount,
    email_key,
    parse_email,
    parse_username,
)
from powauth.context import Context
from powauth.errors import (
    ActionRequired,
    FieldError,
    Forbidden,
    InvalidCredentials,
    InvalidForm,
    InvalidToken,
    NotFound,
    Stale,
)
from powauth.events import Authenticated
from powauth.extensions.email_confirmation import EmailConfirmation
from powauth.extensions.email_confirmation.operations import is_held, make_way
from powauth.extensions.invitation import Invitation, accept, carried
from powauth.extensions.prove import PROVE
from powauth.extensions.providers import identities, mails, profiles
from powauth.extensions.providers.errors import LastWayIn, NotRegistered, OtherAccount
from powauth.extensions.providers.events import Connected, Disconnected, WaysCounted
from powauth.extensions.providers.identities import factor_of
from powauth.extensions.providers.records import IdentityRecord
from powauth.extensions.providers.revoking import revoke_later
from powauth.extensions.providers.settings import ProviderSettings
from powauth.forms import Form
from powauth.oauth import Identity
from powauth.operations import Changed, change_credential, lock_unchanged, sign_up
from powauth.pages import Detour
from powauth.session import Proof
from powauth.watching import operation


@dataclass(frozen=True, slots=True)
class Recognised:
    """Whose identity this is, and the proof that they are here."""

    account: Account
    proof: Proof
    is_new: bool = False


# ---- who is known ----


@operation
async def recognise(ctx: Context, identity: Identity) -> Recognised | None:
    """Return whose identity this is, brought up to date; `None` if nobody has it."""
    row = await identities.find(ctx, identity)
    if row is None:
        return await _link_verified(ctx, identity)
    account = await ctx.accounts.lock(row.owner)
    if account is None:
        raise InvalidCredentials
    if account.is_open:  # otherwise nobody gets in, and nothing is kept of whoever was refused
        await identities.refresh(ctx, row, identity)
    await ctx.emit(Authenticated(account=account, factor=factor_of(identity.provider)))
    return Recognised(account, proof_of(ctx, account, identity))


def proof_of(ctx: Context, account: Account, identity: Identity) -> Proof:
    """Return the proof that a provider just vouched for an account's owner."""
    return Proof(account.handle, account.epoch, factor_of(identity.provider), ctx.now)


async def _link_verified(ctx: Context, identity: Identity) -> Recognised | None:
    """Link an identity to the account whose address both sides proved, where the application wants that."""
    email = proved_email(identity)
    if email is None or not ctx[ProviderSettings].links_verified:
        return None
    found = await ctx.accounts.by_email(email)
    account = await ctx.accounts.lock(found.handle) if found else None
    is_same = account is not None and account.email is not None and email_key(account.email) == email_key(email)
    if account is None or not is_same or not account.is_confirmed or not account.is_open:
        return None
    await identities.add(ctx, account.handle, identity)
    changed = await change_credential(ctx, account, Changes(), "factor", keeps_caller=False)
    await _tell_connected(ctx, changed.account, identity.provider)
    return Recognised(changed.account, proof_of(ctx, changed.account, identity))


# ---- who is new ----


def proved_email(identity: Identity) -> str | None:
    """Return the address that a provider says is the person's, and verified."""
    return said_email(identity) if identity.claims.email_verified is True else None


def said_email(identity: Identity) -> str | None:
    """Return the address that a provider says, whoever proved it; `None` for what is none."""
    try:
        return parse_email(identity.claims.email or "")
    except InvalidEmail:
        return None


def said_username(identity: Identity) -> str | None:
    """Return the user name that a provider says; `None` for what is none."""
    try:
        return parse_username(identity.claims.preferred_username or "")
    except InvalidUsername:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a new account shall have."""

    email: str | None
    username: str | None
    values: Mapping[str, object]


def said(ctx: Context, identity: Identity) -> Wanted:
    """Return what a provider says of a new account: its identifiers as far as accounts have them, and its columns."""
    return Wanted(
        email=said_email(identity) if "email" in ctx.plan.identifiers else None,
        username=said_username(identity) if "username" in ctx.plan.identifiers else None,
        values=profiles.values_of(ctx, identity.claims.plain()),
    )


async def open_questions(ctx: Context, identity: Identity, wanted: Wanted) -> dict[str, list[FieldError]]:
    """Return what is missing or taken. Of an address that nobody proved, it is not told here whether it is taken."""
    errors: dict[str, list[FieldError]] = {}
    if "email" in ctx.plan.identifiers:
        if wanted.email is None:
            errors["email"] = [FieldError("required")]
        elif is_proved(identity, wanted.email) and await is_held(ctx, wanted.email):
            errors["email"] = [FieldError("taken")]
    if "username" in ctx.plan.identifiers:
        if wanted.username is None:
            errors["username"] = [FieldError("required")]
        elif await ctx.accounts.by_username(wanted.username) is not None:
            errors["username"] = [FieldError("taken")]
    return errors


def is_proved(identity: Identity, email: str) -> bool:
    """Say whether a provider proved this address, however it is spelled."""
    proved = proved_email(identity)
    return proved is not None and email_key(proved) == email_key(email)


@operation
async def register(
    ctx: Context, identity: Identity, wanted: Wanted, *, extras: Mapping[type[Form], Form]
) -> Recognised | Detour:
    """Make an account for an identity, or say which step comes next. Raises `NotRegistered`, `InvalidForm`.

    The identity comes first: of two call-backs of the same one, the second waits for it, and finds the first one's.
    """
    if not ctx[ProviderSettings].registration:
        raise NotRegistered
    if errors := await open_questions(ctx, identity, wanted):
        if await identities.find(ctx, identity) is not None:  # who has it all is the same person, a moment ago
            raise Stale
        raise InvalidForm(errors)
    proved = wanted.email is not None and is_proved(identity, wanted.email)
    new = NewAccount(
        email=wanted.email,
        username=wanted.username,
        confirmed_at=ctx.now if proved else None,
        values=wanted.values,
    )
    if proved and wanted.email is not None and ctx.has(EmailConfirmation):
        await make_way(ctx, None, wanted.email)
    row = await identities.add(ctx, new.handle, identity)
    try:
        made = await sign_up(ctx, new, extras=extras)
    except InvalidForm:
        await identities.remove(ctx, row)
        raise
    if isinstance(made, Detour):
        account = await ctx.accounts.by_handle(new.handle)
        if account is None:  # the address is another's, who is mailed; this one becomes nobody
            await identities.remove(ctx, row)
        else:
            await _is_made(ctx, account, identity)
        return made
    await _is_made(ctx, made.account, identity)
    return Recognised(made.account, proof_of(ctx, made.account, identity), is_new=True)


async def _is_made(ctx: Context, account: Account, identity: Identity) -> None:
    """Announce a new account's provider, and let it accept the invitation that its browser kept."""
    await ctx.emit(Connected(account=account, provider=identity.provider))
    secret = carried(ctx) if ctx.has(Invitation) else ""
    if not secret:
        return
    try:
        await accept(ctx, secret, account, is_new=True)
    except InvalidToken:  # over, or taken back: the account stands without it
        return


# ---- who is signed in ----


def check_owner(ctx: Context, back: str) -> None:
    """Make sure that it is the owner who changes the ways in. Raises `Forbidden`, `ActionRequired`.

    Whoever acts as somebody else changes no credential (S66). `back` is where to go once it is proved again.
    """
    ctx.owner_only()
    if ctx.session.transport != "cookie":  # the browser that comes back brings no token
        raise Forbidden
    proved_at = ctx.session.proved_at()
    if proved_at is not None and ctx.now - proved_at <= ctx[ProviderSettings].fresh:
        return
    if not ctx.has_page(PROVE):
        raise Forbidden
    raise ActionRequired("prove.prove", f"{ctx.path(PROVE)}?next={back}" if back else ctx.path(PROVE))


@operation
async def connect(ctx: Context, identity: Identity, *, keeps_caller: bool = True) -> Changed:
    """Make an identity a way in to the signed-in account; every other session of it ends. Raises `OtherAccount`.

    The caller's own goes on, unless it is not to.
    """
    ctx.owner_only()
    account = await lock_unchanged(ctx, await ctx.account())
    row = await identities.find(ctx, identity)
    if row is not None:
        if row.owner != account.handle:
            raise OtherAccount
        await identities.refresh(ctx, row, identity)
        return Changed(account)
    await identities.add(ctx, account.handle, identity)
    changed = await change_credential(ctx, account, Changes(), "factor", keeps_caller=keeps_caller)
    await _tell_connected(ctx, changed.account, identity.provider)
    return changed


async def _tell_connected(ctx: Context, account: Account, provider: str) -> None:
    await ctx.emit(Connected(account=account, provider=provider))
    await mails.tell(ctx, mails.CONNECTED, account, provider)


@operation
async def prove(ctx: Context, identity: Identity) -> Recognised:
    """Return a fresh proof for the signed-in account. Raises `OtherAccount` for who came back as somebody else."""
    ctx.owner_only()
    account = await ctx.account()
    row = await identities.find(ctx, identity)
    if row is None or row.owner != account.handle:
        raise OtherAccount
    await identities.refresh(ctx, row, identity)
    return Recognised(account, proof_of(ctx, account, identity))


@operation
async def disconnect(ctx: Context, name: str) -> Changed:
    """Let a provider be no way in to the signed-in account any more. Raises `LastWayIn`, `NotFound`.

    Under the account's lock: of two requests for its last two ways in, the second finds one. Tokens are revoked.
    """
    ctx.owner_only()
    account = await lock_unchanged(ctx, await ctx.account())
    rows = await identities.of_account(ctx, account.handle)
    gone = [row for row in rows if row.provider == name]
    if not gone:
        raise NotFound
    if not await _remaining(ctx, account, [row for row in rows if row.provider != name]):
        raise LastWayIn
    for row in gone:
        await revoke_later(ctx, row)
        await identities.remove(ctx, row)
    changed = await change_credential(ctx, account, Changes(), "factor")
    await ctx.emit(Disconnected(account=changed.account, provider=name))
    await mails.tell(ctx, mails.DISCONNECTED, changed.account, name)
    return changed


async def _remaining(ctx: Context, account: Account, rows: list[IdentityRecord]) -> set[str]:
    """Return the ways in that remain. A provider that is not configured any more is none."""
    configured = {provider.name for provider in await ctx[ProviderSettings].all(ctx)}
    ways = {factor_of(row.provider) for row in rows if row.provider in configured}
    if account.password_hash is not None:
        ways.add("password")
    counted = WaysCounted(account=account, ways=ways)
    await ctx.emit(counted)
    return counted.ways


async def forget_unproved(ctx: Context, handle: Handle) -> None:
    """Forget every identity of an account: its owner reads its mailbox, and may not be who connected them."""
    for row in await identities.of_account(ctx, handle):
        await revoke_later(ctx, row)
        await identities.remove(ctx, row)
