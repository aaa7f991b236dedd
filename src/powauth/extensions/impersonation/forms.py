"""Whom somebody wants to act as, and why."""

from typing import Annotated

from powauth.forms import Form, Hidden, Identifier
from powauth.records import Text


class ActForm(Form):
    """An account, and the reason."""

    email: Annotated[str, Identifier("email")] = ""
    username: Annotated[str, Identifier("username")] = ""
    reason: Annotated[str, Text(max=500)]
    next: Annotated[str, Hidden()] = ""
