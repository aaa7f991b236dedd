"""The password hashes of an application's accounts, told apart by what they cost and who made them."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from powauth.accounts import AccountId
from powauth.auth import Auth
from powauth.cli.findings import Finding
from powauth.passwords import Passwords, argon
from powauth.passwords.foreign import STANDARD
from powauth.passwords.hashing import PEPPERED
from powauth.tenants import Tenant

Kind = Literal["none", "current", "repeppered", "outdated", "foreign", "unusable"]

PAGE = 500  # accounts that are read at once


def kind_of(hash: str | None, settings: Passwords) -> Kind:
    """Return what would become of a hash at the next sign-in with its password.

    `repeppered` costs what a current one does, and gets the newest pepper; `unusable` belongs to no password.
    """
    if hash is None:
        return "none"
    match = PEPPERED.fullmatch(hash)
    found = argon.parse(match[2] if match else hash)
    pepper, peppers = match[1] if match else None, [known.id for known in settings.peppers]
    if found is None:
        families = (*settings.foreign, *STANDARD)
        return "foreign" if not match and any(family.recognises(hash) for family in families) else "unusable"
    if pepper is not None and pepper not in peppers:
        return "unusable"
    if found.parameters != settings.parameters:
        return "outdated"
    return "current" if pepper == (peppers[0] if peppers else None) else "repeppered"


async def count(auth: Auth[Any], tenant: Tenant, advance: Callable[[int], None]) -> Mapping[Kind, int]:
    """Return how many accounts of a tenant have a hash of each kind; read in pages, none of which holds a lock."""
    counted: Counter[Kind] = Counter()
    last: AccountId | None = None
    while True:
        async with auth.begin(tenant=tenant, writes=False) as ctx:
            page = await ctx.accounts.find(limit=PAGE, after=last)
        counted.update(kind_of(account.password_hash, auth.plan.passwords) for account in page)
        advance(len(page))
        if len(page) < PAGE:
            return counted
        last = page[-1].id


def findings(counted: Mapping[Kind, int]) -> Iterator[Finding]:
    """Give what the hashes say about the accounts."""
    slow = counted.get("outdated", 0) + counted.get("foreign", 0)
    if slow:
        yield Finding(
            code="outdated_hashes",
            severity="warn",
            says=f"accounts whose hash has other parameters or was made elsewhere: {slow}; by the time that a refused "
            "sign-in takes, a stranger can tell that they exist",
            do="nothing more: each is replaced at its next sign-in; ask those who never come to reset their password",
            identifiers=("ASVS 6.3.8", "NIST 3.1.1.2", "S10"),
        )
    if counted.get("unusable"):
        yield Finding(
            code="unusable_hashes",
            severity="warn",
            says=f"accounts whose hash belongs to no password: {counted['unusable']}; it is malformed, costs too much, "
            "or its pepper was removed",
            do="list the pepper again, or let their owners reset their password",
            identifiers=("S6",),
        )
    if counted.get("repeppered"):
        yield Finding(
            code="former_peppers",
            severity="info",
            says=f"accounts whose hash waits for the newest pepper: {counted['repeppered']}",
            do="keep the former peppers listed until there are none",
            identifiers=("S6",),
        )
