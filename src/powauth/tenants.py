"""Tenant: whose accounts, records, limits, links and mails these are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from powauth.http import RawRequest


@dataclass(frozen=True, slots=True)
class Tenant:
    """One closed world of accounts. `schema` names its own database schema; without it tenants share tables."""

    id: str
    base_url: str
    schema: str | None = None
    language: str | None = None
    """The language of those who ask for none that is offered; without it the application's."""


SINGLE = ""
"""The id of the only tenant where there are none."""


class Tenants(Protocol):
    """The tenants that there are, and whose pages a request asks for."""

    def resolve(self, raw: RawRequest) -> Tenant | None:
        """Return the tenant of a request; an unknown one is `None` and answered with 404."""
        ...

    def all(self) -> Iterable[Tenant]:
        """Return every tenant: mails are sent and rows purged for each."""
        ...


@runtime_checkable
class LoadedTenants(Protocol):
    """Tenants that are read from somewhere, such as a table: at start, and again every few seconds meanwhile.

    So commands and other processes know of them, and learn of new ones.
    """

    async def load(self) -> None:
        """Read them anew. What fails is logged and tried again; at start it is an error."""
        ...


def loaded_tenants(tenants: object) -> LoadedTenants | None:
    """Return these tenants if they are read from somewhere."""
    return tenants if isinstance(tenants, LoadedTenants) else None


class TenantsByHost:
    """Tenants told apart by the Host header, from a list that is the whole truth."""

    def __init__(self, by_host: Mapping[str, Tenant]) -> None:
        self._by_host = {host.lower(): tenant for host, tenant in by_host.items()}

    def resolve(self, raw: RawRequest) -> Tenant | None:
        """Return the tenant of the request's host."""
        return self._by_host.get((raw.header("host") or "").lower())

    def all(self) -> Iterable[Tenant]:
        """Return every tenant."""
        return self._by_host.values()
