"""The link in the receipt."""

from datetime import timedelta

from powauth import TokenKind


def receipt(lifetime: timedelta) -> TokenKind:
    """Return the kind of the link. It proves nothing, so it may outlive a change of password."""
    return TokenKind("terms_receipt", lifetime, survives=("password", "factor"))
