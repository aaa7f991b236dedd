"""What may go wrong is documented, and what is documented may go wrong."""

from collections.abc import Iterator

from powauth.oauth import ProviderError, Reason
from tests.docs.pages import DOCS, named, rows

PAGE = DOCS / "reference/providers.md"


def below(kind: type[ProviderError]) -> Iterator[type[ProviderError]]:
    for each in kind.__subclasses__():
        yield each
        yield from below(each)


def test_every_error_is_documented_with_its_code() -> None:
    documented = {(row[0], row[1]) for row in rows(PAGE, "## Errors")[1:]}
    assert documented == {(f"`{kind.code}`", f"`{kind.__name__}`") for kind in below(ProviderError)}


def test_every_reason_is_documented() -> None:
    assert named(PAGE, "## Reasons") == {reason.value for reason in Reason}
