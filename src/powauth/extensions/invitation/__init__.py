"""Somebody is invited: by mail, or by a link that is handed over. Nobody may invite until the application says who.

An invitation is a record of its own; no account is made before it is accepted. Its mailed link proves the address.
"""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs

from powauth.answers import with_next
from powauth.context import Context, on
from powauth.events import EmailConfirmed, Erased
from powauth.extension import Chore, Extension, Manifest
from powauth.extensions import sign_in
from powauth.extensions.invitation import acceptance, backing, handlers, mails, operations
from powauth.extensions.invitation.acceptance import accept, carried
from powauth.extensions.invitation.commands import commands
from powauth.extensions.invitation.events import (
    InvitationAccepted,
    InvitationRenewed,
    InvitationRevoked,
    Invited,
    Inviting,
)
from powauth.extensions.invitation.forms import InvitationForm
from powauth.extensions.invitation.handlers import MayCome
from powauth.extensions.invitation.messages import MESSAGES
from powauth.extensions.invitation.operations import BY_INVITER, TO_ADDRESS, Made, invite
from powauth.extensions.invitation.records import InvitationRecord
from powauth.extensions.invitation.settings import InvitationSettings, nobody
from powauth.extensions.sign_up import SignUp, SignUpForm
from powauth.forms import NoForm
from powauth.http import Request
from powauth.mail import MailKind
from powauth.pages import Done, Outcome, Shown
from powauth.routing import SIGNED_IN, SIGNED_OUT, FormPage, Get, Post

__all__ = [
    "ACCEPT",
    "BY_INVITER",
    "CONTINUE",
    "INVITATIONS",
    "OPEN",
    "REVOKE",
    "SEND_AGAIN",
    "SIGN_UP",
    "TO_ADDRESS",
    "Invitation",
    "InvitationAccepted",
    "InvitationForm",
    "InvitationRecord",
    "InvitationRenewed",
    "InvitationRevoked",
    "Invited",
    "Inviting",
    "accept",
    "carried",
    "invite",
    "nobody",
]


async def show_list(request: Request[NoForm], ctx: Context) -> Outcome:
    """Show who is invited, the newest first, a page at a time."""
    return Shown(data=await _list(request, ctx))


async def _list(request: Request[NoForm] | Request[InvitationForm], ctx: Context) -> dict[str, object]:
    account = await ctx.account()
    after = parse_qs(request.raw.query, max_num_fields=100).get("after", [""])[0]
    found = await operations.listed(ctx, account, after=after)
    more = f"{ctx.path(INVITATIONS)}?after={found[-1].id}" if len(found) == operations.PAGE else None
    listed = [{**await handlers.described(ctx, each, account), **_urls(ctx, each)} for each in found]
    if request.wants == "html":
        listed = [{**each, "facts": handlers.facts(ctx, known)} for each, known in zip(listed, found, strict=True)]
    return {"invitations": listed, "more_url": more, "by_link": ctx[InvitationSettings].by_link}


def _urls(ctx: Context, invitation: InvitationRecord) -> dict[str, object]:
    return {
        "revoke_url": ctx.path(REVOKE, id=invitation.id),
        "send_again_url": ctx.path(SEND_AGAIN, id=invitation.id),
    }


async def send(request: Request[InvitationForm], ctx: Context) -> Outcome:
    """Invite somebody."""
    made = await operations.invite(ctx, await ctx.account(), request.form)
    return await _made(request, ctx, made, status=201)


async def send_again(request: Request[NoForm], ctx: Context) -> Outcome:
    """Let an invitation begin anew."""
    account = await ctx.account()
    invitation = await operations.find(ctx, account, request.params["id"])
    return await _made(request, ctx, await operations.send_again(ctx, account, invitation), status=200)


async def revoke(request: Request[NoForm], ctx: Context) -> Outcome:
    """Take an invitation back."""
    invitation = await operations.find(ctx, await ctx.account(), request.params["id"])
    await operations.revoke(ctx, invitation)
    return Done(to=INVITATIONS, notice="revoked")


async def _made(
    request: Request[InvitationForm] | Request[NoForm], ctx: Context, made: Made, *, status: int
) -> Outcome:
    """Answer with an invitation, and with its link if that is to be handed over: no redirect could carry it."""
    url = ctx.url(OPEN, token=made.secret) if made.secret else None
    if request.wants == "json":
        shown = await handlers.described(ctx, made.invitation, await ctx.account())
        return Done(data={"invitation": {**shown, **_urls(ctx, made.invitation)}, "url": url}, status=status)
    if url is None:
        return Done(to=INVITATIONS, notice="sent")
    return Shown(data={**await _list(request, ctx), "url": url}, status=status)


