"""What is asked for when a password is reset."""

from typing import Annotated

from powauth.forms import Form, Identifier, Password


class RequestForm(Form):
    """Whose password it is."""

    email: Annotated[str, Identifier("email")] = ""
    username: Annotated[str, Identifier("username")] = ""


class ResetForm(Form):
    """The new password."""

    password: Annotated[str, Password(new=True)]
