"""A shop under test: on any engine, with stores and mails that outlast the process, and with calls that can be paused.

Two shops on one address are two processes as far as the servers can tell: nothing is shared but what lasts.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID, uuid4

from sqlalchemy import String
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from powauth import Auth, Extension
from powauth.accounts import Account, Handle
from powauth.clock import Clock
from powauth.context import Context, on
from powauth.database import Schema
from powauth.events import AuthenticationFailed, Event, PasswordChanged, SignedIn, SignedUp
from powauth.extension import Manifest
from powauth.extensions.invitation import Invitation, InvitationAccepted
from powauth.extensions.manage_account import ManageAccount
from powauth.extensions.remember_me import RememberMe
from powauth.extensions.reset_password import ResetPassword
from powauth.forms import Form
from powauth.http import Request
from powauth.mail import Mail, MailKind
from powauth.operations import verify_current
from powauth.pages import Done, Outcome
from powauth.records import Key as KeyMark
from powauth.records import Owner, Record, Text, new_id
from powauth.routing import FormPage
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase
from powauth.stores import Entry, Key, Store
from powauth.testing import FrozenClock, Outbox, Site
from powauth.tokens import TokenKind
from tests.house import BASE_URL, PASSWORD, QUICK, SECRET, House, all_extensions

NEW_PASSWORD = "seven loud purple herons"
ENGINES = ("sqlite", "postgres", "mariadb")
ONE_CONNECTION = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 20}


# ---- an extension with a token, a mail with a link, and a record of what was heard ----


class Heard(Record, table="heard"):
    """An event that a hook wrote down."""

    id: Annotated[str, KeyMark(), Text(32)]
    owner: Annotated[Handle, Owner(), Text(32)]
    event: Annotated[str, Text(80)]
    detail: Annotated[str, Text(190)] = ""


class VoucherForm(Form):
    """A voucher."""

    voucher: Annotated[str, Text(max=77)]


async def redeem(request: Request[VoucherForm], ctx: Context) -> Outcome:
    """Use a voucher up and write it down."""
    token = await ctx.tokens.take(VOUCHER, request.form.voucher)
    await write_down(ctx, token.account.handle, "redeemed")
    return Done(data={"redeemed": True})


async def write_down(ctx: Context, handle: Handle, event: str, detail: str = "") -> None:
    await ctx.records(Heard).add(Heard(id=new_id(), owner=handle, event=event, detail=detail))


async def note_sign_in(event: SignedIn, ctx: Context) -> None:
    await write_down(ctx, event.account.handle, "signed_in", event.session.public_id)


async def note_failure(event: AuthenticationFailed, ctx: Context) -> None:
    await write_down(ctx, event.handle or Handle(""), "failed", event.factor)


async def note_acceptance(event: InvitationAccepted, ctx: Context) -> None:
    await write_down(ctx, event.account.handle, "accepted", event.invitation.id)


async def owe_voucher(event: SignedUp, ctx: Context) -> None:
    await ctx.send(GIFT, account=event.account)


async def owe_notice(event: PasswordChanged, ctx: Context) -> None:
    await ctx.send(NOTICE, account=event.account)


VOUCHER = TokenKind("voucher", timedelta(days=1))
LASTING = TokenKind("lasting", timedelta(days=1), survives=("password", "email"))
REDEEM = FormPage(name="redeem", path="/redeem", form=VoucherForm, submit=redeem, limit=None)
GIFT_PAGE = FormPage(name="gift", path="/gifts/{token}", form=VoucherForm, submit=redeem)
GIFT = MailKind(name="gift", page=GIFT_PAGE, token=LASTING)
NOTICE = MailKind(name="notice")


class Vouchers(Extension):
    """Vouchers: tokens, mails that hold one, and a diary."""

    gifts: bool = False
    """Whether who signs up gets a mail with a link."""

    name = "vouchers"

    def manifest(self) -> Manifest:
        """Return what it adds."""
        return Manifest(
            routes=(REDEEM, GIFT_PAGE),
            tokens=(VOUCHER, LASTING),
            records=(Heard,),
            mails=(GIFT, NOTICE),
            hooks=(
                on(SignedIn, note_sign_in),
                on(AuthenticationFailed, note_failure),
                on(PasswordChanged, owe_notice),
                on(InvitationAccepted, note_acceptance),
                *((on(SignedUp, owe_voucher),) if self.gifts else ()),
            ),
            messages={
                "gift.subject": "A gift",
                "gift.body": "Here it is",
                "gift.button": "Take it",
                "notice.subject": "Changed",
                "notice.body": "Your password was changed",
                "redeem.title": "Redeem",
                "redeem.submit": "Redeem",
                "gift.title": "Your gift",
                "gift.submit": "Take it",
                "field.voucher": "Voucher",
            },
        )


class NameForm(Form):
    """The application's own column."""

    name: Annotated[str, Text(max=80)]


