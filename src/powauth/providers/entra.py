"""Microsoft Entra ID, the former Azure AD, by OpenID Connect: one tenant, several, or everybody."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from powauth.oauth import BadToken, ClientAuthentication, Metadata, OpenIDConnect, Reason, Tools
from powauth.oauth.discovery import WELL_KNOWN, read_metadata
from powauth.oauth.id_tokens import TENANT, Issuer

PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of everybody's personal accounts."""
MANY = frozenset({"common", "organizations"})
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, kw_only=True)
class Entra(OpenIDConnect):
    """Entra ID. `Entra(tenant="…", client_id=…, client_secret=…)`.

    Who somebody is, is `sub` at the issuer of the tenant: it never changes and is never given to somebody else. `oid`
    and `tid` are in `claims.extra`.
    """

    name: str = "entra"
    tenant: str
    """The id of a tenant; or `common`, `organizations` or `consumers`. `tenants` narrows the first two down."""
    issuer: str = "https://login.microsoftonline.com/{tenantid}/v2.0"
    client_authentication: ClientAuthentication = ClientAuthentication.POST
    scopes: tuple[str, ...] = ("email", "profile")
    asks_userinfo: bool = False  # the ID token says more

    @property
    def only_tenant(self) -> str | None:
        """The id of the one tenant that is let in, `None` where there are several."""
        return None if self.tenant in MANY else PERSONAL if self.tenant == "consumers" else self.tenant

    @property
    def discovery_url(self) -> str:
        """Where the metadata are."""
        return self.discovery or self.issuer.replace(TENANT, self.tenant) + WELL_KNOWN

    @property
    def issuers(self) -> Issuer:
        """Who may have issued a token: the tenant that it names, if that is let in."""
        tenants = (self.only_tenant,) if self.only_tenant else self.tenants
        return Issuer(value=self.issuer, tenant_claim=self.tenant_claim, tenants=tenants)

    async def metadata(self, tools: Tools) -> Metadata:
        """Return where the tenant's doors are. Those of several tenants name none in their issuer."""
        document = await tools.document(self.discovery_url, self.network)
        issuer = self.issuer.replace(TENANT, self.only_tenant or TENANT)
        return read_metadata(document.content, issuer=issuer, network=self.network)

    def audience(self, metadata: Metadata) -> str:
        """Return whom signed proofs are for."""
        return metadata.token_endpoint

    def problems(self) -> tuple[str, ...]:
        """Return what is missing or unsafe, a sentence each."""
        found = [*super().problems()]
        if self.tenant not in MANY | {"consumers"} and not _ID.fullmatch(self.tenant):
            found.append(f"{self.name}: tenant: its id in small letters, or common, organizations or consumers")
        if self.inline is not None:
            found.append(f"{self.name}: inline: Entra publishes what it is")
        return tuple(found)

    def check_claims(self, claims: Mapping[str, Any]) -> None:
        """Refuse personal accounts where organisations are asked for."""
        if self.tenant == "organizations" and claims.get(self.tenant_claim) == PERSONAL:
            raise BadToken(Reason.TENANT)

    def normalise(self, raw: Mapping[str, Any]) -> Mapping[str, object]:
        """Return the claims, the address as proved only where Entra says so.

        Whoever runs a tenant writes any address into it, and signs in as its owner where it is believed ("nOAuth").
        `xms_edov`, an optional claim of the application's registration, says that the domain is the tenant's.
        """
        is_proved = raw.get("xms_edov") in (True, 1, "1", "true")
        claims = {name: value for name, value in raw.items() if name != "email_verified"}
        return {**claims, "email_verified": True} if is_proved and raw.get("email") else claims
