"""AccountColumns: what the application's own user model needs so that Powauth can sign its people in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, UniqueConstraint, event, inspect
from sqlalchemy.orm import Mapped, Mapper, mapped_column
from sqlalchemy.schema import conv

from powauth.accounts import MAX_EMAIL, email_key, new_handle, username_key
from powauth.clock import SystemClock
from powauth.sqlalchemy.names import constraint_name
from powauth.sqlalchemy.types import UtcDateTime, text_type
from powauth.tenants import SINGLE

MAX_TENANT = 64

_clock = SystemClock()


class AccountColumns:
    """The columns of an account, without a primary key: that is the application's, and of any kind.

        class User(AccountColumns, Base):
            __tablename__ = "users"
            id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
            name: Mapped[str | None]

    Read all of them freely. Change them through Powauth, which ends sessions and tells the owner; what it does not know
    of, such as `name`, stays the application's. `__table_args__` is free as well. An application that has a column
    of one of these names already gives that one another name, or renames ours in the database only:
    `email: Mapped[str | None] = mapped_column("login_email", text_type(254))`.
    """

    tenant: Mapped[str] = mapped_column(text_type(MAX_TENANT), default=SINGLE)
    """Whose account this is; empty where there are no tenants."""
    handle: Mapped[str] = mapped_column(text_type(32), default=new_handle)
    """Names the account in sessions and in whatever leaves; never used again."""
    email: Mapped[str | None] = mapped_column(text_type(MAX_EMAIL))
    """The address as it was typed: mail goes there."""
    email_key: Mapped[str | None] = mapped_column(text_type(MAX_EMAIL))
    """What spellings of one address share: unique within a tenant, and follows `email`."""
    username: Mapped[str | None] = mapped_column(text_type(255))
    username_key: Mapped[str | None] = mapped_column(text_type(255))
    """What spellings of one user name share: unique within a tenant, and follows `username`."""
    password_hash: Mapped[str | None] = mapped_column(text_type(512))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime(), default=_clock.now)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    """When the address was proved."""
    locked_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    locked_by: Mapped[str | None] = mapped_column(text_type(32))
    """`administrator`, `owner` or `limit`."""
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    epoch: Mapped[int] = mapped_column(default=0)
    """Grows with every change of a credential."""


OWN: tuple[str, ...] = (
    "handle",
    "email",
    "username",
    "password_hash",
    "created_at",
    "confirmed_at",
    "locked_at",
    "locked_by",
    "closed_at",
    "epoch",
)
"""The attributes that make an `Account`, in the order in which they are read."""

RESERVED = frozenset({*OWN, "tenant", "email_key", "username_key"})
"""The attributes that nobody but Powauth fills."""


@dataclass(frozen=True, slots=True)
class OwnColumn:
    """A column that the application's model has beside ours and its primary key."""

    name: str
    type: type | None
    """What its values are in Python, where that is known."""
    length: int | None
    """How many characters it holds, where that is bounded."""
    most: int | None
    """The greatest whole number that it holds, where that is bounded."""
    is_required: bool
    """Whether a row needs a value that neither the model nor the database makes."""


UNIQUE = (("handle",), ("tenant", "email_key"), ("tenant", "username_key"))


@event.listens_for(AccountColumns, "after_mapper_constructed", propagate=True)
def _make_unique(mapper: Mapper[Any], _user: type[Any]) -> None:
    # Not __table_args__: an application that sets its own would lose ours without a word.
    table = mapper.local_table
    for attributes in UNIQUE:
        columns = [mapper.columns[name] for name in attributes]
        if isinstance(table, Table) and all(column.table is table for column in columns):
            name = constraint_name("uq", table.name, attributes[-1])
            if name not in {constraint.name for constraint in table.constraints}:
                table.append_constraint(UniqueConstraint(*columns, name=conv(name)))


@event.listens_for(AccountColumns, "before_insert", propagate=True)
@event.listens_for(AccountColumns, "before_update", propagate=True)
def _fold(_mapper: Mapper[Any], _connection: Connection, user: AccountColumns) -> None:
    # An application that sets `user.email` itself must not leave the key of the former address behind.
    changed = inspect(user).attrs
    if changed["email"].history.has_changes():
        user.email_key = None if user.email is None else email_key(user.email)
    if changed["username"].history.has_changes():
        user.username_key = None if user.username is None else username_key(user.username)
