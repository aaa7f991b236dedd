"""What is asked for at sign-up."""

from typing import Annotated

from powauth.forms import Choice, Email, Form, Hidden, Identifier, Password, Username


class SignUpForm(Form):
    """Identifiers and a password. A subclass adds fields, which fill the application's own columns of those names."""

    email: Annotated[str | None, Email(), Identifier("email")] = None
    username: Annotated[str | None, Username(), Identifier("username")] = None
    password: Annotated[str, Password(new=True)]
    next: Annotated[str, Hidden()] = ""
    transport: Annotated[str, Choice("cookie", "bearer"), Hidden()] = "cookie"
    code_challenge: Annotated[str, Hidden()] = ""
