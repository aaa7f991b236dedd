"""`powauth audit`: list rows, and export them all."""

import csv
import io
import json
from collections.abc import AsyncIterator, Sequence

from powauth.accounts import Handle
from powauth.context import Context
from powauth.errors import FieldError, InvalidForm
from powauth.extension import Command
from powauth.extensions.audit.forms import ExportForm, ListForm, read_time
from powauth.extensions.audit.operations import Search, newest, oldest, plain
from powauth.extensions.audit.records import AuditRecord
from powauth.operations import find_account

COLUMNS = tuple(AuditRecord.__annotations__)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


async def list_(form: ListForm, ctx: Context) -> Sequence[dict[str, object]]:
    """Return rows, the newest first, with the names that accounts have today."""
    rows = await newest(ctx, await _search(form, ctx), form.limit)
    names = {handle: await _name(ctx, handle) for row in rows for handle in (row.account, row.actor, row.behalf)}
    return [_shown(row, names) for row in rows]


def _shown(row: AuditRecord, names: dict[Handle, str]) -> dict[str, object]:
    return {
        "at": row.at,
        "event": row.event,
        "account": names[row.account],
        "by": row.operator or names[row.actor],
        "as": names[row.behalf],
        "client": row.client,
        "device": row.device,
        "session": row.session,
        "details": ", ".join(f"{name}={value}" for name, value in row.details.items()),
    }


async def export(form: ExportForm, ctx: Context) -> AsyncIterator[str]:
    """Return the lines of a file with all rows, in the order of time."""
    search = await _search(form, ctx)
    write = _as_csv if form.format == "csv" else _as_json
    return write(oldest(ctx, search, form.after or ""))


async def _as_json(rows: AsyncIterator[AuditRecord]) -> AsyncIterator[str]:
    async for row in rows:
        yield json.dumps(plain(row), ensure_ascii=False)


async def _as_csv(rows: AsyncIterator[AuditRecord]) -> AsyncIterator[str]:
    yield _line(COLUMNS)
    async for row in rows:
        values = {**plain(row), "details": json.dumps(dict(row.details), ensure_ascii=False)}
        yield _line([str(values[name]) for name in COLUMNS])


def _line(values: Sequence[str]) -> str:
    line = io.StringIO()
    # A table calculates what begins like a formula, and what strangers sent stands in these cells.
    csv.writer(line, lineterminator="").writerow([f"'{v}" if v.startswith(_FORMULA) else v for v in values])
    return line.getvalue()


async def _search(form: ListForm | ExportForm, ctx: Context) -> Search:
    where: dict[str, object] = {name: value for name in ("event", "client") if (value := getattr(form, name))}
    for name in ("account", "actor"):
        named: str | None = getattr(form, name)
        if named:
            where[name] = await _handle(ctx, named, name)
    since, until = (read_time(getattr(form, name), name, now=ctx.now) for name in ("since", "until"))
    return Search(where=where, since=since, until=until)


async def _handle(ctx: Context, named: str, field: str) -> Handle:
    """Return the handle of an account by address, user name or handle; one that is erased has its handle still."""
    account = await find_account(ctx.accounts, named)
    if account is not None:
        return account.handle
    if len(named) != 32:
        raise InvalidForm({field: [FieldError("unknown_account")]})
    return Handle(named)


async def _name(ctx: Context, handle: Handle) -> str:
    account = await ctx.accounts.by_handle(handle) if handle else None
    return account.label if account else handle


COMMANDS = (
    Command(name="list", help="List what happened, the newest first.", form=ListForm, run=list_, writes=False),
    Command(name="export", help="Write every row, in the order of time.", form=ExportForm, run=export, writes=False),
)
