"""Roles of the other system become roles of `Roles`, as far as the order says which is which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from powauth.auth import Auth
from powauth.cli.failures import Misused
from powauth.cli.importing.columns import pairs
from powauth.cli.importing.newcomer import Newcomer
from powauth.extensions.roles import Roles

OPTION = "--role"


@dataclass(frozen=True, slots=True)
class Granting:
    """Which role there is which role here."""

    roles: Mapping[str, str] = field(default_factory=dict[str, str])

    def granted(self, newcomer: Newcomer) -> tuple[str, ...]:
        """Return the roles that a newcomer gets, each once."""
        return tuple(dict.fromkeys(self.roles[role] for role in newcomer.roles if role in self.roles))

    def without_place(self, newcomer: Newcomer) -> tuple[str, ...]:
        """Return the roles of a newcomer that are nobody's here."""
        return tuple(role for role in newcomer.roles if role not in self.roles)


def read_granting(auth: Auth[Any], given: Sequence[str]) -> Granting:
    """Return which role there is which one here. Raises `Misused` for one that the application does not name."""
    roles = pairs(OPTION, given)
    enabled = next((known for known in auth.extensions if isinstance(known, Roles)), None)
    if roles and enabled is None:
        raise Misused(f"{OPTION} gives roles of Roles(): add it to the application's extensions", code="usage")
    strangers = sorted(set(roles.values()).difference(enabled.roles if enabled else ()))
    if enabled and strangers:
        named = ", ".join(enabled.roles)
        raise Misused(f"{OPTION}: {strangers[0]} is no role of the application: {named}", code="usage")
    return Granting(roles)
