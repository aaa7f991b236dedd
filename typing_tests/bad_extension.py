"""Mistakes of whoever writes an extension."""

from datetime import timedelta
from typing import Annotated

from powauth import (
    SIGNED_IN,
    Account,
    AccountId,
    Context,
    Detour,
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
    Post,
    Proof,
    Proved,
    Record,
    Request,
    Resumed,
    Shown,
    SignedUp,
    SigningIn,
    TokenKind,
    on,
    sign_out,
)
from powauth.extensions import sign_in
from powauth.extensions.sign_up import SignUp


class Name(Form):
    """One form."""

    name: str


class Age(Form):
    """Another form."""

    age: int


class Visit(Record, table="visits"):
    """A table."""

    id: Annotated[str, Key()]


class Other(Record, table="others"):
    """Another table."""

    id: Annotated[str, Key()]


# ---- forms and handlers ----


async def submit(request: Request[Name], ctx: Context) -> Outcome:
    """Read the form."""
    print(request.form.age)  # expect-error: a field of another form
    return Shown()


async def look(request: Request[NoForm], ctx: Context) -> Outcome:
    """Show something."""
    return Shown()


async def talk(request: Request[Name], ctx: Context) -> str:
    """Answer with what is no outcome."""
    return request.form.name


def hurry(request: Request[Name], ctx: Context) -> Outcome:
    """Answer without being awaited."""
    return Shown()


GOOD = FormPage(name="good", path="/good", form=Name, submit=submit)
FormPage(name="page", path="/page", form=Age, submit=submit)  # expect-error: the form of another handler
Post(name="page", path="/page", form=NoForm, submit=submit)  # expect-error: the form of another handler
FormPage(name="page", path="/page", form=Name, submit=talk)  # expect-error: a handler returns an outcome
FormPage(name="page", path="/page", form=Name, submit=hurry)  # expect-error: a handler is async
FormPage(name="page", path="/page", form=Name, submit=submit, show=submit)  # expect-error: GET brings no form
FormPage(name="page", path="/page", submit=submit)  # expect-error: without a form
FormPage(name="page", path="/page", form=Name("Ada"), submit=submit)  # expect-error: a form, not its class
Get(name="look", path="/look")  # expect-error: nothing to show
Get(name="look", path="/look", show=look, requires="signed in")  # expect-error: a word for a requirement
Get(name="look", path="/look", show=look, require=SIGNED_IN)  # expect-error: misspelt


def extras(request: Request[Name]) -> Age:
    """Read what an extension added."""
    return request.extra(Name)  # expect-error: another form than was asked for


def no_form(request: Request[Name]) -> None:
    """Read what is no form."""
    request.extra(Visit)  # expect-error: a record is no form


Name()  # expect-error: a field without a default
Name(name="Ada", age=36)  # expect-error: no such field


# ---- hooks ----


async def on_sign_up(event: SignedUp, ctx: Context) -> None:
    """Hear of a new account."""
    print(event.proofs)  # expect-error: of another event


async def word(event: SigningIn, ctx: Context) -> str:
    """Answer with what is no detour."""
    return "code"


on(SigningIn, on_sign_up)  # expect-error: it listens to another event
on(SigningIn, word)  # expect-error: it may return a detour or nothing
on("signing_in", word)  # expect-error: events are types
Detour("code")  # expect-error: pages are values, not names


# ---- manifests and settings ----


class Visits(Extension):
    """An extension."""

    place: str
    lifetime: timedelta = timedelta(hours=1)

    name = "visits"

    def manifest(self) -> Manifest:
        """Return what it adds."""
        return Manifest(hooks=(on(SignedUp, on_sign_up),))


Visits()  # expect-error: a setting without a default
Visits(place="here", lifetime="1 hour")  # expect-error: a timedelta belongs there
Visits("here")  # expect-error: settings are named
SignUp(welcom=False)  # expect-error: misspelt
SignUp(form=Name)  # expect-error: no sign-up form
Visits(place="here").place = "there"  # expect-error: frozen
Manifest(pages=(GOOD,))  # expect-error: they are called routes
Manifest(routes=[GOOD])  # expect-error: a manifest is not changed any more
Manifest(records=(Name,))  # expect-error: a form is no record
Link(on="sign_in.new", to=GOOD, text="to_good")  # expect-error: pages are values, not names
Fields(on=sign_in.NEW, form=Visit)  # expect-error: a record is no form
MailKind("link", token=timedelta(hours=1))  # expect-error: a kind of token belongs there
TokenKind("link", 3600)  # expect-error: a timedelta belongs there
TokenKind("link", timedelta(hours=1), survives=("passwords",))  # expect-error: misspelt


# ---- operations ----


async def mixed_up(ctx: Context, account: Account, proof: Proof) -> Outcome:
    """Take one thing for another."""
    Proved(account=proof, proof=proof)  # expect-error: a proof is no account
    Proved(account=account, proof=account)  # expect-error: an account is no proof
    Resumed(proof=account)  # expect-error: an account is no proof
    Resumed(proof=True)  # expect-error: nobody says that something was proved
    Proof(account.id, account.epoch, "code", ctx.now)  # expect-error: an id is no handle
    await ctx.accounts.get(account.handle)  # expect-error: a handle is no id
    await ctx.accounts.by_handle(account.id)  # expect-error: an id is no handle
    await ctx.accounts.by_handle("abc")  # expect-error: any text is no handle
    await ctx.lock(AccountId("1"))  # expect-error: an id is no handle
    await ctx.records(Visit).add(Other(id="1"))  # expect-error: a row of another table
    await ctx.tokens.take("visit", "secret")  # expect-error: kinds are values, not names
    await ctx.limit("visits", timedelta(minutes=1))  # expect-error: a limit belongs there
    print(ctx[Visits].lifetimes)  # expect-error: misspelt
    print(ctx[SignUp].place)  # expect-error: a setting of another extension
    account.epoch = 2  # expect-error: frozen
    return account  # expect-error: no outcome


async def not_awaited(ctx: Context, account: Account, handle: Handle) -> None:
    """Forget to wait."""
    sign_out(ctx)  # expect-error: not awaited
    ctx.lock(handle)  # expect-error: not awaited
    ctx.tokens.revoke(account)  # expect-error: not awaited
    ctx.emit(SignedUp(account=account))  # expect-error: not awaited
    ctx.records(Visit).delete_all(where={})  # expect-error: not awaited
