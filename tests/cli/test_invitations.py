"""Invitations at the command line: by the operator, who needs nobody's permission."""

from collections.abc import Callable
from typing import Any

import pytest

from powauth import Auth
from powauth.outbox import OutboxRecord
from tests.cli.shop import ADA, Shop

OURS = """
from typing import Annotated
from powauth.extensions.invitation import Invitation, InvitationForm

class RoleForm(InvitationForm):
    role: Annotated[str, Choice("reader", "admin")] = "reader"
"""


@pytest.fixture
def inviting(make_shop: Callable[..., Shop]) -> Shop:
    settings = "form=RoleForm, may_grant=lambda ctx, account, form: False"
    return make_shop(more=OURS, extensions=f"(SignIn(), Invitation({settings}))")


def test_the_operator_invites_and_a_mail_is_owed(inviting: Shop) -> None:
    made = inviting.data("invitation", "create", "--email", ADA, "--role", "admin")
    assert (made["email"], made["state"], made["role"], made["invited_by"]) == (ADA, "open", "admin", None)

    async def owed(auth: Auth[Any]) -> list[str]:
        async with auth.begin(writes=False) as ctx:
            return [row.to for row in await ctx.records(OutboxRecord).find()]

    assert inviting.work(owed) == [ADA]


def test_invitations_are_listed_and_revoked(inviting: Shop) -> None:
    made = inviting.data("invitation", "create", "--email", ADA)
    assert [each["id"] for each in inviting.data("invitation", "list")] == [made["id"]]
    assert inviting.data("invitation", "revoke", "--id", made["id"])["state"] == "revoked"
    assert inviting.data("invitation", "list") == []
    assert inviting.refusal("invitation", "revoke", "--id", made["id"])["code"] == "not_found"
    assert inviting.refusal("invitation", "revoke", "--id", "nonsense")["code"] == "not_found"


def test_no_secret_is_printed(inviting: Shop) -> None:
    """A link would be one."""
    assert inviting.refusal("invitation", "create", "--role", "admin")["errors"]["email"][0]["code"] == "required"
    made = inviting.run("invitation", "create", "--email", ADA)
    assert "/invitations/" not in made.output


def test_what_the_form_does_not_take_is_refused(inviting: Shop) -> None:
    assert inviting.run("invitation", "create", "--email", ADA, "--role", "owner").exit_code == 2
    error = inviting.refusal("invitation", "create", "--email", "nonsense")
    assert error["errors"]["email"][0]["code"] == "not_an_email"
