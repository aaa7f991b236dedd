"""HTTP around signing up."""

from powauth.accounts import NewAccount
from powauth.context import Context
from powauth.errors import FieldError, InvalidForm
from powauth.extensions.sign_up.forms import SignUpForm
from powauth.forms import field_names
from powauth.http import Request
from powauth.operations import sign_up
from powauth.pages import Detour, Done, Outcome, Proved
from powauth.programs import check_challenge


async def submit(request: Request[SignUpForm], ctx: Context) -> Outcome:
    """Make the account; what follows is a sign-in like any other."""
    form = request.form
    if form.transport == "bearer" and not request.is_json_body:
        raise InvalidForm({"transport": [FieldError("not_allowed")]})
    check_challenge(ctx.plan, ctx.tenant, form.next, form.code_challenge)
    new = NewAccount(email=form.email, username=form.username, values=own_values(form))
    made = await sign_up(ctx, new, form.password, extras=request.extras)
    if isinstance(made, Detour):
        return Done(to=made.page, data={"action": action_data(ctx, made)}, status=201)
    return Proved(
        account=made.account,
        proof=made.proof,
        next=form.next,
        transport="bearer" if form.transport == "bearer" else "cookie",
        after="after_sign_up",
        challenge=form.code_challenge,
        status=201,
    )


def action_data(ctx: Context, detour: Detour) -> dict[str, str]:
    """Return the step that comes next, as a program is told of it."""
    return {"name": ctx.plan.pages[detour.page].code, "url": ctx.url(detour.page)}


def own_values(form: SignUpForm) -> dict[str, object]:
    """Return the fields that the application added."""
    return {name: getattr(form, name) for name in field_names(type(form)) if name not in field_names(SignUpForm)}
