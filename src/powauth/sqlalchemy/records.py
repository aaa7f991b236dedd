"""Records: the rows of one record's table, in one tenant and one transaction."""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, cast

from sqlalchemy import ColumnElement, delete, insert, select, tuple_, update

from powauth.errors import Stale
from powauth.records import Column, Encrypted, R, Unique, is_storable
from powauth.sqlalchemy import conditions
from powauth.sqlalchemy.encryption import from_plain, place, to_plain
from powauth.sqlalchemy.tables import TENANT, VERSION, RecordTable
from powauth.sqlalchemy.transaction import Transaction

_AT_ONCE = 500  # rows deleted by one statement: SQLite and PostgreSQL take about 32,000 values


class TableRecords(Generic[R]):
    """The rows of one record."""

    def __init__(self, transaction: Transaction[Any], record: type[R], table: RecordTable) -> None:
        self._transaction = transaction
        self._record = record
        self._table = table
        self._columns = {column.name: column for column in table.columns}
        self._tenant = transaction.tenant.id

    async def add(self, record: R) -> R:
        """Store a new row. Raises `Taken` with the field's name where the engine tells."""
        values = {name: getattr(record, name) for name in self._columns}
        row = self._to_row(values, values) | {TENANT: self._tenant, VERSION: 1}
        await self._transaction.write(insert(self._table.table).values(row), self._table.uniques)
        return record.replace(version=1)

    async def get(self, *key: object) -> R | None:
        """Return the row with this key."""
        found = await self.find(where=self._key(key))
        return found[0] if found else None

    async def find(
        self,
        *,
        where: Mapping[str, object] | None = None,
        below: Mapping[str, object] | None = None,
        order: Sequence[str] = (),
        limit: int | None = None,
        after: R | None = None,
    ) -> Sequence[R]:
        """Return the rows whose fields have these values and lie below those, in order, after one of them.

        Rows that are equal in the order stand in the order of their keys; `None` stands before everything.
        """
        sorting = conditions.sorting(self._table, order)
        statement = select(self._table.table).where(self._where(where, below))
        if after is not None:
            statement = statement.where(conditions.after(sorting, after))
        statement = statement.order_by(*conditions.order_by(sorting)).limit(limit)
        return [self._from_row(row) for row in (await self._transaction.read(statement)).mappings()]

    async def update(self, record: R, **changes: object) -> R:
        """Store the changes if the row is still this one and return it as it is then. Raises `Stale`, `Taken`."""
        self._refuse(is_about_age=False)
        fixed = [name for name in changes if name in self._table.key or name not in self._columns]
        if fixed:
            raise ValueError(f"{', '.join(fixed)} of {self._record.__name__} cannot change: delete it, add another")
        row = self._to_row(changes, {name: getattr(record, name) for name in self._table.key})
        row[VERSION] = self._table.table.c[VERSION] + 1
        statement = update(self._table.table).where(self._this(record)).values(row)
        changed = await self._transaction.write(statement, self._table.uniques if self._is_unique(changes) else None)
        if changed.rowcount != 1:
            raise Stale
        return record.replace(**changes, version=record.version + 1)

    async def delete(self, record: R) -> bool:
        """Delete the row if it is still this one; say whether it was."""
        self._refuse(is_about_age=False)
        deleted = await self._transaction.write(delete(self._table.table).where(self._this(record)))
        return deleted.rowcount == 1

    async def delete_all(
        self, *, where: Mapping[str, object], below: Mapping[str, object] | None = None, limit: int | None = None
    ) -> int:
        """Delete the rows whose fields have these values and lie below those, at most so many; say how many."""
        self._refuse(is_about_age=bool(below) and not where)
        condition = self._where(where, below)
        if limit is None:
            return (await self._transaction.write(delete(self._table.table).where(condition))).rowcount
        keys = [self._table.table.c[name] for name in self._table.key]
        # Read, then deleted by key: MariaDB knows no LIMIT in a sub-select. The condition is asked again.
        found = (await self._transaction.read(select(*keys).where(condition).limit(limit))).all()
        count = 0
        for start in range(0, len(found), _AT_ONCE):
            some = tuple_(*keys).in_([tuple(row) for row in found[start : start + _AT_ONCE]])
            count += (await self._transaction.write(delete(self._table.table).where(condition, some))).rowcount
        return count

    def _refuse(self, *, is_about_age: bool) -> None:
        if self._record.__append_only__ and not is_about_age:
            raise TypeError(f"{self._record.__name__}: its rows are only ever added, and end by age")

    def _key(self, key: Sequence[object]) -> dict[str, object]:
        if len(key) != len(self._table.key):
            raise ValueError(f"the key of {self._record.__name__} is {', '.join(self._table.key)}")
        return dict(zip(self._table.key, key, strict=True))

    def _where(self, where: Mapping[str, object] | None, below: Mapping[str, object] | None) -> ColumnElement[bool]:
        ours = self._table.table.c[TENANT] == self._tenant
        return ours & conditions.where(self._table, where or {}) & conditions.below(self._table, below or {})

    def _this(self, record: R) -> ColumnElement[bool]:
        key = {name: getattr(record, name) for name in self._table.key}
        return self._where(key, None) & (self._table.table.c[VERSION] == record.version)

    def _is_unique(self, changes: Mapping[str, object]) -> bool:
        return any(self._columns[name].mark(Unique) for name in changes)

    def _to_row(self, values: Mapping[str, object], key: Mapping[str, object]) -> dict[str, Any]:
        return {name: self._to_column(self._columns[name], value, key) for name, value in values.items()}

    def _to_column(self, column: Column, value: object, key: Mapping[str, object]) -> object:
        self._check(column, value)
        if not column.mark(Encrypted) or (value is None and column.nullable):
            return value
        context = place(self._table, column.name, self._tenant, key)
        return self._encryption.seal(to_plain(column, value), context=context)

    def _check(self, column: Column, value: object) -> None:
        # Told alike on every engine: PostgreSQL and MariaDB refuse what SQLite would store.
        name = f"{self._record.__name__}.{column.name}"
        if isinstance(value, str) and column.type == "str" and len(value) > column.length:
            raise ValueError(f"{name} is longer than {column.length} characters: check it before, or mark it Text(n)")
        if not is_storable(value):
            raise ValueError(f"{name} holds what no engine stores: NUL, half a character, or more than 64 bits")

    def _from_row(self, row: Mapping[Any, Any]) -> R:
        key = {name: row[name] for name in self._table.key}
        values = {name: self._from_column(column, row[name], key) for name, column in self._columns.items()}
        return cast("R", cast("type[Any]", self._record)(**values, version=row[VERSION]))

    def _from_column(self, column: Column, value: object, key: Mapping[str, object]) -> object:
        if value is None or not column.mark(Encrypted):
            return value
        context = place(self._table, column.name, self._tenant, key)
        return from_plain(column, self._encryption.open(cast("bytes", value), context=context))

    @property
    def _encryption(self) -> Any:  # noqa: ANN401  there is one: `declare` refuses encrypted columns without
        return self._transaction.layout.encryption
