"""What an application may set about roles."""

import re

from powauth.extension import Extension

NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")


class RolesSettings(Extension):
    """Settings of `Roles`."""

    roles: tuple[str, ...] = ("member", "editor", "admin")
    """Every role there is, from lower to higher standing. An account has none until somebody grants it one."""
    cumulative: bool = True
    """Whether who has a role may do what each lower one may. `False`: a role is good for itself alone."""

    name = "roles"

    @property
    def highest(self) -> str:
        """The role of highest standing."""
        return self.roles[-1]

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with the settings."""
        found = [
            f"{role!r} is no role: use up to 63 lower-case letters, digits, - and _"
            for role in self.roles
            if not NAME.fullmatch(role)
        ]
        if not self.roles:
            found.append("name at least one role")
        if len(set(self.roles)) < len(self.roles):
            found.append("a role is named twice: each has one standing")
        return tuple(found)
