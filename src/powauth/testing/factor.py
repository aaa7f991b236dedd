"""A second factor for tests alone: a fixed code. It shows gates, detours and step-up without a real factor."""

from typing import Annotated

from powauth.context import Context, on
from powauth.errors import FieldError, InvalidForm
from powauth.events import SigningIn
from powauth.extension import Extension, Manifest
from powauth.extensions.sign_in import SignIn
from powauth.forms import Form
from powauth.http import Request
from powauth.pages import Detour, Outcome, Resumed
from powauth.records import Text
from powauth.routing import PARKED, FormPage
from powauth.session import Proof

FACTOR = "test_code"


class CodeForm(Form):
    """The code."""

    code: Annotated[str, Text(max=20)]


async def submit(request: Request[CodeForm], ctx: Context) -> Outcome:
    """Check the code of the account whose sign-in is parked."""
    if request.form.code != ctx[CodeFactor].code:
        raise InvalidForm({"code": [FieldError("not_a_choice")]})
    pending = ctx.pending
    return Resumed(proof=Proof(pending.handle, pending.epoch, FACTOR, ctx.now))


CODE = FormPage(name="code", path="/test-code", form=CodeForm, submit=submit, requires=PARKED)


async def ask(event: SigningIn, ctx: Context) -> Detour | None:
    """Ask everybody for the code, except who has shown it."""
    return None if FACTOR in event.factors() or not ctx[CodeFactor].is_asked(event.account.email) else Detour(CODE)


class CodeFactor(Extension):
    """A fixed code as second factor, for tests."""

    code: str = "123456"
    asks: tuple[str, ...] | None = None
    """The addresses that are enrolled; everybody if nothing is given."""

    name = "test_factor"
    requires = (SignIn,)

    def is_asked(self, email: str | None) -> bool:
        """Say whether an account is enrolled."""
        return self.asks is None or email in self.asks

    def manifest(self) -> Manifest:
        """Return what it adds."""
        return Manifest(
            routes=(CODE,),
            hooks=(on(SigningIn, ask),),
            messages={"code.title": "One more step", "code.submit": "Continue", "field.code": "Code"},
        )
