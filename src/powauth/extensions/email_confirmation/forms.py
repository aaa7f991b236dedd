"""What is asked for when a link is to be sent again."""

from typing import Annotated

from powauth.forms import Form, Identifier


class AgainForm(Form):
    """Whose link it is; who is signed in need not say."""

    email: Annotated[str, Identifier("email")] = ""
