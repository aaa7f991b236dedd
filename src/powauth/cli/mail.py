"""`powauth mail`: send the mails that are owed, and list them."""

import asyncio
import signal
from contextlib import suppress
from typing import Any

import click

from powauth.accounts import Handle
from powauth.auth import Auth
from powauth.cli.apps import app_option
from powauth.cli.output import Output, Row, json_option
from powauth.cli.work import run, tenant_of, tenant_option
from powauth.context import Context
from powauth.jinja import JinjaTemplates
from powauth.outbox import OutboxRecord

COLUMNS = ("id", "kind", "to", "attempts", "owed_at", "due_at")
MOST = 100


@click.group("mail")
def command() -> None:
    """Send the mails that are owed, and list them.

    An application sends them itself while it runs. With Auth(sends_mail=False) it leaves that to `powauth mail run`.
    """


@command.command("run")
@click.option("--once", is_flag=True, help="Send what is due now, and end.")
@app_option
@json_option
def run_(*, once: bool, auth: Auth[Any], out: Output) -> None:
    """Send what is due and what comes to be due, of every tenant, until Ctrl-C or SIGTERM.

    Several may run, on several machines, beside applications that send as well: each mail is sent by one of them. One
    that is stopped lets the mails that are on their way arrive; one that is killed loses none. Mails are made with
    Auth(templates=...), or with the theme. Which mail could not be sent, and why, is written to the log.
    """
    sent = run(auth, lambda: _once(auth) if once else _until_stopped(auth, out))
    out.done({"sent": sent}, f"mails sent: {sent}" if once else f"stopped; mails sent in all: {sent}")


@command.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=MOST, show_default=True, help="How many at most.")
@tenant_option
@app_option
@json_option
def list_(limit: int, *, tenant: str | None, auth: Auth[Any], out: Output) -> None:
    """List the mails that are owed, those that are due first before the others.

    Nothing of what they say is shown. One that is being sent, or was begun by a worker that died, is due again when its
    lease is over. The id is the left side of the Message-ID that a mail server knows it by.
    """

    async def work() -> list[Row]:
        async with auth.begin(tenant=tenant_of(auth, tenant), writes=False) as ctx:
            rows = await ctx.records(OutboxRecord).find(order=("due_at",), limit=limit)
            return [await _described(ctx, row) for row in rows]

    rows = run(auth, work)
    out.rows(rows, COLUMNS, empty="no mails are owed")
    if len(rows) == limit:
        out.say("there may be more: --limit")


async def _described(ctx: Context, row: OutboxRecord) -> Row:
    account = await ctx.accounts.by_handle(Handle(row.owner)) if row.owner and not row.to else None
    return {
        "id": row.id,
        "kind": row.kind,
        "to": account.email if account else row.to or None,
        "attempts": row.attempts,
        "owed_at": row.created_at,
        "due_at": row.due_at,
    }


async def _once(auth: Auth[Any]) -> int:
    return await auth.sender(JinjaTemplates()).send_due()


async def _until_stopped(auth: Auth[Any], out: Output) -> int:
    sender = auth.sender(JinjaTemplates())
    sending = asyncio.create_task(sender.run(told=lambda sent: out.say(f"mails sent: {sent}") if sent else None))
    keeping = asyncio.create_task(auth.keep_tenants())
    _stop_by_signal(sending)
    out.say(f"sending what {auth.name} owes, until Ctrl-C")
    with suppress(asyncio.CancelledError):
        await sending
    keeping.cancel()
    return sender.sent


def _stop_by_signal(task: asyncio.Task[None]) -> None:
    """Let SIGINT and SIGTERM stop a task."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # on Windows Ctrl-C is an exception, and there is no other signal
            loop.add_signal_handler(number, task.cancel)
