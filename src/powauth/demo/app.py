"""The application: its users, its `Auth`, and its own pages."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from powauth import Account, Auth, Autocomplete, Clock, Context, Form, NewAccount, Store, SystemClock, Text, sign_up
from powauth.demo.mailbox import Mailbox, mailbox_pages
from powauth.demo.models import User
from powauth.demo.pages import ADA, ADA_PASSWORD, ADMIN, ADMIN_PASSWORD, own_pages
from powauth.demo.provider import PREFIX, client_of, provider_app
from powauth.demo.theme import APPLICATION, Theme, make_templates
from powauth.extensions.audit import Audit
from powauth.extensions.email_confirmation import EmailConfirmation
from powauth.extensions.impersonation import Impersonation
from powauth.extensions.invitation import Invitation
from powauth.extensions.lock import Lock
from powauth.extensions.manage_account import ManageAccount
from powauth.extensions.prove import Prove
from powauth.extensions.providers import CompleteForm, Providers
from powauth.extensions.remember_me import RememberMe
from powauth.extensions.reopen import Reopen
from powauth.extensions.reset_password import ResetPassword
from powauth.extensions.roles import Roles, grant
from powauth.extensions.security_mails import SecurityMails
from powauth.extensions.session_list import SessionList
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.extensions.sign_up.forms import SignUpForm
from powauth.fastapi import install
from powauth.operations import Authentic
from powauth.sqlalchemy import SQLAlchemyDatabase

MESSAGES = {
    "field.name": "Your name",
    "field.newsletter": "Send me the newsletter",
    "manage_account.close.intro": "You are signed out everywhere. For two weeks a mail opens the account again; then "
    "it is erased with all that belongs to it.",
    "manage_account.closed": "Your account is closed. A mail says how you open it again.",
    "theme.navigation": "Pages",
    "providers.sign_in_with": "Continue with the demo’s own provider",
    "providers.prove_with": "Confirm with the demo’s own provider",
    "providers.connect_with": "Connect the demo’s own provider",
    "providers.disconnect_from": "Disconnect the demo’s own provider",
    "demo.start": "Start",
    "demo.you": "You",
    "demo.vault": "Vault",
    "demo.mailbox": "Mailbox",
    "demo.people": "People",
    "demo.api": "API",
}


class MySignUp(SignUpForm):
    """The sign-up form, and two columns of this application's own."""

    name: Annotated[str, Text(max=80), Autocomplete("name")]
    newsletter: bool = False


class MyComplete(CompleteForm):
    """What is asked for where a provider leaves it open: the name is a column that has to be there."""

    name: Annotated[str, Text(max=80), Autocomplete("name")]


class Profile(Form):
    """What people may change about themselves: columns of this application's own."""

    name: Annotated[str, Text(max=80), Autocomplete("name")]
    newsletter: bool = False


def is_proved(ctx: Context, account: Account) -> bool:  # noqa: ARG001  whoever decides by more asks the context
    """Say whether somebody may invite others here: whoever proved an address."""
    return account.is_confirmed


def create_app(
    *,
    secret: str,
    base_url: str,
    database_url: str | URL,
    store: Store | None = None,
    clock: Clock | None = None,
) -> FastAPI:
    """Return the demo. `base_url` is where its sign-in pages are, such as `http://127.0.0.1:8000/auth`."""
    engine = create_async_engine(database_url)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    database = SQLAlchemyDatabase(sessions, User)
    templates = make_templates()
    clock = clock or SystemClock()
    provider = client_of(base_url)
    providers = [provider.as_provider()] if provider else []
    names = [each.name for each in providers]
    auth = Auth(
        secret=secret,
        database=database,
        store=store,
        base_url=base_url,
        application=APPLICATION,
        mailer=Mailbox(sessions),
        templates=templates,
        messages=MESSAGES,
        locale=Path(__file__).parent / "locale",
        clock=clock,
        extensions=[
            SignUp(form=MySignUp),
            SignIn(),
            ManageAccount(profile=Profile),
            SessionList(),
            Prove(),
            RememberMe(),
            ResetPassword(),
            EmailConfirmation(),
            Lock(),
            SecurityMails(),
            Reopen(),
            Audit(),
            Roles(),
            Impersonation(tells_owner=True),
            Invitation(may_invite=is_proved),
            Providers(
                providers=providers,
                profile={"name": "name"},
                form=MyComplete,
                signs_in_silently=names,
                signs_out_at=names,
            ),
        ],
    )

    async def get_db() -> AsyncGenerator[AsyncSession]:
        async with sessions() as db:
            yield db

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        await database.create_tables()
        await seed(auth)
        yield
        await engine.dispose()

    app = FastAPI(title=APPLICATION, lifespan=lifespan)
    theme = Theme(auth, templates)
    app.include_router(own_pages(auth, theme, get_db, has_provider=provider is not None))
    app.include_router(mailbox_pages(auth, theme, get_db))
    if provider:
        app.mount(PREFIX, provider_app(provider, theme, clock))
    install(app, auth)
    return app


async def seed(auth: Auth[User]) -> None:
    """Make the accounts of two prepared people, one of them an administrator."""
    await auth.open()  # a role replaces what opens sessions, so the store is asked
    try:
        await _make(auth, ADA, "Ada Lovelace", ADA_PASSWORD)
        await _make(auth, ADMIN, "Mary Somerville", ADMIN_PASSWORD, "admin")
    finally:
        await auth.close()


async def _make(auth: Auth[User], email: str, name: str, password: str, *roles: str) -> None:
    async with auth.begin() as ctx:
        if await ctx.accounts.by_email(email) is None:
            new = NewAccount(email=email, values={"name": name, "newsletter": True}, confirmed_at=ctx.now)
            made = await sign_up(ctx, new, password)
            if isinstance(made, Authentic):
                for role in roles:
                    await grant(ctx, made.account, role)
