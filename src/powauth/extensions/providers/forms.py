"""What is asked for where somebody goes to a provider, and where its answer leaves something open."""

from typing import Annotated

from powauth.forms import Email, Form, Hidden, Identifier, Username


class StartForm(Form):
    """Where to go afterwards, and what for: `sign_in`, `connect` or `prove`; empty is what the session makes of it."""

    next: Annotated[str, Hidden()] = ""
    code_challenge: Annotated[str, Hidden()] = ""
    purpose: Annotated[str, Hidden()] = ""


class CompleteForm(Form):
    """What the provider did not say. A subclass adds fields, which fill the application's own columns."""

    email: Annotated[str | None, Email(), Identifier("email")] = None
    username: Annotated[str | None, Username(), Identifier("username")] = None
