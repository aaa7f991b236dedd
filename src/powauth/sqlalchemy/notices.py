"""Notices: PostgreSQL itself tells whoever listens when a session in a store's table is changed or removed.

A trigger does it, and not the store, so that nobody forgets: not a process without the near cache, not another version,
not somebody with psql. A notice is part of the transaction that causes it, and says whose sessions changed: kind and
owner, which is the account's random handle. It holds nothing of the session, neither its id nor its secret.
"""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from powauth.errors import ConfigurationError
from powauth.near_cache import NearCache
from powauth.sqlalchemy.names import shortened

BEAT = "="
NOBODYS = "powauth:session"
"""A kind that no `Auth` has, for trying out."""


def notice_statements(table: str = "powauth_store") -> Sequence[str]:
    """Return what makes PostgreSQL tell of changes in the table of a store, for a migration: repeatable, 14 or later.

    A store with `near_cache=True` does it by itself where its role owns the table.
    """
    it, function = _quoted(table), _quoted(shortened(f"{table}_tell_1"))
    changed, emptied = (_quoted(name) for name in trigger_names(table))
    return tuple(statement.format(it=it, function=function, changed=changed, emptied=emptied) for statement in _TELL)


_TELL = (
    """\
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_notify('powauth_' || TG_RELID, CASE TG_LEVEL
        WHEN 'ROW' THEN encode(OLD.kind, 'hex') || ' ' || encode(OLD.owner, 'hex') ELSE '*' END);
    RETURN NULL;
END $$""",
    # Kinds that end like this are what a near cache keeps; all else, as the counters of limits, costs nothing.
    """\
CREATE OR REPLACE TRIGGER {changed} AFTER UPDATE OR DELETE ON {it} FOR EACH ROW
    WHEN (substring(OLD.kind FROM octet_length(OLD.kind) - 6) = convert_to('session', 'UTF8'))
    EXECUTE FUNCTION {function}()""",
    "CREATE OR REPLACE TRIGGER {emptied} AFTER TRUNCATE ON {it} FOR EACH STATEMENT EXECUTE FUNCTION {function}()",
    # Always: also where a subscription of logical replication writes.
    "ALTER TABLE {it} ENABLE ALWAYS TRIGGER {changed}, ENABLE ALWAYS TRIGGER {emptied}",
)


def trigger_names(table: str) -> tuple[str, str]:
    """Return what the two triggers are called: of rows, and of the whole table. Another meaning takes other names."""
    return shortened(f"{table}_tells_changes_1"), shortened(f"{table}_tells_emptying_1")


def are_told(table: str) -> str:
    """Return the condition, in SQL, that this table tells of its changes."""
    names = ", ".join(_literal(name) for name in trigger_names(table))
    return (
        f"(SELECT count(*) = 2 FROM pg_trigger WHERE tgrelid = to_regclass({_literal(_quoted(table))})"  # noqa: S608
        f" AND tgname IN ({names}) AND tgenabled = 'A')"
    )


def channel(table: str) -> str:
    """Return, in SQL, where this table tells: a table that takes its place tells elsewhere."""
    return f"'powauth_' || to_regclass({_literal(_quoted(table))})::oid"


def beat(table: str, placeholder: str) -> str:
    """Return the question of each beat: sends a nonce the way of all notices; answers whether it can be relied on."""
    return (
        f"SELECT pg_notify({channel(table)}, '{BEAT}' || {placeholder}::text), pg_backend_pid(),"
        " NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'"
        f" AND {are_told(table)}, {SERVER}"
    )


SERVER = "pg_postmaster_start_time()::text"
"""Which server this is, to tell a former primary from the one that took its place."""


async def have_told(db: AsyncConnection, table: str) -> None:
    """Make the table tell of its changes, unless it does. Raises `ConfigurationError` where this role may not."""
    if (await db.execute(text(f"SELECT {are_told(table)}"))).scalar_one():
        return
    await db.rollback()
    try:
        db = await db.execution_options(isolation_level="READ COMMITTED")
        async with db.begin():
            await db.execute(text("SELECT pg_advisory_xact_lock(hashtext('powauth'))"))  # other processes start, too
            for statement in notice_statements(table):
                await db.execute(text(statement.replace(":", "\\:")))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == INSUFFICIENT_PRIVILEGE:
            raise ConfigurationError(MAY_NOT.format(table)) from None
        raise


def about(kind: str, owner: str) -> str:
    """Return the notice about an owner."""
    return f"{kind.encode().hex()} {owner.encode().hex()}"


def tell(cache: NearCache, notice: str) -> None:
    """Have the cache let go of what a notice is about: of everything where that is not clear."""
    try:
        kind, owner = (bytes.fromhex(part).decode() for part in notice.split(" "))
    except ValueError:
        cache.flush()
    else:
        cache.invalidate(kind, owner)


def _quoted(name: str) -> str:
    return postgresql.dialect().identifier_preparer.quote(name)  # type: ignore[no-untyped-call]


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


INSUFFICIENT_PRIVILEGE = "42501"
MAY_NOT = (
    "near_cache needs two triggers on the table {0}, and this role may not make them: run what"
    " powauth.sqlalchemy.notice_statements({0!r}) returns in a migration, as the table's owner"
)
