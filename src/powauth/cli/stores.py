"""What a store says of itself, where it is one that is asked over a network."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from powauth.auth import Auth
from powauth.cli.failures import Failure
from powauth.cli.findings import Finding, Severity
from powauth.cli.work import run


class Weakness(Protocol):
    """What is unsafe about a store's server or its settings."""

    @property
    def code(self) -> str:
        """Its name, which stays."""
        ...

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        ...

    @property
    def says(self) -> str:
        """What it is."""
        ...

    @property
    def do(self) -> str:
        """What to do about it."""
        ...


@runtime_checkable
class Examined(Protocol):
    """A store that can tell what is unsafe about its server."""

    async def weaknesses(self) -> Sequence[Weakness]:
        """Return what is."""
        ...


def look_at_store(auth: Auth[Any]) -> list[Finding]:
    """Return what the store's server says, or that it could not be asked."""
    store = auth.plan.store
    if not isinstance(store, Examined):
        return []
    try:
        found = run(auth, store.weaknesses)
    except Failure as failure:
        says = f"the store could not be looked at: {failure.message}"
        return [Finding(code="store_not_read", severity="warn", says=says, do="mend it, or say --no-store")]
    return [Finding(code=one.code, severity=one.severity, says=one.says, do=one.do) for one in found]
