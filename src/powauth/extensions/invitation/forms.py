"""What is asked for when somebody is invited."""

from collections.abc import Mapping
from typing import Annotated

from powauth.forms import Autocomplete, Email, Form, field_names


class InvitationForm(Form):
    """Whom to invite; without an address there is a link to hand over. What a subclass adds becomes the metadata."""

    email: Annotated[str | None, Email(), Autocomplete("off")] = None


class RevokeForm(Form):
    """Which invitation, at the command line."""

    id: str


def metadata_of(form: InvitationForm) -> Mapping[str, object]:
    """Return the fields that the application added."""
    own = (name for name in field_names(type(form)) if name not in field_names(InvitationForm))
    return {name: getattr(form, name) for name in own}
