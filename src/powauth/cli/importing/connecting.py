"""Identities of the other system become identities of `Providers`, as far as the order says whose they are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from powauth.accounts import Handle
from powauth.auth import Auth
from powauth.cli.failures import Misused
from powauth.cli.importing.columns import pairs
from powauth.cli.importing.newcomer import Identity, Remark
from powauth.context import Context
from powauth.records import is_storable
from powauth.tenants import Tenant

OPTION = "--provider"
MAX_SUBJECT = 255  # characters of the column, and what OpenID Connect allows (Core §2)

OTHER_NUMBER = "is another number than the one by which the provider signs people in"
NONE = "is none"

Vouches = Callable[[str | None], str]
"""Returns the issuer of an identity that says this one, or none. Raises `ValueError` with what is wrong."""


@runtime_checkable
class TakesIdentities(Protocol):
    """An extension that has a place for identities: `Providers`. It needs an extra, so it is not imported here."""

    async def vouching(self, ctx: Context) -> Mapping[str, Vouches]:
        """Return who vouches for identities, by the names of the providers that are configured."""
        ...

    async def owners(self, ctx: Context, identities: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Handle]:
        """Return whose identities are, by issuer and subject."""
        ...

    async def take_over(self, ctx: Context, owner: Handle, *, provider: str, issuer: str, subject: str) -> None:
        """Make an identity an account's. Raises `Taken`."""
        ...


@dataclass(frozen=True, slots=True)
class Placed:
    """An identity that has its place here."""

    identity: Identity
    """As the other system has it."""
    provider: str
    issuer: str

    @property
    def key(self) -> tuple[str, str]:
        """Issuer and subject."""
        return self.issuer, self.identity.subject


@dataclass(frozen=True, slots=True)
class Homeless:
    """An identity that has none, and why."""

    identity: Identity
    remark: Remark


@dataclass(frozen=True, slots=True)
class Connecting:
    """Which provider there is which one here."""

    extension: TakesIdentities | None = None
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    vouches: Mapping[str, Vouches] = field(default_factory=dict[str, Vouches])

    def sort(self, identities: Sequence[Identity]) -> tuple[tuple[Placed, ...], tuple[Homeless, ...]]:
        """Return the identities that have a place, each once, and those that have none."""
        placed: dict[tuple[str, str], Placed] = {}
        homeless: list[Homeless] = []
        for identity in identities:
            try:
                found = self._place(identity)
            except ValueError as error:
                says = f"its identity at {identity.provider} {error}"
                homeless.append(Homeless(identity, Remark("identities", says)))
            else:
                placed.setdefault(found.key, found)
        return tuple(placed.values()), tuple(homeless)

    def _place(self, identity: Identity) -> Placed:
        name, subject = self.names.get(identity.provider), identity.subject
        if name is None:
            raise ValueError(f"is set aside: {OPTION} {identity.provider}=NAME connects it")
        if not identity.is_subject:
            raise ValueError(f"{OTHER_NUMBER}: it is set aside")
        if not subject or len(subject) > MAX_SUBJECT or subject != subject.strip() or not is_storable(subject):
            raise ValueError(f"{NONE}: it is set aside")
        try:
            return Placed(identity, name, self.vouches[name](identity.issuer))
        except ValueError as error:
            raise ValueError(f"{error}: it is set aside") from error


def taken(placed: Placed) -> Homeless:
    """Return what is said of an identity that is somebody else's here."""
    says = f"its identity at {placed.identity.provider} is another account's here, which keeps it: it is set aside"
    return Homeless(placed.identity, Remark("identity_taken", says))


async def read_connecting(auth: Auth[Any], tenant: Tenant, given: Sequence[str]) -> Connecting:
    """Return which provider there is which one here. Raises `Misused` for one that the application does not name."""
    names = pairs(OPTION, given)
    if not names:
        return Connecting()
    extension = next((known for known in auth.extensions if isinstance(known, TakesIdentities)), None)
    if extension is None:
        raise Misused(f"{OPTION} names providers of Providers(): add it to the application's extensions", code="usage")
    async with auth.begin(tenant=tenant, writes=False) as ctx:
        vouches = await extension.vouching(ctx)
    if strangers := sorted(set(names.values()).difference(vouches)):
        has = ", ".join(vouches) or "none"
        raise Misused(f"{OPTION}: {strangers[0]} is no provider of the application: {has}", code="usage")
    return Connecting(extension, names, vouches)
