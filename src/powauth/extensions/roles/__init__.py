"""Roles: who may do what. Granted by the application or the command line, asked of the database at each request.

No form, no page and no cookie sets or holds one.
"""

from powauth.context import Context, on
from powauth.events import AccountDescribed
from powauth.extension import Manifest
from powauth.extensions.roles.commands import GRANT, LIST, REVOKE
from powauth.extensions.roles.events import RoleGranted, RoleRevoked
from powauth.extensions.roles.operations import LastOfItsKind, grant, revoke, roles_of, standing
from powauth.extensions.roles.records import RoleRecord
from powauth.extensions.roles.requirements import Role, role
from powauth.extensions.roles.settings import RolesSettings

__all__ = [
    "LastOfItsKind",
    "Role",
    "RoleGranted",
    "RoleRecord",
    "RoleRevoked",
    "Roles",
    "grant",
    "revoke",
    "role",
    "roles_of",
    "standing",
]


async def tell(event: AccountDescribed, ctx: Context) -> None:
    """Tell an account what it may act as: `GET /session` and pages show it, and nothing is decided by that."""
    event.data["roles"] = await roles_of(ctx, event.account)


class Roles(RolesSettings):
    """Roles, from lower to higher standing."""

    def manifest(self) -> Manifest:
        """Return what it adds."""
        return Manifest(
            records=(RoleRecord,),
            hooks=(on(AccountDescribed, tell),),
            commands=(GRANT, REVOKE, LIST),
            messages={
                "field.account": "Whose: an address, user name, id or handle",
                "field.role": "Which role",
                "field.may_be_last": "Also where nobody would be left with the highest role",
                "nobody": "There is no such account.",
                "unknown": "There is no such role. There are: {roles}.",
                "last": "Nobody else has this role. Grant it to somebody else first.",
                "last_here": "Nobody else has this role. Grant it to somebody else first, or say --may-be-last.",
            },
        )
