"""Accounts: the application's users as Powauth knows them, in one tenant and one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, cast

from sqlalchemy import ColumnElement, Row, Select, and_, false, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from powauth.accounts import Account, AccountId, Changes, Handle, NewAccount, Unset, email_key, username_key
from powauth.errors import ConfigurationError, Stale, StillReferenced
from powauth.records import is_storable
from powauth.sqlalchemy.columns import OWN, RESERVED
from powauth.sqlalchemy.failures import is_reference
from powauth.sqlalchemy.layout import U
from powauth.sqlalchemy.transaction import Transaction


class UserAccounts(Generic[U]):
    """The accounts of one tenant in one unit of work."""

    def __init__(self, transaction: Transaction[U]) -> None:
        self._transaction = transaction
        self._layout = transaction.layout
        self._tenant = transaction.tenant.id
        self._user = transaction.layout.user

    async def get(self, account_id: AccountId) -> Account | None:
        """Return the account with this primary key."""
        key = self._layout.key.parse(account_id)
        if key is None:
            return None
        account = await self._one(
            *(column == value for column, value in zip(self._layout.key.columns, key, strict=True))
        )
        return account if account and account.id == account_id else None  # MariaDB may think that a is A

    async def by_handle(self, handle: Handle) -> Account | None:
        """Return the account with this handle."""
        return await self._one(self._user.handle == handle) if is_storable(handle) else None

    async def by_email(self, email: str) -> Account | None:
        """Return the account with this address; compares `email_key(email)`."""
        key = email_key(email)
        return await self._one(self._user.email_key == key) if is_storable(key) else None

    async def by_username(self, username: str) -> Account | None:
        """Return the account with this user name; compares `username_key(username)`."""
        key = username_key(username)
        return await self._one(self._user.username_key == key) if is_storable(key) else None

    async def lock(self, handle: Handle) -> Account | None:
        """Return the account as it is now and let nobody else change it until the unit of work ends."""
        if not is_storable(handle):
            return None
        result = await self._transaction.write(self._select(self._user.handle == handle).with_for_update())
        return await self._seen(result.one_or_none())

    async def add(self, new: NewAccount, *, now: datetime) -> Account:
        """Store a new account. Raises `Taken` with `email` or `username`."""
        self._check(new.values)
        user = self._made(new, now)

        async def add(session: AsyncSession) -> None:
            session.add(user)

        await self._transaction.flush(add, self._layout.uniques)
        return self._layout.account(user)

    async def add_all(self, news: Sequence[NewAccount], *, now: datetime) -> None:
        """Store many new accounts with few statements, all of them or none. Raises `Taken` if one cannot be."""
        for new in news:
            self._check(new.values)
        users = [self._made(new, now) for new in news]

        async def add(session: AsyncSession) -> None:
            session.add_all(users)

        await self._transaction.flush(add, self._layout.uniques)

    async def holders(self, news: Sequence[NewAccount]) -> Sequence[Account]:
        """Return the accounts that have the address or the user name of one of these already."""
        emails = {email_key(new.email) for new in news if new.email is not None}
        usernames = {username_key(new.username) for new in news if new.username is not None}
        statement = self._select(
            or_(
                self._user.email_key.in_(filter(is_storable, emails)),
                self._user.username_key.in_(filter(is_storable, usernames)),
            )
        )
        return [self._layout.read(row) for row in await self._transaction.read(statement)]

    async def change(self, account: Account, changes: Changes) -> Account:
        """Store the changes of an account and return it as it is then. Raises `Taken`, or `Stale` if it is gone."""
        self._check(changes.values)
        own = self._own(changes)
        if own:
            statement = update(self._user).where(*self._where(self._user.handle == account.handle)).values(own)
            statement = statement.execution_options(synchronize_session=False)
            await self._transaction.write(statement, self._layout.uniques)
        if changes.values:
            await self._set(account, changes.values)
        result = await self._transaction.read(self._select(self._user.handle == account.handle))
        changed = await self._seen(result.one_or_none())
        if changed is None:
            raise Stale
        return changed

    async def delete(self, account: Account) -> None:
        """Delete the row, and what the application's model deletes with it. Raises `StillReferenced`."""
        user = await self._loaded(account)
        if user is None:
            return

        async def delete(session: AsyncSession) -> None:
            await session.delete(user)

        try:
            await self._transaction.flush(delete)
        except IntegrityError as error:
            if is_reference(error):
                raise StillReferenced(str(error.orig)) from error
            raise

    async def find(self, *, contains: str = "", limit: int = 50, after: AccountId | None = None) -> Sequence[Account]:
        """Return accounts in the order of their primary keys, those that contain the text, after one of them."""
        conditions = [self._contains(contains), *([] if after is None else [self._after(after)])]
        statement = self._select(*conditions).order_by(*self._layout.key.columns).limit(limit)
        return [self._layout.read(row) for row in await self._transaction.read(statement)]

    async def user(self, account: Account) -> U:
        """Return the application's user, loaded in this unit of work. Raises `Stale` if it is gone."""
        user = await self._loaded(account)
        if user is None:
            raise Stale
        return user

    def _where(self, *conditions: ColumnElement[bool]) -> tuple[ColumnElement[bool], ...]:
        return (self._user.tenant == self._tenant, *conditions)

    def _select(self, *conditions: ColumnElement[bool]) -> Select[Any]:
        # Columns, not the user: what the application loads eagerly along with it is not locked and costs nothing.
        own = [getattr(self._user, name) for name in (*self._layout.key.names, *OWN)]
        return select().add_columns(*own).where(*self._where(*conditions))

    async def _one(self, *conditions: ColumnElement[bool]) -> Account | None:
        row = (await self._transaction.read(self._select(*conditions))).one_or_none()
        return None if row is None else self._layout.read(row)

    async def _seen(self, row: Row[Any] | None) -> Account | None:
        """Return the row as an account, and bring a user that the session has loaded already up to date with it."""
        if row is None:
            return None
        key = tuple(row)[: len(self._layout.key.names)]

        async def refresh(session: AsyncSession) -> None:
            loaded = session.sync_session.identity_map.get(self._layout.mapper.identity_key_from_primary_key(key))
            for name, value in zip(OWN, tuple(row)[len(key) :], strict=True) if loaded is not None else ():
                set_committed_value(loaded, name, value)

        await self._transaction.run(refresh)
        return self._layout.read(row)

    async def _loaded(self, account: Account) -> U | None:
        key = self._layout.key.parse(account.id)

        async def load(session: AsyncSession) -> U | None:
            return await session.get(self._user, key)

        user = None if key is None else await self._transaction.run(load)
        return user if user is not None and user.handle == account.handle and user.tenant == self._tenant else None

    async def _set(self, account: Account, values: Mapping[str, object]) -> None:
        user = await self.user(account)

        async def assign(_: AsyncSession) -> None:
            for name, value in values.items():
                setattr(user, name, value)

        await self._transaction.flush(assign, self._layout.uniques)

    def _made(self, new: NewAccount, now: datetime) -> U:
        user = cast("type[Any]", self._user)(**new.values)
        for name, value in _identifiers(new.email, new.username).items():
            setattr(user, name, value)
        user.tenant, user.handle, user.password_hash = self._tenant, new.handle, new.password_hash
        user.created_at, user.confirmed_at, user.epoch = new.created_at or now, new.confirmed_at, 0
        user.locked_at, user.locked_by, user.closed_at = new.locked_at, new.locked_by, None
        return cast("U", user)

    def _own(self, changes: Changes) -> dict[str, object]:
        own = _identifiers(changes.email, changes.username)
        for name in ("password_hash", "confirmed_at", "locked_at", "locked_by", "closed_at"):
            if not isinstance(getattr(changes, name), Unset):
                own[name] = getattr(changes, name)
        if changes.raise_epoch:
            own["epoch"] = self._user.epoch + 1
        return own

    def _check(self, values: Mapping[str, object]) -> None:
        attributes = self._layout.mapper.column_attrs.keys()
        unknown = [name for name in values if name not in attributes]
        forbidden = [name for name in values if name in RESERVED or name in self._layout.key.names]
        name = self._user.__name__
        found = [f"{name} has no column {attribute}: add it, or leave the field away" for attribute in unknown]
        found += [
            f"{name}.{attribute} is not for forms to fill: give the field another name" for attribute in forbidden
        ]
        if found:
            raise ConfigurationError(*found)

    def _contains(self, text: str) -> ColumnElement[bool]:
        key = email_key(text)
        if not is_storable(key):
            return false()
        return or_(
            self._user.email_key.contains(key, autoescape=True),
            self._user.username_key.contains(key, autoescape=True),
            *([] if key else [self._user.handle.is_not(None)]),
        )

    def _after(self, account_id: AccountId) -> ColumnElement[bool]:
        key = self._layout.key.parse(account_id)
        if key is None:
            return false()
        columns = self._layout.key.columns
        return or_(*(_first_greater(columns[: place + 1], key) for place in range(len(columns))))


def _first_greater(columns: Sequence[ColumnElement[Any]], key: Sequence[object]) -> ColumnElement[bool]:
    *before, last = [(column, value) for column, value in zip(columns, key, strict=False)]
    return and_(*(column == value for column, value in before), last[0] > last[1])


def _identifiers(email: str | Unset | None, username: str | Unset | None) -> dict[str, object]:
    found: dict[str, object] = {}
    if not isinstance(email, Unset):
        found |= {"email": email, "email_key": None if email is None else email_key(email)}
    if not isinstance(username, Unset):
        found |= {"username": username, "username_key": None if username is None else username_key(username)}
    return found
