"""HTTP around accepting."""

from examples.terms_of_service import operations
from examples.terms_of_service.forms import AcceptForm
from examples.terms_of_service.records import Acceptance
from examples.terms_of_service.settings import TermsSettings
from powauth import Context, Done, FieldError, InvalidForm, NoForm, Outcome, Request, Resumed, Shown
from powauth.extensions import sign_in


def terms(ctx: Context) -> dict[str, object]:
    """Return the terms in force, as pages and programs see them."""
    settings = ctx[TermsSettings]
    return {"edition": settings.edition, "text": settings.text, "url": settings.url}


def described(acceptance: Acceptance) -> dict[str, object]:
    """Return an acceptance as its owner may see it."""
    return {"edition": acceptance.edition, "at": acceptance.at, "received_at": acceptance.received_at}


async def read(request: Request[NoForm], ctx: Context) -> Outcome:
    """Show the terms to anybody."""
    return Shown(data=terms(ctx))


async def accept(request: Request[AcceptForm], ctx: Context) -> Outcome:
    """Keep the acceptance, then let the sign-in go on."""
    if request.form.edition not in {"", ctx[TermsSettings].edition}:  # a new one came into force since it was read
        raise InvalidForm({"": [FieldError("terms_of_service.changed")]})
    await operations.accept(ctx, await operations.parked_account(ctx))
    return Resumed()


async def decline(request: Request[NoForm], ctx: Context) -> Outcome:
    """Leave the account as it is, and the person signed out."""
    return Done(to=sign_in.NEW, notice="declined", abandons=True)


async def show_receipt(request: Request[NoForm], ctx: Context) -> Outcome:
    """Show what the receipt is about; the link stays usable (S20)."""
    acceptance = await operations.find_receipt(ctx, request.params["token"])
    return Shown(data=described(acceptance), words={"edition": acceptance.edition})


async def confirm(request: Request[NoForm], ctx: Context) -> Outcome:
    """Keep that the receipt arrived."""
    acceptance = await operations.confirm_receipt(ctx, request.params["token"])
    return Done(to=ctx.plan.paths.home, notice="received", data=described(acceptance))
