"""GitLab, theirs or your own, by OpenID Connect."""

from dataclasses import dataclass

from powauth.oauth import OpenIDConnect


@dataclass(frozen=True, kw_only=True)
class GitLab(OpenIDConnect):
    """GitLab. `GitLab(client_id=…, client_secret=…)`; your own: `issuer="https://gitlab.example.com"`."""

    name: str = "gitlab"
    issuer: str = "https://gitlab.com"
    scopes: tuple[str, ...] = ("email", "profile")
