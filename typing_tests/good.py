"""What both checkers accept: an application and an extension as they are meant to be written."""

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from typing import Annotated, assert_type
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from starlette.requests import Request as WebRequest
from starlette.websockets import WebSocket

from powauth import (
    PARKED,
    SIGNED_IN,
    Account,
    AccountId,
    Auth,
    Context,
    Detour,
    Done,
    Extension,
    Fields,
    Form,
    FormPage,
    Get,
    Handle,
    Key,
    Link,
    MailKind,
    Manifest,
    NoForm,
    Outcome,
    Owner,
    Password,
    Proof,
    Proved,
    Record,
    Request,
    Resumed,
    Session,
    Shown,
    SignedUp,
    SigningIn,
    Text,
    Token,
    TokenKind,
    authenticate,
    on,
    sign_out,
)
from powauth.extensions import sign_in
from powauth.extensions.prove import Prove, recent
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp, SignUpForm
from powauth.fastapi import current_account, current_session, current_socket, current_user, install
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase
from powauth.starlette import current_user as starlette_user

# ---- an extension ----


class VisitForm(Form):
    """A form with a default, a mark and an optional field."""

    reason: Annotated[str, Text(max=80)]
    often: int = 1
    password: Annotated[str | None, Password()] = None


class Tick(Form):
    """Fields for somebody else's page."""

    quietly: bool = False


class Visit(Record, table="visits"):
    """A table."""

    id: Annotated[str, Key()]
    account: Annotated[Handle, Owner()]
    at: datetime


LINK = TokenKind("visit", timedelta(hours=1), proves="mailbox")


async def submit(request: Request[VisitForm], ctx: Context) -> Outcome:
    """Read what is typed."""
    assert_type(request.form, VisitForm)
    assert_type(request.form.reason, str)
    assert_type(request.form.password, str | None)
    assert_type(request.extra(Tick), Tick)
    account = await ctx.account()
    visits = ctx.records(Visit)
    visit = await visits.add(Visit(id="1", account=account.handle, at=ctx.now))
    assert_type(visit, Visit)
    assert_type(await visits.get("1"), Visit | None)
    assert_type(ctx[Visits].lifetime, timedelta)
    await ctx.send(MAIL, account=account, parts={"reason": request.form.reason})
    return Done(to=PAGE, notice="kept")


async def take(request: Request[NoForm], ctx: Context) -> Outcome:
    """Use a link up."""
    token = await ctx.tokens.take(LINK, request.params["token"])
    assert_type(token, Token)
    assert_type(token.account, Account)
    proof = Proof(token.account.handle, token.account.epoch, "mailbox", ctx.now)
    return Proved(account=token.account, proof=proof)


async def show(request: Request[NoForm], ctx: Context) -> Outcome:
    """Show something."""
    return Shown(data={"account": (await ctx.account()).label}, values={PAGE: {"reason": request.client}})


async def resume(request: Request[NoForm], ctx: Context) -> Outcome:
    """Let a parked sign-in go on."""
    assert_type(ctx.pending.handle, Handle)
    return Resumed()


async def greet(event: SignedUp, ctx: Context) -> None:
    """Hear of a new account."""
    assert_type(event.account, Account)
    assert_type(event.account.id, AccountId)


async def stop(event: SigningIn, ctx: Context) -> Detour | None:
    """Ask for one more step."""
    return None if "mailbox" in event.factors() else Detour(STEP)


PAGE = FormPage(name="page", path="/visit", form=VisitForm, submit=submit, requires=SIGNED_IN)
LOOK = Get(name="look", path="/visits", show=show, requires=recent(timedelta(minutes=5)))
TAKE = FormPage(name="take", path="/visit/{token}", form=NoForm, submit=take)
STEP = FormPage(name="step", path="/step", form=NoForm, submit=resume, requires=PARKED)
MAIL = MailKind("link", page=TAKE, token=LINK)


class Visits(Extension):
    """An extension with a required setting and one with a default."""

    place: str
    lifetime: timedelta = timedelta(hours=1)

    name = "visits"
    requires = (SignIn,)

    def manifest(self) -> Manifest:
        """Return what it adds."""
        return Manifest(
            routes=(PAGE, LOOK, TAKE, STEP),
            tokens=(LINK,),
            hooks=(on(SignedUp, greet), on(SigningIn, stop)),
            records=(Visit,),
            fields=(Fields(on=sign_in.NEW, form=Tick),),
            links=(Link(on=sign_in.NEW, to=PAGE, text="to_visit"),),
            messages={"to_visit": "Visit"},
            mails=(MAIL,),
        )


class QuietVisits(Visits):
    """The same, changed as an application changes it."""

    def manifest(self) -> Manifest:
        """Return less, and one page elsewhere."""
        return super().manifest().without(LOOK).with_page(PAGE, path="/come")


# ---- an application ----


class Base(DeclarativeBase):
    """The application's own tables."""


class User(AccountColumns, Base):
    """The application's own user."""

    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str | None]


class MySignUp(SignUpForm):
    """A field of the application's own."""

    name: Annotated[str, Text(max=80)]


sessions = async_sessionmaker(create_async_engine("sqlite+aiosqlite://"))
auth = Auth(
    secret="…",
    database=SQLAlchemyDatabase(sessions, User),
    base_url="https://example.com/auth",
    extensions=[SignUp(form=MySignUp), SignIn(), Prove(), QuietVisits(place="here")],
)
assert_type(auth, Auth[User])


async def get_db() -> AsyncGenerator[AsyncSession]:
    """Give the application's own database session."""
    async with sessions() as db:
        yield db


app = FastAPI()
install(app, auth)

CurrentUser = Annotated[User, Depends(current_user(auth, db=get_db))]
CurrentAccount = Annotated[Account, Depends(current_account(auth, require=recent(timedelta(minutes=5))))]
MaybeSession = Annotated[Session | None, Depends(current_session(auth, optional=True))]


@app.get("/me")
async def me(user: CurrentUser, account: CurrentAccount, session: MaybeSession) -> str | None:
    """Use what the dependencies give."""
    return user.name or account.email or (session.device if session else None)


async def by_hand(request: WebRequest, db: AsyncSession) -> None:
    """Ask without a framework's dependencies."""
    assert_type(await starlette_user(auth)(request, db), User)
    assert_type(await starlette_user(auth, optional=True)(request, db), User | None)
    assert_type(await current_session(auth)(request), Session)
    assert_type(await current_account(auth, optional=True)(request), Account | None)


async def feed(socket: WebSocket) -> None:
    """Open a socket."""
    async with current_socket(auth).open(socket) as session:
        assert_type(session, Session)


async def script() -> None:
    """Work without a request."""
    async with auth.begin() as ctx:
        found = await authenticate(ctx, "ada@example.com", "four quiet green owls")
        assert_type(found.account, Account)
        assert_type(found.proof, Proof)
        assert_type(await ctx.accounts.by_handle(found.account.handle), Account | None)
        await sign_out(ctx)
