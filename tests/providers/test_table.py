"""The table of providers in the reference says what the code says, and names each page that a test was written from."""

import re
from pathlib import Path
from typing import Any

import pytest

from powauth import providers
from powauth.oauth import OAuth1, OAuth2, OpenIDConnect
from tests.docs.pages import DOCS, rows

PAGE = DOCS / "reference/providers.md"
PROTOCOLS = {OpenIDConnect: "OpenID Connect", OAuth2: "OAuth 2.0", OAuth1: "OAuth 1.0a"}
TESTS = {"StripeConnect": "stripe", "Twitter": "x"}


def table() -> dict[str, list[str]]:
    return {row[0].strip("`"): list(row) for row in rows(PAGE, "## Providers by name")[1:]}


def test_every_provider_has_its_row() -> None:
    assert set(table()) == set(providers.__all__)


@pytest.mark.parametrize("name", providers.__all__)
def test_a_row_says_protocol_scopes_and_witness(name: str) -> None:
    kind: Any = getattr(providers, name)
    row = table()[name]
    assert row[1] == next((word for base, word in PROTOCOLS.items() if issubclass(kind, base)), "its own")
    field = kind.__dataclass_fields__.get("scopes")
    scopes = (*getattr(kind, "base_scopes", ()), *(field.default if field else ()))
    assert row[2] == " ".join(f"`{scope}`" for scope in scopes)
    if row[4] == "emulate":
        assert "import Apple, Entra, GitHub, Google, Okta" in (Path(__file__).parent / "test_emulated.py").read_text()
        return
    file = Path(__file__).parent / f"test_{TESTS.get(name, name.lower())}.py"
    head = file.read_text().split('"""')[1]
    urls = re.findall(r"\((https://[^)]+)\)", row[4])
    assert all(url in head for url in urls)
    assert bool(urls) is ("Unverified" not in head)
    assert "2026-11-24" in head
    assert row[4] == "unverified" or "2026-11-24" in row[4]