async def show(request: Request[NoForm], ctx: Context) -> Outcome:
    """Show what an invitation asks of whoever holds its link: looking at it uses nothing up."""
    secret = request.params["token"]
    invitation = await acceptance.peek(ctx, secret)
    account = await ctx.account_if_any()
    state = await acceptance.state(ctx, invitation, account)
    if account is None:
        acceptance.carry(ctx, secret)
    signs_up = state == "sign_up"
    return Shown(
        data={
            **await handlers.greeting(ctx, invitation),
            "state": state,
            "url": ctx.path(SIGN_UP if signs_up else ACCEPT, token=secret),
            "sign_in_url": with_next(ctx.path(ctx.plan.entrance or sign_in.NEW), ctx.path(CONTINUE)),
            **({"fields": handlers.fields_of(ctx, SIGN_UP)} if signs_up else {}),
        },
        values={SIGN_UP: {"email": acceptance.bound_to(ctx, invitation) or ""}},
        words={"application": ctx.plan.application},
    )


async def go_on(request: Request[NoForm], ctx: Context) -> Outcome:  # noqa: ARG001  the shape of a handler
    """Lead back to the invitation that the browser kept while its owner signed in."""
    secret = acceptance.carried(ctx)
    await acceptance.peek(ctx, secret)
    return Done(to=ctx.path(OPEN, token=secret))


INVITATIONS = FormPage(
    name="invitations", path="/invitations", form=InvitationForm, show=show_list, submit=send, requires=MayCome()
)
SEND_AGAIN = Post(
    name="send_again", path="/invitations/{id}/send-again", form=NoForm, submit=send_again, requires=SIGNED_IN
)
REVOKE = Post(name="revoke", path="/invitations/{id}/revoke", form=NoForm, submit=revoke, requires=SIGNED_IN)
SIGN_UP = Post(
    name="sign_up",
    path="/invitations/{token}",
    form=SignUpForm,
    submit=handlers.sign_up,
    requires=SIGNED_OUT,
    signs_in=True,
    grants_bearer=True,
)
ACCEPT = Post(
    name="accept", path="/invitations/{token}/accept", form=NoForm, submit=handlers.accept, requires=SIGNED_IN
)
OPEN = Get(name="open", path="/invitations/{token}", show=show, forms=(SIGN_UP, ACCEPT))
CONTINUE = Get(name="continue", path="/invitations/continue", show=go_on)


async def mail_link(event: Invited | InvitationRenewed, ctx: Context) -> None:
    """Owe the link to the address that is invited, and to nobody else."""
    invitation = event.invitation
    if invitation.email is None:
        return
    inviter = await backing.inviter_of(ctx, invitation)
    name = inviter.label if inviter else ctx.words("invitation.operator")
    await ctx.send(ctx[Invitation].mail, about=invitation.subject, to=invitation.email, parts={"name": name})


class Invitation(InvitationSettings):
    """Invite people."""

    templates = Path(__file__).parent / "templates"

    @property
    def mail(self) -> MailKind:
        """The mail that holds the link."""
        return mails.invited(OPEN, self.token)

    def manifest_among(self, extensions: Sequence[Extension]) -> Manifest:
        """Return what it adds; an invited person is asked for what `SignUp` asks for, unless this says otherwise."""
        manifest = self.manifest()
        theirs = next((known.form for known in extensions if isinstance(known, SignUp)), SignUpForm)
        is_served = any(route.original == SIGN_UP for route in manifest.served())
        return manifest.with_page(SIGN_UP, form=self.sign_up_form or theirs) if is_served else manifest

    def manifest(self) -> Manifest:
        """Return what it adds."""
        return Manifest(
            routes=(INVITATIONS, CONTINUE, OPEN, SIGN_UP, ACCEPT, REVOKE, SEND_AGAIN),
            tokens=(self.token,),
            records=(InvitationRecord,),
            hooks=(
                on(Invited, mail_link),
                on(InvitationRenewed, mail_link),
                on(EmailConfirmed, acceptance.accept_waiting),
                on(Erased, operations.end_unbacked),
            ),
            mails=(self.mail,),
            cookies=(acceptance.COOKIE,),
            chores=(Chore(name="forget", run=operations.forget),),
            commands=commands(self.form),
            messages=MESSAGES,
        ).with_page(INVITATIONS, form=self.form)
