"""HTTP around forgetting a device."""

from powauth.context import Context
from powauth.extensions.remember_me.operations import end_public, is_of
from powauth.extensions.session_list import SESSIONS
from powauth.forms import NoForm
from powauth.http import Request
from powauth.pages import Done, Outcome
from powauth.routing import SIGNED_IN, Post


async def end(request: Request[NoForm], ctx: Context) -> Outcome:
    """Forget a device of the caller's account, and sign it out."""
    family = await end_public(ctx, ctx.session.handle, request.params["id"])
    if is_of(ctx.session, family):
        return Done(to=ctx.plan.paths.get("after_sign_out"), notice="forgotten", signs_out=True)
    to = SESSIONS if ctx.has_page(SESSIONS) else ctx.plan.paths.get("after_sign_in")
    return Done(to=to, notice="forgotten")


END = Post(name="end", path="/remembered/{id}/end", form=NoForm, submit=end, requires=SIGNED_IN)
