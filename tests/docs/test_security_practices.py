"""The numbers of the guide to security practices are those of the code."""

from datetime import timedelta

from powauth import Backoff, Passwords, SessionSettings
from powauth.extensions.email_confirmation import EmailConfirmation
from powauth.extensions.lock import Lock
from powauth.extensions.remember_me import RememberMe
from powauth.extensions.reset_password import ResetPassword
from powauth.extensions.security_mails import SecurityMails
from tests.docs.pages import DOCS, rows

SETTINGS = (
    Passwords(),
    SessionSettings(),
    Backoff(),
    Lock(),
    ResetPassword(),
    EmailConfirmation(),
    SecurityMails(),
    RememberMe(),
)


def said(value: timedelta | int) -> str:
    """Return a default as the guide says it: in the largest unit that leaves nothing over."""
    if isinstance(value, int):
        return str(value)
    for unit, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        count, rest = divmod(int(value.total_seconds()), unit)
        if count and not rest:
            return f"{count} {name}{'s' * (count > 1)}"
    return f"{int(value.total_seconds())} seconds"


def test_every_number_of_the_table_is_the_default_of_its_setting() -> None:
    table = rows(DOCS / "guides/security-practices.md", "## Numbers")[1:]
    assert table
    for _, setting, default, reason in table:
        kind, _, name = setting.strip("`").partition(".")
        (settings,) = (known for known in SETTINGS if type(known).__name__ == kind)
        assert default == said(getattr(settings, name)), setting
        assert reason


def test_a_number_that_changed_would_be_seen() -> None:
    assert [said(value) for value in (timedelta(days=1), timedelta(hours=25), 8)] == ["1 day", "25 hours", "8"]
