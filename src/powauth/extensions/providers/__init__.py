"""Sign in with anyone: providers of OpenID Connect, OAuth 2.0 and OAuth 1.0a, as values.

Signing in, signing up, connecting, disconnecting, and proving again. An identity is an issuer and a subject, never an
address. Every way in ends in `sign_in`; a provider's word is one factor, `provider:<name>`.
"""

from collections.abc import Callable, Mapping, Sequence

from powauth.accounts import Handle
from powauth.context import Context, on
from powauth.events import Closed, CredentialChanged, Erased, SessionEnded, SessionStolen, SignedIn
from powauth.extension import Buttons, Manifest
from powauth.extensions import sign_in, sign_up
from powauth.extensions.invitation import OPEN
from powauth.extensions.manage_account import ACCOUNT, AccountShown
from powauth.extensions.prove import PROVE
from powauth.extensions.providers import (
    identities,
    leading,
    operations,
    profiles,
    signing_out,
    taking_over,
    waiting,
    ways,
)
from powauth.extensions.providers.completing import COMPLETE, offer_mine
from powauth.extensions.providers.errors import ConnectAgain, NoAnswer
from powauth.extensions.providers.events import Connected, Disconnected, WaysCounted
from powauth.extensions.providers.flows import SLOTS
from powauth.extensions.providers.forms import CompleteForm
from powauth.extensions.providers.handlers import (
    CALLBACK,
    DISCONNECT,
    START,
    offer_account,
    offer_prove,
    offer_sign_in,
    offer_to_invited,
)
from powauth.extensions.providers.joining import FORGET, JOIN, MINE, offer_forget
from powauth.extensions.providers.kept_tokens import tokens_for
from powauth.extensions.providers.mails import CONNECTED, DISCONNECTED
from powauth.extensions.providers.messages import MESSAGES
from powauth.extensions.providers.ports import Provider
from powauth.extensions.providers.records import IdentityRecord, TokensRecord
from powauth.extensions.providers.revoking import forget_tokens
from powauth.extensions.providers.settings import ProviderSettings
from powauth.extensions.providers.signing_out import LEAVE, LEFT
from powauth.extensions.remember_me import DeviceForgotten
from powauth.extensions.session_list import OthersEnded
from powauth.extensions.sign_in import Arriving, Leaving

__all__ = [
    "CALLBACK",
    "COMPLETE",
    "CONNECTED",
    "DISCONNECT",
    "DISCONNECTED",
    "FORGET",
    "JOIN",
    "LEAVE",
    "LEFT",
    "MINE",
    "START",
    "CompleteForm",
    "ConnectAgain",
    "Connected",
    "Disconnected",
    "IdentityRecord",
    "NoAnswer",
    "Provider",
    "Providers",
    "WaysCounted",
    "tokens_for",
]


async def show_providers(event: AccountShown, ctx: Context) -> None:
    """Tell a program which providers there are, and which are connected."""
    mine = {row.provider for row in await identities.of_account(ctx, event.account.handle)}
    offered = [provider.name for provider in await ctx[ProviderSettings].all(ctx)]
    names = [*offered, *sorted(mine - set(offered))]
    event.data["providers"] = [{"name": name, "is_connected": name in mine} for name in names]


async def mailbox_proved(event: CredentialChanged, ctx: Context) -> None:
    """Forget who connected providers to an account whose address nobody had proved, once its mailbox sets a password.

    Whoever signed up with somebody else's address would keep a way in (S48).
    """
    account = event.account
    if event.change == "password" and not account.is_confirmed and not ctx.is_signed_in_as(account):
        await operations.forget_unproved(ctx, account.handle)


class Providers(ProviderSettings):
    """Sign in with providers: `Providers(providers=[GitHub(client_id=…, client_secret=…)])`."""

    async def vouching(self, ctx: Context) -> Mapping[str, Callable[[str | None], str]]:
        """Return who vouches for identities that come from elsewhere, by the names of the providers."""
        known = {provider.name: taking_over.vouching(provider) for provider in await self.all(ctx)}
        return {name: vouches for name, vouches in known.items() if vouches is not None}

    async def owners(self, ctx: Context, identities: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Handle]:
        """Return whose identities are, by issuer and subject."""
        return await taking_over.owners(ctx, identities)

    async def take_over(self, ctx: Context, owner: Handle, *, provider: str, issuer: str, subject: str) -> None:
        """Make an identity that comes from elsewhere an account's. Raises `Taken`."""
        await taking_over.take_over(ctx, owner, provider=provider, issuer=issuer, subject=subject)

    def manifest(self) -> Manifest:
        """Return what it adds."""
        made = Manifest(
            routes=(START, CALLBACK, COMPLETE, MINE, JOIN, FORGET, DISCONNECT),
            cookies=SLOTS,
            records=(IdentityRecord, TokensRecord) if self.keeps_tokens else (IdentityRecord,),
            hooks=(
                on(AccountShown, show_providers),
                on(CredentialChanged, mailbox_proved),
                on(Leaving, waiting.forget_at_sign_out),
                on(SessionEnded, waiting.forget_with_session),
                *((on(SignedIn, profiles.bring_up_to_date),) if self.updates_profile else ()),
                *((on(Closed, forget_tokens), on(Erased, forget_tokens)) if self.keeps_tokens else ()),
            ),
            buttons=(
                Buttons(on=sign_in.NEW, offer=offer_sign_in),
                Buttons(on=sign_up.NEW, offer=offer_sign_in),
                Buttons(on=OPEN, offer=offer_to_invited),
                Buttons(on=ACCOUNT, offer=offer_account),
                Buttons(on=PROVE, offer=offer_prove),
                Buttons(on=COMPLETE, offer=offer_mine),
                Buttons(on=JOIN, offer=offer_forget),
            ),
            mails=(CONNECTED, DISCONNECTED),
            messages=MESSAGES,
        ).with_page(COMPLETE, form=self.form)
        return made.plus(self._silently()).plus(self._signing_out())

    def _silently(self) -> Manifest:
        """Return what signing in again without a click adds."""
        if not self.signs_in_silently:
            return Manifest()
        return Manifest(
            cookies=(ways.COOKIE,),
            hooks=(
                on(Arriving, leading.lead_on),
                on(SignedIn, leading.signed_in),
                on(Leaving, leading.leaving),
                on(SessionEnded, leading.session_ended),
                on(SessionStolen, leading.session_ended),
                on(CredentialChanged, leading.account_changed),
                on(Erased, leading.account_changed),
                on(OthersEnded, leading.others_ended),
                on(DeviceForgotten, leading.device_forgotten),
            ),
        )

    def _signing_out(self) -> Manifest:
        """Return what signing out at providers adds."""
        if not self.signs_out_at:
            return Manifest()
        return Manifest(routes=(LEAVE, LEFT), hooks=(on(Leaving, signing_out.lead_out),))
