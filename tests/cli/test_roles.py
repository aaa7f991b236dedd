"""`powauth roles`: the first administrator is made at a terminal."""

from collections.abc import Callable

from tests.cli.shop import ADA, Shop

ROLES = {"more": "from powauth.extensions.roles import Roles", "extensions": "(SignUp(), SignIn(), Roles())"}


def test_somebody_is_made_an_administrator_listed_and_made_none_again(make_shop: Callable[..., Shop]) -> None:
    """S65."""
    shop = make_shop(**ROLES)
    shop.create()
    assert shop.data("roles", "grant", "--account", ADA, "--role", "admin") == {
        "account": ADA,
        "role": "admin",
        "granted": True,
    }
    assert shop.data("roles", "grant", "--account", ADA, "--role", "admin")["granted"] is False
    (row,) = shop.data("roles", "list")
    assert (row["account"], row["role"], row["granted_by"]) == (ADA, "admin", None)
    refused = shop.run("roles", "revoke", "--account", ADA, "--role", "admin")
    assert refused.exit_code != 0
    assert "say --may-be-last" in refused.output
    assert shop.data("roles", "revoke", "--account", ADA, "--role", "admin", "--may-be-last")["revoked"] is True
    assert shop.data("roles", "list") == []


def test_what_there_is_not_is_told_in_words(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(**ROLES)
    shop.create()
    for arguments, words in (
        (("--account", ADA, "--role", "boss"), "There are: member, editor, admin."),
        (("--account", "nobody@example.com", "--role", "admin"), "There is no such account."),
    ):
        refused = shop.run("roles", "grant", *arguments)
        assert refused.exit_code != 0
        assert words in refused.output
