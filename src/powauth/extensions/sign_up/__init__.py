"""Sign up with an address or a user name and a password."""

from powauth.context import Context, on
from powauth.events import EmailConfirmed, SignedUp
from powauth.extension import Extension, Link, Manifest
from powauth.extensions import sign_in
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import handlers
from powauth.extensions.sign_up.forms import SignUpForm
from powauth.mail import MailKind
from powauth.routing import SIGNED_OUT, FormPage

__all__ = ["NEW", "WELCOME", "SignUp", "SignUpForm"]

NEW = FormPage(
    name="new",
    path="/sign-up",
    form=SignUpForm,
    submit=handlers.submit,
    requires=SIGNED_OUT,
    signs_in=True,
    grants_bearer=True,
)
WELCOME = MailKind(name="welcome")


async def welcome(event: SignedUp | EmailConfirmed, ctx: Context) -> None:
    """Owe the new account's owner a mail; where an address has to be proved first, then."""
    is_proved_first = NEW in ctx.plan.held
    if event.account.email and is_proved_first == isinstance(event, EmailConfirmed):
        await ctx.send(WELCOME, account=event.account, parts={"name": event.account.label})


class SignUp(Extension):
    """Sign up."""

    form: type[SignUpForm] = SignUpForm
    """What is asked for: a subclass of `SignUpForm` adds fields of the application's own."""
    welcome: bool = True
    """Whether a new account's owner gets a mail."""

    name = "sign_up"
    requires = (SignIn,)

    def manifest(self) -> Manifest:
        """Return what it adds."""
        return Manifest(
            routes=(NEW,),
            hooks=(on(SignedUp, welcome), on(EmailConfirmed, welcome)) if self.welcome else (),
            mails=(WELCOME,),
            links=(
                Link(on=sign_in.NEW, to=NEW, text="to_sign_up"),
                Link(on=NEW, to=sign_in.NEW, text="to_sign_in"),
            ),
            messages={
                "new.title": "Create an account",
                "new.submit": "Create account",
                "to_sign_up": "Create an account",
                "to_sign_in": "I have an account already",
                "welcome.subject": "Welcome to {application}",
                "welcome.body": "Hello,\n\nyour account at {application} is ready. You sign in as {name}.\n\n"
                "If this was not you, please answer this mail.",
            },
        ).with_page(NEW, form=self.form)
