"""Sign in with anyone: providers of OpenID Connect, OAuth 2.0 and OAuth 1.0a, as values.

Signing in, signing up, connecting, disconnecting, and proving again. An identity is an issuer and a subject, never an
address. Every way in ends in `sign_in`; a provider's word is one factor, `provider:<name>`.
"""

from powauth.context import Context, on
from powauth.events import CredentialChanged, Erased, SessionEnded, SessionStolen, SignedIn
from powauth.extension import Buttons, Link, Manifest
from powauth.extensions import sign_in, sign_up
from powauth.extensions.invitation import OPEN
from powauth.extensions.manage_account import ACCOUNT, AccountShown
from powauth.extensions.prove import PROVE
from powauth.extensions.providers import identities, leading, operations, signing_out, ways
from powauth.extensions.providers.events import Connected, Disconnected, WaysCounted
from powauth.extensions.providers.flows import SLOTS
from powauth.extensions.providers.forms import CompleteForm
from powauth.extensions.providers.handlers import (
    CALLBACK,
    COMPLETE,
    DISCONNECT,
    START,
    offer_account,
    offer_prove,
    offer_sign_in,
    offer_to_invited,
)
from powauth.extensions.providers.mails import CONNECTED, DISCONNECTED
from powauth.extensions.providers.messages import MESSAGES
from powauth.extensions.providers.ports import Provider
from powauth.extensions.providers.records import IdentityRecord, TokensRecord
from powauth.extensions.providers.settings import ProviderSettings
from powauth.extensions.providers.signing_out import LEAVE, LEFT
from powauth.extensions.session_list import OthersEnded
from powauth.extensions.sign_in import Arriving, Leaving

__all__ = [
    "CALLBACK",
    "COMPLETE",
    "CONNECTED",
    "DISCONNECT",
    "DISCONNECTED",
    "LEAVE",
    "LEFT",
    "START",
    "CompleteForm",
    "Connected",
    "Disconnected",
    "IdentityRecord",
    "Provider",
    "Providers",
    "WaysCounted",
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

    def manifest(self) -> Manifest:
        """Return what it adds."""
        made = Manifest(
            routes=(START, CALLBACK, COMPLETE, DISCONNECT),
            cookies=SLOTS,
            records=(IdentityRecord, TokensRecord) if self.keeps_tokens else (IdentityRecord,),
            hooks=(on(AccountShown, show_providers), on(CredentialChanged, mailbox_proved)),
            buttons=(
                Buttons(on=sign_in.NEW, offer=offer_sign_in),
                Buttons(on=sign_up.NEW, offer=offer_sign_in),
                Buttons(on=OPEN, offer=offer_to_invited),
                Buttons(on=ACCOUNT, offer=offer_account),
                Buttons(on=PROVE, offer=offer_prove),
            ),
            links=(Link(on=COMPLETE, to=sign_in.NEW, text="to_sign_in"),),
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
            ),
        )

    def _signing_out(self) -> Manifest:
        """Return what signing out at providers adds."""
        if not self.signs_out_at:
            return Manifest()
        return Manifest(routes=(LEAVE, LEFT), hooks=(on(Leaving, signing_out.lead_out),))