def extensions(*more: Extension, gifts: bool = False) -> tuple[Extension, ...]:
    """Return every extension, the profile with the application's own column, and the vouchers."""
    plain = [extension for extension in all_extensions() if not isinstance(extension, ManageAccount)]
    return (*plain, ManageAccount(profile=NameForm), Vouchers(gifts=gifts), *more)


def extensions_of(flow: str) -> tuple[Extension, ...]:
    """Return what a flow needs that is killed on its way."""
    more: dict[str, tuple[Extension, ...]] = {
        "come_back": (RememberMe(),),
        "reset": (ResetPassword(),),
        "accept": (Invitation(),),
    }
    return extensions(*more.get(flow, ()), gifts=flow == "send")


# ---- the shop ----


@asynccontextmanager
async def shop(
    url: str,
    *,
    wrap: Callable[[Store], Store] | None = None,
    create: bool = True,
    open_it: bool = True,
    engine_settings: dict[str, Any] | None = None,
    **settings: Any,
) -> AsyncGenerator[House]:
    """Open an application with the store that its database chooses; `wrap` puts something before it."""

    class Base(DeclarativeBase): ...

    class User(AccountColumns, Base):
        __tablename__ = "users"
        id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
        name: Mapped[str | None] = mapped_column(String(80))

    engine = create_async_engine(url, **(engine_settings or {}))
    sessionmaker = async_sessionmaker(engine, expire_on_commit=False)
    database = WrappedDatabase(sessionmaker, User, wrap=wrap)
    defaults: dict[str, Any] = {
        "secret": SECRET,
        "base_url": BASE_URL,
        "mailer": Outbox(),
        "passwords": QUICK,
        "application": "Example",
        "extensions": extensions(),
        "clock": FrozenClock(),
    }
    auth: Auth[Any] = Auth(database=database, **{**defaults, **settings})
    try:
        if create:
            await database.create_tables()
        if open_it:
            await auth.open()
        yield House(auth, User, engine, sessionmaker, auth.plan.clock)  # type: ignore[arg-type]
    finally:
        if open_it:
            await auth.close()
        await engine.dispose()


class WrappedDatabase(SQLAlchemyDatabase[Any]):
    """The application's database, whose store has something put before it."""

    def __init__(self, *values: Any, wrap: Callable[[Store], Store] | None) -> None:
        super().__init__(*values)
        self._wrap = wrap

    def store(self, schema: Schema, clock: Clock) -> Store:
        store = super().store(schema, clock)
        return self._wrap(store) if self._wrap else store


# ---- calls that can be paused ----


