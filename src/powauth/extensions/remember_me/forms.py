"""What is added to every page that signs in."""

from powauth.forms import Form


class RememberForm(Form):
    """A box, not ticked."""

    remember: bool = False
