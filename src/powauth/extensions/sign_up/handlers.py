"""HTTP around signing up."""

from powauth.accounts import NewAccount
from powauth.context import Context
from powauth.errors import FieldError, InvalidForm
from powauth.extensions.sign_up.forms import SignUpForm
from powauth.forms import field_names
from powauth.http import Request
from powauth.operations import Authentic, sign_up
from powauth.pages import Detour, Done, Outcome, Proved
from powauth.programs import check_challenge


async def submit(request: Request[SignUpForm], ctx: Context) -> Outcome:
    """Make the account; what follows is a sign-in like any other."""
    made = await sign_up(ctx, new_account(request, ctx), request.form.password, extras=request.extras)
    return detoured(ctx, made) if isinstance(made, Detour) else proved(request.form, made)


def new_account(request: Request[SignUpForm], ctx: Context) -> NewAccount:
    """Return the account that a form describes. Raises `InvalidForm` for a way to be signed in that is not allowed."""
    form = request.form
    if form.transport == "bearer" and not request.is_json_body:
        raise InvalidForm({"transport": [FieldError("not_allowed")]})
    check_challenge(ctx.plan, ctx.tenant, form.next, form.code_challenge)
    return NewAccount(email=form.email, username=form.username, values=own_values(form))


def detoured(ctx: Context, detour: Detour) -> Done:
    """Return the answer where a step comes next."""
    return Done(to=detour.page, data={"action": action_data(ctx, detour)}, status=201)


def proved(form: SignUpForm, made: Authentic, *, notice: str | None = None) -> Proved:
    """Return the sign-in that follows."""
    return Proved(
        account=made.account,
        proof=made.proof,
        next=form.next,
        transport="bearer" if form.transport == "bearer" else "cookie",
        after="after_sign_up",
        challenge=form.code_challenge,
        notice=notice,
        status=201,
    )


def action_data(ctx: Context, detour: Detour) -> dict[str, str]:
    """Return the step that comes next, as a program is told of it."""
    return {"name": ctx.plan.pages[detour.page].code, "url": ctx.url(detour.page)}


def own_values(form: SignUpForm) -> dict[str, object]:
    """Return the fields that the application added."""
    return {name: getattr(form, name) for name in field_names(type(form)) if name not in field_names(SignUpForm)}
