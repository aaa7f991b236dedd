"""What an application may set."""

from datetime import timedelta

from powauth import Extension


class TermsSettings(Extension):
    """The settings of `TermsOfService`, for whoever reads them: `ctx[TermsSettings].edition`."""

    edition: str
    """Which edition is in force, such as `2026-01`. Everybody has to accept a new one, at their next sign-in."""
    text: str = ""
    """The terms themselves, shown on their page."""
    url: str = ""
    """Or where they are, on a page of the application's own."""
    asks_at_sign_up: bool = True
    """Whether the sign-up page has a box that must be ticked; then nobody is asked again at once."""
    receipt_lifetime: timedelta = timedelta(days=7)
    """How long the link in the receipt works."""

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with its settings, a sentence each."""
        found: list[str] = []
        if not 1 <= len(self.edition) <= LONGEST_EDITION:
            found.append(f"edition: name it with 1 to {LONGEST_EDITION} characters, such as 2026-01")
        if bool(self.text) == bool(self.url):
            found.append("give the terms as text or as url, one of the two")
        if self.receipt_lifetime <= timedelta(0):
            found.append("receipt_lifetime must be longer than nothing")
        return tuple(found)


LONGEST_EDITION = 64
"""Characters: what the column takes."""
