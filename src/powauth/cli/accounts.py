"""`powauth accounts`: list, show, create, lock, unlock and close accounts."""

from typing import Any

import click

from powauth.accounts import Account, AccountId
from powauth.auth import Auth
from powauth.cli import passwords
from powauth.cli.apps import app_option
from powauth.cli.failures import Failure, Misused, answered
from powauth.cli.newcomers import newcomer
from powauth.cli.output import Output, Row, json_option
from powauth.cli.work import SPARED, found, keeps_sessions_to_itself, operator, run, tenant_of, tenant_option
from powauth.events import Closed, Closing
from powauth.operations import erase_account, lock_account, sign_up, unlock_account
from powauth.pages import Detour
from powauth.revoking import store_may_be_away

COLUMNS = ("id", "email", "username", "created_at", "confirmed", "state")
PAGE = 500  # rows that are read at once


@click.group("accounts")
def command() -> None:
    """List, show, create, lock, unlock and close accounts.

    An account is named by its address, user name, id or handle.
    """


@command.command("list")
@click.option("--contains", default="", metavar="TEXT", help="Only those whose address or user name contains it.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many.")
@click.option("--after", metavar="ID", help="Only those that come after the account with this id.")
@click.option("--all", "all_", is_flag=True, help="All of them, however many.")
@tenant_option
@app_option
@json_option
def list_(
    contains: str, limit: int, after: str | None, *, all_: bool, tenant: str | None, auth: Auth[Any], out: Output
) -> None:
    """List accounts, in the order of their ids."""

    async def work() -> list[Account]:
        accounts: list[Account] = []
        last = AccountId(after) if after else None
        with out.progress("reading accounts") as advance:
            while all_ or len(accounts) < limit:
                size = PAGE if all_ else min(PAGE, limit - len(accounts))
                async with auth.begin(tenant=tenant_of(auth, tenant), writes=False) as ctx:
                    page = await ctx.accounts.find(contains=contains, limit=size, after=last)
                accounts += page
                advance(len(page))
                if len(page) < size:
                    break
                last = page[-1].id
        return accounts

    accounts = run(auth, work)
    out.rows([summary(account) for account in accounts], COLUMNS, empty="no accounts")
    if len(accounts) == limit and not all_:
        out.say(f"for more: --after {accounts[-1].id}, or --all")


@command.command("show")
@click.argument("account")
@tenant_option
@app_option
@json_option
def show(account: str, *, tenant: str | None, auth: Auth[Any], out: Output) -> None:
    """Show what Powauth knows of an account; its password only by whether there is one."""

    async def work() -> Row:
        async with auth.begin(tenant=tenant_of(auth, tenant), writes=False) as ctx:
            known = await found(ctx.accounts, account)
            hidden = keeps_sessions_to_itself(auth)
            sessions = None if hidden else len(await ctx.sessions.list(known.handle))
        return {**details(known), "sessions": sessions}

    out.fields(run(auth, work))


@command.command("create")
@click.option("--email", metavar="ADDRESS", help="Its address.")
@click.option("--username", metavar="NAME", help="Its user name.")
@click.option("--confirmed", is_flag=True, help="Take the address as proved.")
@click.option("--set", "columns", multiple=True, metavar="COLUMN=VALUE", help="A column of the application's own.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, instead of asking for it.")
@click.option("--no-password", is_flag=True, help="Give it none: whoever it is for comes in by other ways.")
@tenant_option
@app_option
@json_option
def create(
    email: str | None,
    username: str | None,
    columns: tuple[str, ...],
    *,
    confirmed: bool,
    password_stdin: bool,
    no_password: bool,
    tenant: str | None,
    auth: Auth[Any],
    out: Output,
) -> None:
    """Create an account, as if somebody had signed up.

    The password is asked for, unseen, or comes from standard input; it is never an argument, which other users of the
    machine could read. It has to be as good as at sign-up. Mails that follow are sent by the process that serves the
    application.
    """
    if password_stdin and no_password:
        raise Misused("--password-stdin and --no-password exclude each other", code="usage")
    with answered(auth.plan.words()):
        new = newcomer(auth, {"email": email, "username": username}, columns, confirmed=confirmed)
    password = None if no_password else passwords.piped() if password_stdin else passwords.asked()

    async def work() -> Account:
        async with auth.begin(tenant=tenant_of(auth, tenant), caller=operator()) as ctx:
            made = await sign_up(ctx, new, password)
            account = await ctx.accounts.by_handle(new.handle) if isinstance(made, Detour) else made.account
            if account is None:  # at sign-up that is not told, and something is made in its stead
                raise Failure("this address is taken", code="taken")
        return account

    made = run(auth, work)
    out.done(details(made), f"{made.label} has an account, with the id {made.id}")


