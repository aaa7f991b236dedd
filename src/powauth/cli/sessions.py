"""`powauth sessions`: list and end the sessions of an account."""

from typing import Any

import click

from powauth.auth import Auth
from powauth.cli.apps import app_option
from powauth.cli.failures import Failure, Misused
from powauth.cli.output import Output, Row, json_option
from powauth.cli.work import SPARED, found, keeps_sessions_to_itself, operator, run, tenant_of, tenant_option
from powauth.events import SessionEnded
from powauth.session import Session

COLUMNS = ("id", "device", "client", "transport", "created_at", "seen_at", "ends_at", "actor", "factors")


@click.group("sessions")
def command() -> None:
    """List and end the sessions of an account.

    An account is named by its address, user name, id or handle; a session by the id that the list shows, which opens
    nothing.
    """


@command.command("list")
@click.argument("account")
@tenant_option
@app_option
@json_option
def list_(account: str, *, tenant: str | None, auth: Auth[Any], out: Output) -> None:
    """List where an account is signed in, the session that was used last first."""
    _reach(auth)

    async def work() -> tuple[Session, ...]:
        async with auth.begin(tenant=tenant_of(auth, tenant), writes=False) as ctx:
            return await ctx.sessions.list((await found(ctx.accounts, account)).handle)

    out.rows([described(session) for session in run(auth, work)], COLUMNS, empty="signed in nowhere")


@command.command("end")
@click.argument("account")
@click.argument("ids", nargs=-1, metavar="[SESSION]...")
@click.option("--all", "all_", is_flag=True, help="Every session of the account.")
@tenant_option
@app_option
@json_option
def end(account: str, ids: tuple[str, ...], *, all_: bool, tenant: str | None, auth: Auth[Any], out: Output) -> None:
    """End sessions of an account, at once.

    Who is remembered on a device, or knows the password, can sign in again: `powauth accounts lock` ends that, too.
    """
    if bool(ids) == all_:
        raise Misused("which sessions? name their ids, or say --all", code="usage")
    _reach(auth)

    async def work() -> list[str]:
        async with auth.begin(tenant=tenant_of(auth, tenant), caller=operator()) as ctx:
            handle = (await found(ctx.accounts, account)).handle
            ended: list[str] = []
            for id in ids or [session.public_id for session in await ctx.sessions.list(handle)]:
                if await ctx.sessions.end_public(handle, id):
                    await ctx.emit(SessionEnded(handle=handle, session=id))
                    ended.append(id)
            return ended

    ended = run(auth, work)
    out.done({"ended": ended}, f"sessions ended: {len(ended)}")
    if missing := [id for id in ids if id not in ended]:
        raise Failure(f"the account has no session {', '.join(missing)}", code="no_session")


def described(session: Session) -> Row:
    """Return what may be shown of a session: nothing that opens it."""
    return {
        "id": session.public_id,
        "device": session.device,
        "client": session.client,
        "transport": session.transport,
        "created_at": session.created_at,
        "seen_at": session.seen_at,
        "ends_at": session.ends_at,
        "actor": session.actor,
        "factors": [proof.factor for proof in session.proofs],
    }


def _reach(auth: Auth[Any]) -> None:
    if keeps_sessions_to_itself(auth):
        raise Failure(f"{SPARED}: give Auth another store, or restart it to end them all", code="out_of_reach")
