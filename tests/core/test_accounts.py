"""Addresses and user names: which spellings are one, and which are refused."""

import pytest

from powauth.accounts import InvalidEmail, InvalidUsername, email_key, parse_email, parse_username, username_key


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" Ada@Example.COM ", "Ada@example.com"),
        ("ada@bücher.example.com", "ada@xn--bcher-kva.example.com"),
        ("a\u0308da@example.com", "\u00e4da@example.com"),
    ],
)
def test_an_address_is_stored_as_typed_but_for_its_domain_and_its_form(typed: str, stored: str) -> None:
    assert parse_email(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ada",
        "ada@",
        "@example.com",
        "ada@example.com, eve@example.com",
        "ada@example.com\nBcc: eve@example.com",
        '"ada lovelace"@example.com',
        "Ada <ada@example.com>",
        "ada@[127.0.0.1]",
        "ada@exa mple.com",
        "a\0da@example.com",
        "ada\uff20example.com",
        "ada@example.com\uff20evil.example",
        "eve\uff1a@example.com",
        "ada@" + "a" * 250 + ".com",
        "\ud800@example.com",
    ],
)
def test_what_is_not_one_mailbox_is_refused(typed: str) -> None:
    """S53."""
    with pytest.raises(InvalidEmail):
        parse_email(typed)


def test_two_spellings_of_one_mailbox_share_a_key() -> None:
    assert email_key("ADA@example.com") == email_key("ada@Example.com")
    assert email_key("\ufb01@example.com") == email_key("fi@example.com")
    assert email_key("\u00e9@example.com") != email_key("e@example.com")


@pytest.mark.parametrize(
    "typed", ["", "   ", "a b", "ada@example", "ada\uff20x", "a" * 65, "a\0", "a\tb", "\ufdfa" * 60]
)
def test_what_is_no_user_name_is_refused(typed: str) -> None:
    with pytest.raises(InvalidUsername):
        parse_username(typed)


def test_a_user_name_keeps_its_spelling_and_is_found_by_any() -> None:
    assert parse_username(" Ada ") == "Ada"
    assert username_key("ADA") == username_key("ada")
