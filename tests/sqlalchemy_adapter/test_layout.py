"""What an application's model may look like, and the sentences that say what is wrong with it."""

import hmac
from typing import Annotated, Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import CHAR, Dialect, Index, Integer, LargeBinary, String, TypeDecorator, UniqueConstraint, text, update
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, declarative_base, mapped_column

from powauth.accounts import AccountId, Handle, NewAccount
from powauth.database import Schema
from powauth.records import Encrypted, Json, Key, Owner, Record, Text, Unique
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase
from powauth.sqlalchemy.names import constraint_name
from powauth.sqlalchemy.types import text_type
from powauth.tenants import Tenant
from powauth.testing.accounts_contract import NOW
from powauth.testing.backend import ACME, OTHER
from powauth.testing.records_contract import SCHEMA, Note
from tests.sqlalchemy_adapter import models

NONE = Schema("auth", ())


def problems(user: type[Any], schema: Schema = NONE) -> list[str]:
    engine = create_async_engine("sqlite+aiosqlite://")
    return list(SQLAlchemyDatabase(async_sessionmaker(engine), user).declare(schema))


def unique_columns(user: type[Any]) -> set[tuple[str, ...]]:
    constraints = [item for item in user.__table__.constraints if isinstance(item, UniqueConstraint)]
    return {tuple(column.name for column in constraint.columns) for constraint in constraints}


OURS = {("handle",), ("tenant", "email_key"), ("tenant", "username_key")}


def test_the_application_keeps_its_own_table_arguments() -> None:
    class Base(DeclarativeBase): ...

    class User(AccountColumns, Base):
        __tablename__ = "users"
        __table_args__ = (UniqueConstraint("phone"), Index("by_phone", "phone"), {"comment": "people"})
        id: Mapped[int] = mapped_column(primary_key=True)
        phone: Mapped[str] = mapped_column(String(20))

    assert unique_columns(User) == OURS | {("phone",)}
    assert problems(User) == []


def test_base_classes_of_every_style_will_do() -> None:
    class Base(DeclarativeBase): ...

    class Person(AccountColumns, Base):
        __abstract__ = True

    class User(Person):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Other(Base, AccountColumns):
        __tablename__ = "others"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Former(AccountColumns, declarative_base()):  # type: ignore[misc]  # as before SQLAlchemy 2
        __tablename__ = "former"
        id = mapped_column(LargeBinary, primary_key=True)

    assert unique_columns(User) == unique_columns(Other) == unique_columns(Former) == OURS
    assert problems(User) == problems(Other) == []
    assert problems(Former) == ["former.id: a primary key is int, str, UUID or several of these"]


def test_a_sub_class_of_the_user_is_not_given_the_constraints_again() -> None:
    class Base(DeclarativeBase): ...

    class User(AccountColumns, Base):
        __tablename__ = "users"
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "user"}  # noqa: RUF012
        id: Mapped[int] = mapped_column(primary_key=True)
        kind: Mapped[str] = mapped_column(String(10))

    class Admin(User):
        __mapper_args__ = {"polymorphic_identity": "admin"}  # noqa: RUF012

    assert unique_columns(Admin) == OURS
    assert len([c for c in User.metadata.tables["users"].constraints if isinstance(c, UniqueConstraint)]) == 3


async def test_a_column_of_ours_may_have_another_name_in_the_database(url: str) -> None:
    class Base(DeclarativeBase): ...

    class User(AccountColumns, Base):
        __tablename__ = "users"
        email: Mapped[str | None] = mapped_column("login_email", text_type(254))
        id: Mapped[int] = mapped_column(primary_key=True)

    async with models.app_on(url, lambda: User, NONE) as app, app.unit() as unit:
        ada = await unit.accounts.add(NewAccount(email="ada@example.com"), now=NOW)
        assert await unit.accounts.by_email("ada@example.com") == ada


