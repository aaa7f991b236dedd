"""What is asked for."""

from typing import Annotated

from examples.terms_of_service.settings import LONGEST_EDITION
from powauth import Form, Hidden, MustBeTicked, Text


class SignUpFields(Form):
    """The box on the sign-up page."""

    accept_terms: Annotated[bool, MustBeTicked()]


class AcceptForm(Form):
    """The box on the page of the terms, and the edition that was read there."""

    accept_terms: Annotated[bool, MustBeTicked()]
    edition: Annotated[str, Text(LONGEST_EDITION), Hidden()] = ""
