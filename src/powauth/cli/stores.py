"""What a store says of itself, where it is one that is asked over a network."""

import asyncio
from collections.abc import Sequence
from typing import Any

from powauth.auth import Auth
from powauth.cli.failures import Failure, answered
from powauth.cli.findings import Finding
from powauth.stores import Examined, Weakness


def look_at_store(auth: Auth[Any]) -> list[Finding]:
    """Return what the store's server says, or that it could not be asked."""
    store = auth.plan.store
    if not isinstance(store, Examined):
        return []
    try:
        with answered(auth.plan.words()):
            found = asyncio.run(_asked(store))
    except Failure as failure:
        says = f"the store could not be looked at: {failure.message}"
        return [Finding(code="store_not_read", severity="warn", says=says, do="mend it, or say --no-store")]
    return [Finding(code=one.code, severity=one.severity, says=one.says, do=one.do) for one in found]


async def _asked(store: Examined) -> Sequence[Weakness]:
    """Ask the store alone: what its database lacks is told elsewhere."""
    await store.open()
    try:
        return await store.weaknesses()
    finally:
        await store.close()