def test_a_model_without_our_columns_is_told() -> None:
    class Base(DeclarativeBase): ...

    class User(Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Mistyped(AccountColumns, Base):
        __tablename__ = "mistyped"
        email: Mapped[Any] = mapped_column(Integer)
        id: Mapped[int] = mapped_column(primary_key=True)

    class ByAddress(AccountColumns, Base):
        __tablename__ = "by_address"
        email: Mapped[Any] = mapped_column(String(254), primary_key=True)

    class Unmapped(AccountColumns): ...

    assert "has no closed_at, confirmed_at" in problems(User)[0]
    assert problems(Mistyped) == ["Mistyped.email must be of type str, as in AccountColumns"]
    assert "addresses change" in problems(ByAddress)[0]
    assert "is not mapped" in problems(Unmapped)[0]


def test_tables_that_clash_are_told_and_declaring_twice_is_nothing() -> None:
    class Base(DeclarativeBase): ...

    class User(AccountColumns, Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Notes(Base):
        __tablename__ = "auth_notes"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Versions(Base):
        __tablename__ = "admin_schema"
        id: Mapped[int] = mapped_column(primary_key=True)

    assert (Notes.__tablename__, Versions.__tablename__) == ("auth_notes", "admin_schema")
    assert "auth_notes" in problems(User, SCHEMA)[0]
    assert "admin_schema" in problems(User, Schema("admin", ()))[0]
    assert problems(User, Schema("other", (Note,))) == problems(User, Schema("other", (Note,))) == []


def test_records_that_no_table_can_hold_are_told_all_at_once() -> None:
    class Keyless(Record): ...

    class Wrong(Record):
        id: Annotated[Any, Key(), Json()]
        tenant: str
        owner: Annotated[Handle, Key(), Owner("anonymise")]
        long: Annotated[str, Unique(), Text(2000)]
        secret: Annotated[str, Encrypted(), Unique()]

    found = "\n".join(problems(models.with_uuid(), Schema("auth", (Keyless, Wrong))))
    for sentence in (
        "Keyless has no Key",
        "Wrong.id: a Key is never",
        "Wrong.tenant: Powauth adds",
        "Wrong.owner: two erased owners",
        "long are together too long",
        "Wrong.secret is encrypted: give SQLAlchemyDatabase(encryption=",
        "Wrong.secret: what is encrypted",
    ):
        assert sentence in found


EXPECTED = "uq_auth_a_table_with_quite_a_long_name_that_goes_on_879410d6"  # for ever: databases have it


def test_names_of_constraints_are_short_and_stable() -> None:
    class Long(Record, table="a_table_with_quite_a_long_name_that_goes_on"):
        id: Annotated[str, Key()]
        a_field_with_a_long_name_as_well: Annotated[str, Unique()]

    user = models.with_uuid()
    assert problems(user, Schema("auth", (Long,))) == []
    tables = user.metadata.tables.values()
    names = {str(item.name) for table in tables for item in (*table.constraints, *table.indexes) if item.name}
    assert all(len(name) <= 60 for name in names)
    assert constraint_name("uq", "auth_a_table_with_quite_a_long_name_that_goes_on", "x" * 40) == EXPECTED


class Guid(TypeDecorator[UUID]):
    """What many applications wrote before SQLAlchemy had a UUID."""

    impl = CHAR(36)
    cache_ok = True

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> UUID | None:
        return None if value is None else UUID(value)


async def test_a_decorated_key_is_what_its_annotation_says(url: str) -> None:
    class Base(DeclarativeBase): ...

    class User(AccountColumns, Base):
        __tablename__ = "users"
        id: Mapped[UUID] = mapped_column(Guid, primary_key=True, default=uuid4)

    async with models.app_on(url, lambda: User, NONE) as app:
        async with app.unit() as unit:
            ada = await unit.accounts.add(NewAccount(username="ada"), now=NOW)
        async with app.unit(writes=False) as unit:
            assert await unit.accounts.get(ada.id) == ada
            assert await unit.accounts.get(AccountId("x")) is None
            assert await unit.accounts.find(after=AccountId("0" * 36)) == []


class Unsealable(Exception): ...


class Sealed:
    """A toy in the shape of AES-GCM: unreadable at a glance, and bound to its context."""

    key = b"a key for tests alone"

    def seal(self, plain: bytes, *, context: bytes) -> bytes:
        return self._tag(plain, context) + bytes(byte ^ 0x5A for byte in plain)

    def open(self, sealed: bytes, *, context: bytes) -> bytes:
        plain = bytes(byte ^ 0x5A for byte in sealed[32:])
        if sealed[:32] != self._tag(plain, context):
            raise Unsealable
        return plain

    def _tag(self, plain: bytes, context: bytes) -> bytes:
        return hmac.digest(self.key, context + b"\x00" + plain, "sha256")


class Grant(Record, table="grants"):
    id: Annotated[str, Key()]
    token: Annotated[str | None, Encrypted()] = None
    raw: Annotated[bytes, Encrypted()] = b""
    data: Annotated[Any, Encrypted(), Json()] = None


async def test_encrypted_columns_are_unreadable_and_bound_to_their_row(url: str) -> None:
    schema = Schema("auth", (Grant,))
    async with models.engine_on(url) as engine:
        database = SQLAlchemyDatabase(async_sessionmaker(engine), models.with_uuid(), encryption=Sealed())
        assert database.declare(schema) == []
        await database.create_tables()
        app = models.App(database, schema, engine)
        grant = Grant(id="1", token="é", raw=b"\x00", data={"a": [1]})
        async with app.unit() as unit:
            await unit.records(Grant).add(grant)
            await unit.records(Grant).add(Grant(id="2", token="other"))
        table = app.layout.record_table(schema, Grant).table
        async with app.unit() as unit:
            assert await unit.records(Grant).get("1") == grant
            assert (await unit.records(Grant).get("2") or grant).token == "other"
            row = (await models.transaction_of(unit).read(table.select().where(table.c.id == "1"))).one()
            assert "é".encode() not in row.token
            moved = update(table).where(table.c.id == "2").values(token=row.token)
            await models.transaction_of(unit).write(moved)
            with pytest.raises(Unsealable):
                await unit.records(Grant).get("2")


@pytest.mark.servers
async def test_a_tenant_may_have_a_schema_of_its_own(postgres_url: str) -> None:
    apart = Tenant("apart", "https://apart.test", schema="apart")
    async with models.app_on(postgres_url, models.with_integer, SCHEMA) as app:
        async with app.engine.begin() as connection:
            await connection.execute(text("CREATE SCHEMA apart"))
            mapped = await connection.execution_options(schema_translate_map={None: "apart"})
            await mapped.run_sync(app.layout.metadata.create_all)
        async with app.unit(apart) as unit:
            ada = await unit.accounts.add(NewAccount(email="ada@example.com", values={"rank": 1}), now=NOW)
            await unit.records(Note).add(Note(id="1"))
        async with app.sessionmaker() as db:
            user = await app.database.user(SCHEMA, apart, db, ada.id)
            assert user
            assert (user.rank, user.email) == (1, "ada@example.com")
        async with app.sessionmaker() as db:
            joined = app.database.join(SCHEMA, apart, db)
            await joined.accounts.add(NewAccount(email="grace@example.com"), now=NOW)
            await db.commit()
        async with app.unit(apart, writes=False) as unit:
            assert [account.email for account in await unit.accounts.find()] == ["ada@example.com", "grace@example.com"]
            assert await unit.records(Note).find() == [Note(id="1")]
        for tenant in (ACME, OTHER):
            async with app.unit(tenant, writes=False) as unit:
                assert await unit.accounts.find() == []
        async with app.engine.connect() as connection:
            assert (await connection.execute(text("SELECT count(*) FROM public.users"))).scalar_one() == 0
