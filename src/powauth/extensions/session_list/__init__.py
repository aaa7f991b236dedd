"""The devices that somebody is signed in on: see them, end one, end all others."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from powauth.context import Context
from powauth.errors import NotFound
from powauth.events import SessionEnded
from powauth.extension import Extension, Manifest
from powauth.extensions.session_list.devices import Device, DevicesListed, OthersEnded
from powauth.extensions.sign_in import SignIn
from powauth.forms import NoForm
from powauth.http import Request
from powauth.pages import Done, Outcome, Shown
from powauth.routing import SIGNED_IN, Get, Post
from powauth.session import Session

__all__ = ["END", "END_OTHERS", "SESSIONS", "Device", "DevicesListed", "OthersEnded", "SessionList"]


async def show(request: Request[NoForm], ctx: Context) -> Outcome:  # noqa: ARG001  the shape of a handler
    """Show where the caller is signed in, this device first."""
    await ctx.release()
    sessions = await ctx.sessions.list(ctx.session.handle)
    mine = ctx.session.public_id
    listed = sorted(sessions, key=lambda session: session.public_id != mine)
    more = DevicesListed(session=ctx.session, sessions=tuple(listed))
    await ctx.emit(more)
    return Shown(
        data={
            "sessions": [describe(session, ctx, marks=more.marks.get(session.public_id, ())) for session in listed],
            "devices": [asdict(device) for device in sorted(more.devices, key=lambda device: not device.is_current)],
            "end_others_url": ctx.path(END_OTHERS),
        }
    )


def describe(session: Session, ctx: Context, *, marks: Sequence[str]) -> dict[str, object]:
    """Return a session as its owner may see it: where an administrator works from is not theirs to know."""
    return {
        "id": session.public_id,
        "device": session.device,
        "client": session.client if session.actor in {None, ctx.actor} else "",
        "transport": session.transport,
        "created_at": session.created_at,
        "seen_at": session.seen_at,
        "actor": session.actor,
        "is_current": session.public_id == ctx.session.public_id,
        "marks": list(marks),
        "end_url": ctx.path(END, id=session.public_id),
    }


async def end(request: Request[NoForm], ctx: Context) -> Outcome:
    """End one session of the caller's account, at once."""
    await ctx.release()
    ended = await ctx.sessions.end_public(ctx.session.handle, request.params["id"])
    if ended is None:
        raise NotFound
    await ctx.emit(SessionEnded(handle=ended.handle, session=ended.public_id))
    if ended.public_id == ctx.session.public_id:
        return Done(to=ctx.plan.paths.get("after_sign_out"), notice="ended", signs_out=True)
    return Done(to=SESSIONS, notice="ended")


async def end_others(request: Request[NoForm], ctx: Context) -> Outcome:  # noqa: ARG001  the shape of a handler
    """End every session of the caller's account but this one."""
    mine = ctx.session
    await ctx.lock(mine.handle)  # a proof in flight, which gives a session a new id, comes before or after
    others = [session for session in await ctx.sessions.list(mine.handle) if session.public_id != mine.public_id]
    await ctx.emit(OthersEnded(session=mine))
    for session in others:
        await ctx.emit(SessionEnded(handle=session.handle, session=session.public_id))
    ctx.last_step(lambda: ctx.sessions.end_all_but(mine))
    return Done(to=SESSIONS, notice="ended_others", data={"ended": len(others)})


END = Post(name="end", path="/sessions/{id}/end", form=NoForm, submit=end, requires=SIGNED_IN)
END_OTHERS = Post(name="end_others", path="/sessions/end-others", form=NoForm, submit=end_others, requires=SIGNED_IN)
SESSIONS = Get(name="sessions", path="/sessions", show=show, requires=SIGNED_IN, in_navigation=True)


class SessionList(Extension):
    """The devices that somebody is signed in on."""

    name = "session_list"
    requires = (SignIn,)
    templates = Path(__file__).parent / "templates"

    def manifest(self) -> Manifest:
        """Return what it adds."""
        return Manifest(
            routes=(SESSIONS, END, END_OTHERS),
            messages={
                "sessions.title": "Devices",
                "sessions.intro": "Where you are signed in. End what you do not recognise, then change your password.",
                "end.submit": "Sign out",
                "end_others.submit": "Sign out everywhere else",
                "devices.title": "Remembered devices",
                "devices.intro": "They come back without a password, until they are signed out or their time is over.",
                "devices.until": "Until",
                "ended": "That device is signed out.",
                "ended_others": "All other devices are signed out.",
            },
        )
