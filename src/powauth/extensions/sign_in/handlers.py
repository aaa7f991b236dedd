"""HTTP around signing in and out."""

from powauth.answers import account_data, session_data
from powauth.context import Context
from powauth.csrf import origin_of
from powauth.errors import FieldError, Forbidden, InvalidForm, Unreadable
from powauth.extensions.sign_in.events import Arriving, Leaving
from powauth.extensions.sign_in.forms import ExchangeForm, SignInForm
from powauth.forms import NoForm
from powauth.http import Request, read_query
from powauth.operations import authenticate, sign_out
from powauth.pages import Done, Exchanged, Outcome, Proved, Shown
from powauth.programs import check_challenge
from powauth.session import Transport


async def arrive(request: Request[NoForm], ctx: Context) -> Outcome:
    """Show the form, unless an extension knows a way in without it."""
    arriving = Arriving(raw=request.raw, query=read_query(request.raw))
    await ctx.emit(arriving)
    return Done(away=arriving.ways[0], data={"url": arriving.ways[0]}) if arriving.ways else Shown()


async def submit(request: Request[SignInForm], ctx: Context) -> Outcome:
    """Check identifier and password."""
    form = request.form
    transport = chosen_transport(request, form.transport)
    check_challenge(ctx.plan, ctx.tenant, form.next, form.code_challenge)
    found = await authenticate(ctx, form.email or form.username, form.password)
    return Proved(
        account=found.account,
        proof=found.proof,
        claims=found.claims,
        next=form.next,
        transport=transport,
        challenge=form.code_challenge,
    )


def chosen_transport(request: Request[SignInForm], asked: str) -> Transport:
    """Return how the session travels. Bearer is for programs: JSON that carries the proof itself."""
    if asked != "bearer":
        return "cookie"
    if not request.is_json_body:
        raise InvalidForm({"transport": [FieldError("not_allowed")]})
    return "bearer"


async def leave(request: Request[NoForm], ctx: Context) -> Outcome:  # noqa: ARG001  the shape of a handler
    """End the session; signing out twice is no error."""
    leaving = Leaving(session=ctx.caller.session)
    await sign_out(ctx)
    await ctx.emit(leaving)
    if leaving.ways:
        return Done(to=leaving.ways[0], data={"url": origin_of(ctx.tenant.base_url) + leaving.ways[0]}, signs_out=True)
    return Done(to=ctx.plan.paths.get("after_sign_out"), notice="signed_out", signs_out=True)


async def show_session(request: Request[NoForm], ctx: Context) -> Outcome:  # noqa: ARG001  the shape of a handler
    """Tell a front end who is signed in."""
    account = await ctx.account_if_any()
    if account is None:
        return Shown(data={"account": None, "session": None})
    data = {**account_data(account), **await ctx.described(account)}
    return Shown(data={"account": data, "session": session_data(ctx.session)})


async def exchange(request: Request[ExchangeForm], ctx: Context) -> Outcome:  # noqa: ARG001  the shape of a handler
    """Turn the code that a flow in a browser ended with into a token."""
    if not request.is_json_body:
        raise Unreadable
    return Exchanged(code=request.form.code, verifier=request.form.verifier)


async def renew(request: Request[NoForm], ctx: Context) -> Outcome:  # noqa: ARG001  the shape of a handler
    """Hand a program the next generation of its token; asked twice, it is the same one."""
    await ctx.account()
    if ctx.session.transport != "bearer":
        raise Forbidden
    token = ctx.sessions.next_secret(ctx.session)
    return Done(data={"token": token, "expires_at": ctx.session.ends_at})