@command.command("lock")
@click.argument("account")
@tenant_option
@app_option
@json_option
def lock(account: str, *, tenant: str | None, auth: Auth[Any], out: Output) -> None:
    """Lock an account: its sessions, remembered devices and tokens end at once.

    It stays locked until `powauth accounts unlock`. A store on Redis need not answer: then every process refuses the
    sessions within seconds.
    """

    async def work() -> tuple[Account, int | None]:
        async with auth.begin(tenant=tenant_of(auth, tenant), caller=operator()) as ctx:
            known = await found(ctx.accounts, account)
            sessions: int | None = None
            async with store_may_be_away(ctx):
                sessions = len(await ctx.sessions.list(known.handle))
            return await lock_account(ctx, known.handle), sessions

    locked, ended = run(auth, work, store_may_be_away=True)
    _warn_of_memory(auth, out)
    told = _warn_of_absence(auth, out) if ended is None else str(ended)
    out.done({**details(locked), "ended_sessions": ended}, f"{locked.label} is locked; sessions ended: {told}")


@command.command("unlock")
@click.argument("account")
@tenant_option
@app_option
@json_option
def unlock(account: str, *, tenant: str | None, auth: Auth[Any], out: Output) -> None:
    """Unlock an account. Nothing that the lock ended comes back."""

    async def work() -> tuple[Account, bool]:
        async with auth.begin(tenant=tenant_of(auth, tenant), caller=operator()) as ctx:
            known = await found(ctx.accounts, account)
            return (await unlock_account(ctx, known.handle), True) if known.is_locked else (known, False)

    unlocked, was_locked = run(auth, work)
    data = {**details(unlocked), "was_locked": was_locked}
    out.done(data, f"{unlocked.label} is unlocked" if was_locked else f"{unlocked.label} was not locked")


@command.command("close")
@click.argument("account")
@click.option("--yes", is_flag=True, help="Do not ask.")
@tenant_option
@app_option
@json_option
def close(account: str, *, yes: bool, tenant: str | None, auth: Auth[Any], out: Output) -> None:
    """Close an account and erase it, with all that belongs to it. This cannot be undone."""

    async def work() -> Account:
        where = tenant_of(auth, tenant)
        async with auth.begin(tenant=where, writes=False) as ctx:
            known = await found(ctx.accounts, account)
        if not yes:
            _confirm(f"Erase {known.label} and all that belongs to it, for good?")
        async with auth.begin(tenant=where, caller=operator()) as ctx:
            current = await ctx.lock(known.handle)
            await ctx.emit(Closing(account=current))
            await ctx.emit(Closed(account=current))
            await erase_account(ctx, current)
        return known

    closed = run(auth, work, store_may_be_away=True)
    _warn_of_memory(auth, out)
    out.done({"id": closed.id, "handle": closed.handle}, f"{closed.label} is erased")


def _confirm(question: str) -> None:
    try:
        is_sure = click.confirm(question, err=True)
    except click.Abort as error:
        click.echo(err=True)  # the question has no end of line yet
        raise Failure("nothing was done: there is nobody to ask; say --yes", code="not_confirmed") from error
    if not is_sure:
        raise Failure("nothing was done", code="not_confirmed")


def _warn_of_memory(auth: Auth[Any], out: Output) -> None:
    if keeps_sessions_to_itself(auth):
        out.warn(f"{SPARED}: restart it, and they end")


def _warn_of_absence(auth: Auth[Any], out: Output) -> str:
    soon = auth.plan.session_settings.ends_known_within
    out.warn(f"the store does not answer; every process refuses the account's sessions within {soon.seconds} seconds")
    return "all, by the database alone"


def summary(account: Account) -> Row:
    """Return what a list shows of an account."""
    return {
        "id": account.id,
        "email": account.email,
        "username": account.username,
        "created_at": account.created_at,
        "confirmed": account.is_confirmed,
        "state": state(account),
    }


def details(account: Account) -> Row:
    """Return all that may be shown of an account."""
    return {
        **summary(account),
        "handle": account.handle,
        "confirmed_at": account.confirmed_at,
        "locked_at": account.locked_at,
        "locked_by": account.locked_by,
        "closed_at": account.closed_at,
        "has_password": account.password_hash is not None,
    }


def state(account: Account) -> str:
    """Return `open`, `locked` or `closed`."""
    return "closed" if account.is_closed else "locked" if account.is_locked else "open"
