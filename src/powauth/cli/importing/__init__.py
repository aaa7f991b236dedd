"""`powauth import`: take over the accounts of another system."""

import json
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import click

from powauth.auth import Auth
from powauth.cli.apps import app_option
from powauth.cli.failures import Failure, Misused
from powauth.cli.importing.claims import Claims
from powauth.cli.importing.columns import pairs, read_columns
from powauth.cli.importing.connecting import Connecting, read_connecting
from powauth.cli.importing.engines import connect, read_url
from powauth.cli.importing.files import is_file, stage
from powauth.cli.importing.fitting import Fitting, NeedsFamily
from powauth.cli.importing.granting import read_granting
from powauth.cli.importing.journal import Journal
from powauth.cli.importing.late import Latecomers
from powauth.cli.importing.moving import Moving, Reading, Totals, claims_of, move
from powauth.cli.importing.newcomer import Remark
from powauth.cli.importing.report import Report, as_row, private
from powauth.cli.importing.source import Options
from powauth.cli.importing.sources import SOURCES
from powauth.cli.importing.tables import find_tables
from powauth.cli.importing.writing import Writer
from powauth.cli.output import Output, json_option
from powauth.cli.work import run, tenant_of, tenant_option
from powauth.errors import DatabaseUnavailable, Deadlocked
from powauth.tenants import Tenant

ENVIRONMENT = "POWAUTH_IMPORT_FROM"
PAGE = 500  # accounts of one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What was asked for."""

    source: str
    origin: str
    table: str | None
    dry_run: bool
    journal: Path
    report: Path | None
    set_aside: Path
    columns: Sequence[str]
    mapped: Sequence[str]
    roles: Sequence[str]
    providers: Sequence[str]
    renamed: Sequence[str]
    proved: str | None
    locks_end_after: int | None
    single_hash: bool
    batch: int


FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("import")
@click.argument("source", type=click.Choice(list(SOURCES)))
@click.option(
    "--from",
    "origin",
    metavar="URL|FILE",
    envvar=ENVIRONMENT,
    show_envvar=True,
    required=True,
    help="A database, a file (CSV, JSON) or a folder of them, each named as its table.",
)
@click.option("--dry-run", is_flag=True, help="Write nothing, and list what cannot be taken over.")
@click.option("--table", metavar="NAME", help="The table of accounts, where it has another name.")
@click.option("--rename", "renamed", multiple=True, metavar="THEIRS=NAME", help="A column that has another name there.")
@click.option("--map", "mapped", multiple=True, metavar="THEIRS=COLUMN", help="Fill a column of the application's own.")
@click.option("--set", "columns", multiple=True, metavar="COLUMN=VALUE", help="The same, with one value for all.")
@click.option(
    "--role", "roles", multiple=True, metavar="THEIRS=ROLE", help="Grant a role of Roles() for one of theirs."
)
@click.option(
    "--provider",
    "providers",
    multiple=True,
    metavar="THEIRS=NAME",
    help="Connect identities of one of their providers with one of Providers().",
)
@click.option(
    "--proved", metavar="THEIRS", help="A column that says, if something is in it, that the address was proved."
)
@click.option(
    "--locks-end-after",
    type=click.IntRange(min=0),
    metavar="MINUTES",
    help="How long a lock lasts there. Without it locks stay.",
)
@click.option("--single-hash", is_flag=True, help="For flask-security: SECURITY_PASSWORD_SINGLE_HASH is True.")
@click.option("--report", type=FILE, metavar="FILE", help="Write what is listed to this .csv or .jsonl instead.")
@click.option(
    "--set-aside",
    type=FILE,
    default="powauth-set-aside.jsonl",
    show_default=True,
    metavar="FILE",
    help="Where identities, further addresses and roles go that have no place here.",
)
@click.option(
    "--journal",
    type=FILE,
    default="powauth-import.journal",
    show_default=True,
    metavar="FILE",
    help="Who was taken over already.",
)
@click.option(
    "--batch", type=click.IntRange(1, 10000), default=PAGE, show_default=True, help="Accounts in a transaction."
)
@tenant_option
@app_option
@json_option
def command(*, tenant: str | None, auth: Auth[Any], out: Output, **given: Any) -> None:  # noqa: ANN401  the fields of Order
    """Take over the accounts of another system.

    Nothing is written there, and no account that is here is changed. Passwords come along as hashes, and are hashed
    anew when their owners sign in. Whatever cannot be taken over is listed: try it with --dry-run first.

    An import that was cut off goes on where it was when it is run again in the same folder. Run again after its end, it
    takes over who has been added since. No mail is sent, and no event announced.

    Exits with 1 if an account is left out or something of one is lost.
    """
    order = Order(**given)
    where = tenant_of(auth, tenant)
    refuse_to_replace(order.set_aside)
    with reporting(order.report, out) as report:
        totals = run(auth, lambda: work(auth, where, order, report, out))
        tell(totals, report, order, out)
    if report.found:
        click.get_current_context().exit(1)


