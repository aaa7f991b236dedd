"""What is asked for where an account is managed."""

from typing import Annotated

from powauth.forms import Email, Form, Identifier, Password, Username


class EmailForm(Form):
    """A new address, and who sets it."""

    email: Annotated[str, Email()]
    current_password: Annotated[str, Password()] = ""


class UsernameForm(Form):
    """A new user name, and who sets it."""

    username: Annotated[str, Username(), Identifier("username")] = ""
    current_password: Annotated[str, Password()] = ""


class PasswordForm(Form):
    """A new password, and who sets it."""

    current_password: Annotated[str, Password()] = ""
    new_password: Annotated[str, Password(new=True)]


class CloseForm(Form):
    """Who closes the account."""

    current_password: Annotated[str, Password()] = ""
