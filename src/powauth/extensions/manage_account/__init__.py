"""Manage the account: profile, address, user name, password, close."""

from pathlib import Path

from powauth.answers import account_data
from powauth.context import Context
from powauth.extension import Extension, Manifest
from powauth.extensions.manage_account import handlers
from powauth.extensions.manage_account.events import AccountShown
from powauth.extensions.manage_account.forms import CloseForm, EmailForm, PasswordForm, UsernameForm
from powauth.extensions.sign_in import SignIn
from powauth.forms import Form, NoForm
from powauth.http import Request
from powauth.pages import Outcome, Page, Shown
from powauth.routing import SIGNED_IN, Get, Post

__all__ = ["ACCOUNT", "CLOSE", "EMAIL", "PASSWORD", "PROFILE", "USERNAME", "AccountShown", "ManageAccount"]

PROFILE = Post(
    name="profile",
    path="/account/profile",
    form=Form,
    submit=handlers.set_profile,
    requires=SIGNED_IN,
    while_acting=True,
)
EMAIL = Post(name="email", path="/account/email", form=EmailForm, submit=handlers.set_email, requires=SIGNED_IN)
USERNAME = Post(
    name="username", path="/account/username", form=UsernameForm, submit=handlers.set_username, requires=SIGNED_IN
)
PASSWORD = Post(
    name="password", path="/account/password", form=PasswordForm, submit=handlers.set_password, requires=SIGNED_IN
)
CLOSE = Post(
    name="close",
    path="/account/close",
    form=CloseForm,
    submit=handlers.close,
    requires=SIGNED_IN,
    is_dangerous=True,
)


async def show(request: Request[NoForm], ctx: Context) -> Outcome:  # noqa: ARG001  the shape of a handler
    """Show the account and the forms that change it."""
    account = await ctx.account()
    values: dict[Page, dict[str, object]] = {
        EMAIL: {"email": account.email},
        USERNAME: {"username": account.username},
    }
    profile = ctx[ManageAccount].profile
    if profile is not None:
        values[PROFILE] = dict(await handlers.values(ctx, profile))
    shown = AccountShown(account=account)
    await ctx.emit(shown)
    unasked = () if account.password_hash else ("current_password",)  # a fresh sign-in stands in for it
    return Shown(data={**account_data(account), **shown.data}, values=values, leaves_out=unasked)


ACCOUNT = Get(
    name="account",
    path="/account",
    show=show,
    requires=SIGNED_IN,
    forms=(PROFILE, EMAIL, USERNAME, PASSWORD, CLOSE),
    in_navigation=True,
)


class ManageAccount(Extension):
    """The page where somebody manages their account."""

    profile: type[Form] | None = None
    """The form of the application's own columns; its fields have their names."""

    name = "manage_account"
    requires = (SignIn,)
    templates = Path(__file__).parent / "templates"

    def manifest(self) -> Manifest:
        """Return what it adds."""
        manifest = Manifest(
            routes=(ACCOUNT, PROFILE, EMAIL, USERNAME, PASSWORD, CLOSE),
            messages={
                "account.title": "Your account",
                "about": "About this account",
                "since": "Member since",
                "ways_in": "Other ways to sign in",
                "profile.title": "Profile",
                "profile.submit": "Save profile",
                "profile_changed": "Your profile is saved.",
                "email.title": "Email address",
                "email.intro": "Everything about your account is sent there. Other devices are signed out.",
                "email.submit": "Change address",
                "email_changed": "Your address is changed. Other devices are signed out.",
                "pending": "A change to {email} waits for a look into that mailbox.",
                "pending_open": "Look at it",
                "email_pending": "One more step: please look into the new mailbox.",
                "username.title": "User name",
                "username.submit": "Change user name",
                "username_changed": "Your user name is changed.",
                "password.title": "Password",
                "password.intro": "Other devices are signed out when you change it.",
                "password.submit": "Change password",
                "password_changed": "Your password is changed. Other devices are signed out.",
                "close.title": "Close account",
                "close.intro": "You are signed out everywhere, and your account is erased with all that belongs to it. "
                "If there is a way back, a mail tells it.",
                "close.submit": "Close account",
                "closed": "Your account is closed.",
            },
        )
        if self.profile is None:
            return manifest.without(PROFILE)
        return manifest.with_page(PROFILE, form=self.profile)