async def work(auth: Auth[Any], tenant: Tenant, order: Order, report: Report, out: Output) -> Totals:
    """Take over all accounts, or find out what would become of them."""
    connecting = await read_connecting(auth, tenant, order.providers)
    try:
        async with opened(order) as (reading, remarks):
            report.add([*remarks, *reading.source.remarks(reading.tables.others)])
            total = await reading.tables.count()
            with out.progress("reading", total) as advance:
                fitting = fitting_of(auth, order, await claims_of(reading, advance), connecting)
            with keeping(auth, tenant, order) as journal, out.progress("taking over", total) as advance:
                writer = Writer(auth, tenant, journal, connecting.extension)
                late = Latecomers(auth, tenant, journal, connecting, fitting.claims, order.dry_run)
                if order.dry_run:
                    return await move(reading, Moving(fitting, journal, writer.look, late.connect), report, advance)
                await writer.settle()
                totals = await move(reading, Moving(fitting, journal, writer.write, late.connect), report, advance)
                write_set_aside(order.set_aside, journal)
                return totals
    except NeedsFamily as needs:
        message = f"the application does not read the hashes of these accounts: give its Auth passwords={needs}"
        raise Failure(message, code="needs_setting") from needs
    except (DatabaseUnavailable, Deadlocked) as error:
        message = "the application's database does not answer: run the import again, and it goes on where it was"
        raise Failure(message, code="unavailable") from error


def fitting_of(auth: Auth[Any], order: Order, claims: Claims, connecting: Connecting) -> Fitting:
    """Return what the application asks of an account."""
    lasts = None if order.locks_end_after is None else timedelta(minutes=order.locks_end_after)
    columns = read_columns(auth.database, order.columns, order.mapped)
    granting = read_granting(auth, order.roles)
    families, now = auth.plan.passwords.foreign, auth.clock.now()
    return Fitting(auth.identifiers, families, columns, claims, now, lasts, granting, connecting)


@asynccontextmanager
async def opened(order: Order) -> AsyncGenerator[tuple[Reading, Sequence[Remark]]]:
    """Open the other system, and close it afterwards."""
    source = SOURCES[order.source]
    renamed = {ours: theirs for theirs, ours in pairs("--rename", order.renamed).items()}
    options = Options(is_single_hash=order.single_hash)
    remarks: Sequence[Remark] = ()
    if is_file(order.origin):
        staged = stage(Path(order.origin), order.table or source.table)
        origin, remarks = staged.origin, staged.remarks
    else:
        origin = connect(order.origin)
    try:
        tables = await find_tables(origin, source, order.table, renamed)
        yield Reading(source, tables, options, renamed, order.proved, order.batch), remarks
    finally:
        await origin.close()


@contextmanager
def keeping(auth: Auth[Any], tenant: Tenant, order: Order) -> Generator[Journal]:
    """Open the journal, and close it afterwards."""
    is_path = is_file(order.origin)
    place = str(Path(order.origin).resolve()) if is_path else placed(order.origin)
    about = {
        "source": order.source,
        "from": place,
        "table": order.table or SOURCES[order.source].table,
        "auth": auth.name,
        "tenant": tenant.id,
    }
    journal = (Journal.peek if order.dry_run else Journal.open)(order.journal, about)
    try:
        yield journal
    finally:
        journal.close()


def placed(url: str) -> str:
    """Return where a database is, without who may read it."""
    return read_url(url).set(username=None, password=None, query={}).render_as_string()


@contextmanager
def reporting(path: Path | None, out: Output) -> Generator[Report]:
    """Open the report, and close it afterwards."""
    file: IO[str] | None = private(path) if path else None
    try:
        yield Report(out.say, file, is_csv=bool(path and path.suffix == ".csv"))
    finally:
        if file:
            file.close()


def refuse_to_replace(path: Path) -> None:
    """Raise `Misused` if a file has the name of what is set aside and is none that an import wrote."""
    if path.exists() and not path.read_bytes()[:12].startswith(b'{"handle": "'):
        raise Misused(f"{path} exists already: name another file with --set-aside", code="usage")


def write_set_aside(path: Path, journal: Journal) -> None:
    """Write what has no place here, of all who were taken over with this journal."""
    lines = journal.set_aside()
    first = next(lines, None)
    if first is None:
        forget_set_aside(path, journal)
        return
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)  # of a run that was cut off here
    with private(beside) as file:
        file.write(f"{first}\n")
        file.writelines(f"{line}\n" for line in lines)
    beside.replace(path)


def forget_set_aside(path: Path, journal: Journal) -> None:
    """Remove what an earlier run with this journal had set aside and has its place by now; nobody else's."""
    if not path.exists():
        return
    with path.open() as file:
        is_ours = all(journal.key_of(json.loads(line)["handle"]) is not None for line in file)
    if is_ours:
        path.unlink()


def tell(totals: Totals, report: Report, order: Order, out: Output) -> None:
    """Say how it ended."""
    if out.as_json:
        remarks = [as_row(remark) for remark in report.remarks]
        more = sum(report.counts.values()) - len(remarks)
        ended = {**asdict(totals), "dry_run": order.dry_run, "counts": report.summary()}
        out.json({**ended, "remarks": remarks, "more": more})
        return
    if report.counts:
        out.table(report.summary(), ("severity", "code", "count"))
    verb = "would be taken over" if order.dry_run else "taken over"
    out.say(
        f"accounts read: {totals.read}; {verb}: {totals.taken_over}; before: {totals.already}; "
        f"left out: {totals.left_out}"
    )
    if totals.identities:
        out.say(f"identities that {'would be ' if order.dry_run else ''}connected: {totals.identities}")


__all__ = ["command"]
