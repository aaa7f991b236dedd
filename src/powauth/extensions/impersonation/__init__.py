"""Act as somebody of lower standing: for support that sees what a customer sees, and can harm no account by it.

It begins with a recent proof and a reason, ends by itself, by a button on every page and with the administrator's own
session, and changes nothing by which somebody proves who they are.
"""

from dataclasses import dataclass, replace

from powauth.context import Context, on
from powauth.events import Acting, SignedIn, SigningOut
from powauth.extension import Manifest, Route
from powauth.extensions.impersonation import handlers, hooks
from powauth.extensions.impersonation.events import Impersonated, ImpersonationEnded
from powauth.extensions.impersonation.forms import ActForm
from powauth.extensions.impersonation.mails import TOLD
from powauth.extensions.impersonation.operations import COOKIE, begin, check, end, take_back
from powauth.extensions.impersonation.settings import ImpersonationSettings
from powauth.extensions.prove import recent
from powauth.extensions.roles import role
from powauth.extensions.session_list import DevicesListed
from powauth.forms import NoForm
from powauth.routing import SIGNED_IN, All, FormPage, Post, Requirement

__all__ = [
    "END",
    "IN_PERSON",
    "START",
    "Impersonated",
    "Impersonation",
    "ImpersonationEnded",
    "InPerson",
    "begin",
    "end",
]


@dataclass(frozen=True, slots=True)
class InPerson(Requirement):
    """The account's owner is here: nobody acts as them."""

    async def check(self, ctx: Context) -> None:
        """Raise `NotSignedIn` for nobody, `OwnerOnly` for whoever acts as the account."""
        await ctx.account()
        ctx.owner_only()


IN_PERSON = InPerson()
"""For pages of the application's own that nobody else may use: `require=IN_PERSON`."""

START = FormPage(name="start", path="/impersonate", form=ActForm, submit=handlers.start, requires=SIGNED_IN)
END = Post(name="end", path="/impersonate/end", form=NoForm, submit=handlers.stop, while_acting=True, ends_acting=True)


class Impersonation(ImpersonationSettings):
    """Act as somebody of lower standing."""

    @property
    def may_begin(self) -> Requirement:
        """What is asked of whoever begins."""
        return All((role(*self.by), recent(self.fresh)))

    def manifest(self) -> Manifest:
        """Return what it adds."""
        return Manifest(
            routes=(Route(original=START, page=replace(START, requires=self.may_begin)), END),
            cookies=(COOKIE,),
            returns=(take_back,),
            hooks=(
                on(Acting, check),
                on(SigningOut, hooks.signing_out),
                on(SignedIn, hooks.signed_in),
                on(DevicesListed, hooks.devices_listed),
            ),
            mails=(TOLD,),
            messages={
                "start.title": "Act as somebody",
                "start.intro": "You see what they see, for a limited time. What only they may do, such as changing "
                "their password, stays theirs. Both names and your reason are kept.",
                "start.submit": "Act as them",
                "field.reason": "Reason",
                "help.reason": "Such as the number of the request that you work on.",
                "nobody": "There is no such account.",
                "end.submit": "Stop",
                "end.banner": "You act as {name}.",
                "end.banner_unnamed": "You act as somebody else.",
                "ended": "You are yourself again.",
                "mark": "Not you: support",
                "told.subject": "Somebody looked at your account at {application}",
                "told.body": "Hello {name},\n\nto help you, somebody of those who run {application} uses your account, "
                "from {time} until {until} at the latest. They cannot change your password, your address or anything "
                "else by which you sign in.\n\nIf you did not ask for help, please answer this mail.",
            },
        )
