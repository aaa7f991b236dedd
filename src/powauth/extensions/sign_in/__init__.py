"""Sign in with an address or a user name and a password; sign out; ask who is signed in."""

from powauth.extension import Extension, Manifest
from powauth.extensions.sign_in import handlers
from powauth.extensions.sign_in.events import Arriving, Leaving
from powauth.extensions.sign_in.forms import ExchangeForm, SignInForm
from powauth.forms import NoForm
from powauth.routing import SIGNED_IN, SIGNED_OUT, FormPage, Get, Post

__all__ = ["EXCHANGE", "NEW", "OUT", "RENEW", "SESSION", "Arriving", "Leaving", "SignIn"]

NEW = FormPage(
    name="new",
    path="/sign-in",
    form=SignInForm,
    show=handlers.arrive,
    submit=handlers.submit,
    requires=SIGNED_OUT,
    is_entrance=True,
    signs_in=True,
    grants_bearer=True,
)
OUT = Post(
    name="out", path="/sign-out", form=NoForm, submit=handlers.leave, in_navigation_as_button=True, while_acting=True
)
SESSION = Get(name="session", path="/session", show=handlers.show_session)
RENEW = Post(
    name="renew", path="/session/renew", form=NoForm, submit=handlers.renew, requires=SIGNED_IN, while_acting=True
)

EXCHANGE = Post(
    name="exchange", path="/session/exchange", form=ExchangeForm, submit=handlers.exchange, grants_bearer=True
)


class SignIn(Extension):
    """Sign in and out."""

    name = "sign_in"

    def manifest(self) -> Manifest:
        """Return what it adds."""
        return Manifest(
            routes=(NEW, OUT, SESSION, RENEW, EXCHANGE),
            messages={
                "new.title": "Sign in",
                "new.submit": "Sign in",
                "out.submit": "Sign out",
                "signed_out": "You are signed out.",
                "session.title": "Your session",
                "renew.submit": "Renew",
                "exchange.submit": "Exchange",
            },
        )