@dataclass
class Paused:
    """A store whose calls can be stopped on their way: `before` and `after` hear each verb and its key or owner."""

    store: Store
    before: Callable[[str, str], Awaitable[None]] | None = None
    after: Callable[[str, str], Awaitable[None]] | None = None

    async def _do(self, verb: str, kind: str, call: Awaitable[Any]) -> Any:
        if self.before:
            await self.before(verb, kind)
        result = await call
        if self.after:
            await self.after(verb, kind)
        return result

    async def open(self) -> None:
        await self.store.open()

    async def close(self) -> None:
        await self.store.close()

    async def get(self, key: Key) -> Entry | None:
        return await self._do("get", key.kind, self.store.get(key))  # type: ignore[no-any-return]

    async def put(self, key: Key, value: bytes, *, expires_at: Any) -> None:
        await self._do("put", key.kind, self.store.put(key, value, expires_at=expires_at))

    async def add(self, key: Key, value: bytes, *, expires_at: Any) -> bool:
        return await self._do("add", key.kind, self.store.add(key, value, expires_at=expires_at))  # type: ignore[no-any-return]

    async def replace(self, key: Key, value: bytes, *, version: int, expires_at: Any) -> bool:
        call = self.store.replace(key, value, version=version, expires_at=expires_at)
        return await self._do("replace", key.kind, call)  # type: ignore[no-any-return]

    async def take(self, key: Key) -> Entry | None:
        return await self._do("take", key.kind, self.store.take(key))  # type: ignore[no-any-return]

    async def delete(self, key: Key) -> bool:
        return await self._do("delete", key.kind, self.store.delete(key))  # type: ignore[no-any-return]

    async def increment(self, key: Key, *, expires_at: Any) -> int:
        return await self._do("increment", key.kind, self.store.increment(key, expires_at=expires_at))  # type: ignore[no-any-return]

    async def list(self, kind: str, owner: str) -> Sequence[tuple[str, Entry]]:
        return await self._do("list", kind, self.store.list(kind, owner))  # type: ignore[no-any-return]

    async def delete_all(self, kind: str, owner: str, *, keep: Any = ()) -> int:
        return await self._do("delete_all", kind, self.store.delete_all(kind, owner, keep=keep))  # type: ignore[no-any-return]

    async def purge(self, *, limit: int = 1000) -> int:
        return await self.store.purge(limit=limit)


def stepwise(store: Store) -> Store:
    """Return the store with a point to be stopped at after each of its calls."""

    async def step(_verb: str, _kind: str) -> None:
        await asyncio.sleep(0)

    return Paused(store, after=step)


# ---- what tests ask ----


async def account_of(home: House, email: str) -> Account | None:
    async with home.auth.begin(writes=False) as ctx:
        return await ctx.accounts.by_email(email)


async def rows(home: House, record: type[Record], **where: object) -> list[Any]:
    async with home.auth.begin(writes=False) as ctx:
        return list(await ctx.records(record).find(where=where))


async def mint(home: House, kind: TokenKind, email: str) -> str:
    async with home.auth.begin() as ctx:
        account = await ctx.accounts.by_email(email)
        assert account
        return await ctx.tokens.mint(kind, account)


async def sessions_of(home: House, handle: Handle) -> list[str]:
    return [session.public_id for session in await home.auth.plan.sessions("").list(handle)]


async def is_signed_in(site: Site) -> bool:
    """Say whether the store still knows the browser's session."""
    secret = site.cookie
    return bool(secret and (await site.auth.plan.sessions("").find(secret, "cookie", may_write=lambda: False)).session)


async def has_password(home: House, account: Account, password: str) -> bool:
    async with home.auth.begin(writes=False) as ctx:
        try:
            await verify_current(ctx, account, password, field="x")
        except Exception:  # noqa: BLE001  any refusal is a no
            return False
        return True


async def heard(home: House, event: type[Event] | str) -> list[Any]:
    return await rows(home, Heard, event=event if isinstance(event, str) else event.__name__)


async def signed_up(home: House, email: str = "ada@example.com", *, client: str = "127.0.0.1") -> Site:
    """Let a program sign up and be signed in by that."""
    site = home.site(accept="application/json", client=client)
    answer = await site.post("/sign-up", email=email, password=PASSWORD)
    assert answer.status == 201, answer.text
    return site


async def signed_in(home: House, email: str = "ada@example.com", *, client: str = "127.0.0.1") -> Site:
    """Let a program sign in."""
    site = home.site(accept="application/json", client=client)
    answer = await site.post("/sign-in", email=email, password=PASSWORD)
    assert answer.status == 200, answer.text
    return site


class Folder:
    """A mailer whose mails outlast the process: a line each, in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def __call__(self, mail: Mail) -> None:
        await asyncio.sleep(0)
        with self._path.open("a") as lines:
            lines.write(f"{mail.id} {mail.to} {mail.kind} {mail.parts.get('url', '-')}\n")
        await asyncio.sleep(0)

    def mails(self) -> list[tuple[str, str, str, str]]:
        if not self._path.exists():
            return []
        return [tuple(line.split(" ", 3)) for line in self._path.read_text().splitlines()]  # type: ignore[misc]
