"""Terms of service: to be accepted, and again when they change, before a sign-in may finish."""

from pathlib import Path

from examples.terms_of_service import handlers, operations, tokens
from examples.terms_of_service.events import ReceiptConfirmed, TermsAccepted
from examples.terms_of_service.forms import AcceptForm, SignUpFields
from examples.terms_of_service.records import Acceptance
from examples.terms_of_service.settings import TermsSettings
from powauth import (
    Context,
    Detour,
    Fields,
    FormPage,
    Get,
    Link,
    MailKind,
    Manifest,
    NoForm,
    Outcome,
    Parked,
    Post,
    Request,
    Shown,
    SignedUp,
    SigningIn,
    on,
)
from powauth.extensions import sign_in, sign_up
from powauth.extensions.sign_in import SignIn

__all__ = ["Acceptance", "ReceiptConfirmed", "TermsAccepted", "TermsOfService"]

ASKED = Parked("terms_of_service.ask")


async def ask(request: Request[NoForm], ctx: Context) -> Outcome:
    """Show the terms to somebody whose sign-in waits for them."""
    return Shown(data=handlers.terms(ctx), values={ACCEPT: {"edition": ctx[TermsOfService].edition}})


TERMS = Get(name="terms", path="/terms", show=handlers.read)
ACCEPT = Post(name="accept", path="/terms/accept", form=AcceptForm, submit=handlers.accept, requires=ASKED)
DECLINE = Post(name="decline", path="/terms/decline", form=NoForm, submit=handlers.decline, requires=ASKED)
ASK = Get(name="ask", path="/terms/accept", show=ask, requires=ASKED, forms=(ACCEPT, DECLINE))
RECEIPT = FormPage(
    name="receipt",
    path="/terms/receipt/{token}",
    form=NoForm,
    show=handlers.show_receipt,
    submit=handlers.confirm,
)


async def keep_tick(event: SignedUp, ctx: Context) -> None:
    """Keep what somebody ticked as they signed up, with the account, in one transaction."""
    if SignUpFields in event.extras:  # an invitation, or a hand at the command line, asks nothing
        await operations.accept(ctx, event.account)


async def stop(event: SigningIn, ctx: Context) -> Detour | None:
    """Ask everybody who has not accepted the edition in force."""
    return None if await operations.has_accepted(ctx, event.account) else Detour(ASK)


async def mail_receipt(event: TermsAccepted, ctx: Context) -> None:
    """Owe the receipt; an account without an address gets none."""
    if event.account.email:
        kind = receipt_mail(ctx[TermsOfService])
        await ctx.send(kind, account=event.account, parts={"edition": event.acceptance.edition})


def receipt_mail(settings: TermsSettings) -> MailKind:
    """Return the kind of the receipt."""
    return MailKind("receipt", page=RECEIPT, token=tokens.receipt(settings.receipt_lifetime))


class TermsOfService(TermsSettings):
    """Terms that have to be accepted."""

    name = "terms_of_service"
    requires = (SignIn,)
    templates = Path(__file__).parent / "templates"

    def manifest(self) -> Manifest:
        """Return what it adds."""
        return Manifest(
            routes=(TERMS, ASK, ACCEPT, DECLINE, RECEIPT),
            tokens=(tokens.receipt(self.receipt_lifetime),),
            hooks=(on(SignedUp, keep_tick), on(SigningIn, stop), on(TermsAccepted, mail_receipt)),
            records=(Acceptance,),
            fields=(Fields(on=sign_up.NEW, form=SignUpFields),) if self.asks_at_sign_up else (),
            links=(
                Link(on=sign_in.NEW, to=TERMS, text="to_terms"),
                Link(on=sign_up.NEW, to=TERMS, text="to_terms"),
            ),
            mails=(receipt_mail(self),),
            messages={
                "to_terms": "Terms of service",
                "field.accept_terms": "I accept the terms of service",
                "terms.title": "Terms of service",
                "edition": "Edition {edition}",
                "elsewhere": "Read the terms of service",
                "ask.title": "Please read our terms",
                "ask.intro": "They are new, or changed since you accepted them. Accept them to go on.",
                "accept.submit": "Accept and go on",
                "decline.submit": "Not now",
                "declined": "You are not signed in. Your account stays as it is.",
                "changed": "The terms changed while you read them. Please read them again.",
                "receipt.title": "You accepted edition {edition}",
                "receipt.intro": "Please confirm that this receipt reached you.",
                "receipt.submit": "It reached me",
                "received": "Thank you. Your receipt is confirmed.",
                "receipt.subject": "You accepted the terms of {application}",
                "receipt.body": "Hello,\n\nyou accepted edition {edition} of the terms of service of {application}.\n\n"
                "Please confirm that this receipt reached you.",
                "receipt.button": "It reached me",
            },
        )
