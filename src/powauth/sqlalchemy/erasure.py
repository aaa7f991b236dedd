"""What becomes of the rows about an account that is erased."""

from sqlalchemy import Executable, delete, update

from powauth.accounts import Handle
from powauth.database import Schema
from powauth.records import Column
from powauth.sqlalchemy.layout import U
from powauth.sqlalchemy.tables import TENANT, VERSION, RecordTable
from powauth.sqlalchemy.transaction import Transaction


async def erase(transaction: Transaction[U], schema: Schema, handle: Handle) -> None:
    """Delete, keep or anonymise the rows, as each record says of its owner."""
    for record in schema.records:
        table = transaction.layout.record_table(schema, record)
        for column in table.columns:
            statement = _statement(table, column, transaction.tenant.id, handle)
            if statement is not None:
                await transaction.write(statement)


def _statement(table: RecordTable, column: Column, tenant: str, handle: Handle) -> Executable | None:
    theirs = (table.table.c[TENANT] == tenant) & (table.table.c[column.name] == handle)
    if column.on_erase == "delete":
        return delete(table.table).where(theirs)
    if column.on_erase == "anonymise":
        nobody = {column.name: None if column.nullable else "", VERSION: table.table.c[VERSION] + 1}
        return update(table.table).where(theirs).values(nobody)
    return None
