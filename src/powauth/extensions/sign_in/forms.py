"""What is asked for at sign-in."""

from typing import Annotated

from powauth.forms import Choice, Form, Hidden, Identifier, Password


class SignInForm(Form):
    """An identifier and a password. Nothing is required: what is missing is as wrong as what is wrong (S9)."""

    email: Annotated[str, Identifier("email")] = ""
    username: Annotated[str, Identifier("username")] = ""
    password: Annotated[str, Password()] = ""
    next: Annotated[str, Hidden()] = ""
    transport: Annotated[str, Choice("cookie", "bearer"), Hidden()] = "cookie"
    code_challenge: Annotated[str, Hidden()] = ""


class ExchangeForm(Form):
    """The single-use code that a flow in a browser ended with, and what proves who began it (RFC 7636 §4.5)."""

    code: Annotated[str, Hidden()] = ""
    verifier: Annotated[str, Hidden()] = ""
