"""Prove again: what a page asks when the last proof is too old; then back to the page."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from powauth.context import Context
from powauth.errors import ActionRequired, ConfigurationError
from powauth.extension import Extension, Manifest
from powauth.extensions.sign_in import SignIn
from powauth.forms import Form, Hidden, NoForm, Password
from powauth.http import Request
from powauth.operations import verify_current
from powauth.pages import Outcome, Proved, Shown
from powauth.routing import SIGNED_IN, FormPage, Requirement

__all__ = ["PROVE", "Prove", "Recent", "recent"]


class ProveForm(Form):
    """The password once more, and where to go then."""

    password: Annotated[str, Password()]
    next: Annotated[str, Hidden()] = ""


async def show(request: Request[NoForm], ctx: Context) -> Outcome:  # noqa: ARG001  the shape of a handler
    """Ask for the password of whoever has one; extensions offer other ways."""
    account = await ctx.account()
    return Shown(leaves_out=() if account.password_hash else (PROVE,))


async def submit(request: Request[ProveForm], ctx: Context) -> Outcome:
    """Check the password and add a fresh proof to the session, under a new id."""
    account = await ctx.account()
    proof = await verify_current(ctx, account, request.form.password, field="password")
    return Proved(account=account, proof=proof, next=request.form.next, is_step_up=True)


PROVE = FormPage(name="prove", path="/prove", form=ProveForm, show=show, submit=submit, requires=SIGNED_IN)


@dataclass(frozen=True, slots=True)
class Recent(Requirement):
    """A proof that is not older than so long, of these factors if any are named."""

    age: timedelta
    factors: tuple[str, ...] = ()

    async def check(self, ctx: Context) -> None:
        """Raise `ActionRequired` when it is too old: prove again, then come back.

        Raises `OwnerOnly` for whoever acts as the account: the owner proved nothing there, and cannot.
        """
        ctx.owner_only()
        if not ctx.has_page(PROVE):
            msg = "recent() needs the extension prove: add Prove() to extensions"
            raise ConfigurationError(msg)
        proved_at = ctx.session.proved_at(*self.factors)
        if proved_at is None or ctx.now - proved_at > self.age:
            raise ActionRequired("prove.prove", ctx.path(PROVE))

    def problems(self, extensions: Collection[Extension]) -> tuple[str, ...]:
        """Say that the page is missing where people prove again."""
        is_there = any(isinstance(extension, Prove) for extension in extensions)
        return () if is_there else ("recent() needs the extension prove: add Prove() to extensions",)


def recent(age: timedelta, *factors: str) -> Recent:
    """Return the requirement of a recent proof: `require=recent(timedelta(minutes=5))`."""
    return Recent(age, factors)


class Prove(Extension):
    """Ask for a fresh proof where a page wants one."""

    name = "prove"
    requires = (SignIn,)
    templates = Path(__file__).parent / "templates"

    def manifest(self) -> Manifest:
        """Return what it adds."""
        return Manifest(
            routes=(PROVE,),
            messages={
                "prove.title": "Confirm that it is you",
                "prove.intro": "Please show once more that it is you.",
                "no_way": "There is nothing here to show it with: please sign out, and in again.",
                "prove.submit": "Confirm",
            },
        )
