"""Identity: who came back. Whoever keeps it keeps `(issuer, subject)`; an address finds nobody (S47)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from powauth.oauth.claims import Claims
from powauth.oauth.tokens import Tokens


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who came back from a provider."""

    provider: str
    """The name of the provider's value."""
    issuer: str
    """Who vouches. With `subject` it is the whole of who this is."""
    claims: Claims
    """What was said of the person, in the words of OpenID Connect."""
    tokens: Tokens
    """What opens doors in the person's name."""
    auth_time: datetime | None = None
    """When the person signed in at the provider, as far as it says."""
    acr: str | None = None
    """How strongly, as far as it says."""
    raw: Mapping[str, object] = field(default_factory=dict[str, object], repr=False, hash=False)
    """All that was said, in the provider's own words."""

    @property
    def subject(self) -> str:
        """Who this is, at that issuer, for ever."""
        return self.claims.sub
