"""X, the former Twitter: by OAuth 2.0, and by OAuth 1.0a. Both name the same people in the same way."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from powauth.oauth import OAuth1, OAuth2

FIELDS = "confirmed_email,profile_image_url,url"


@dataclass(frozen=True, kw_only=True)
class X(OAuth2):
    """X by OAuth 2.0. `X(client_id=…, client_secret=…)`."""

    name: str = "x"
    scopes: tuple[str, ...] = ("tweet.read", "users.read", "users.email")  # without the first, users.read is none
    authorization_endpoint: str = "https://x.com/i/oauth2/authorize"
    token_endpoint: str = "https://api.x.com/2/oauth2/token"
    userinfo_endpoint: str = f"https://api.x.com/2/users/me?user.fields={FIELDS}"
    revocation_endpoint: str | None = "https://api.x.com/2/oauth2/revoke"
    issuer: str = "https://x.com"

    def normalise(self, raw: Mapping[str, Any]) -> Mapping[str, object]:
        """Return X's words in those of OpenID Connect. The address is the confirmed one, or none."""
        person = raw["data"]
        email = person.get("confirmed_email")
        return {
            "sub": person["id"],
            "name": person.get("name"),
            "preferred_username": person.get("username"),
            "picture": person.get("profile_image_url"),
            "website": person.get("url"),
            "email": email,
            "email_verified": True if email else None,
        }


@dataclass(frozen=True, kw_only=True)
class Twitter(OAuth1):
    """X by OAuth 1.0a. `Twitter(consumer_key=…, consumer_secret=…)`."""

    name: str = "twitter"
    request_token_endpoint: str = "https://api.x.com/oauth/request_token"
    authorization_endpoint: str = "https://api.x.com/oauth/authenticate"
    access_token_endpoint: str = "https://api.x.com/oauth/access_token"
    userinfo_endpoint: str = "https://api.x.com/1.1/account/verify_credentials.json?include_email=true&include_entities=false&skip_status=true"
    issuer: str = "https://x.com"

    def normalise(self, raw: Mapping[str, Any]) -> Mapping[str, object]:
        """Return X's words in those of OpenID Connect. X promises to tell an address only if it is verified."""
        email = raw.get("email") or None
        return {
            "sub": raw["id_str"],
            "name": raw.get("name"),
            "preferred_username": raw.get("screen_name"),
            "picture": raw.get("profile_image_url_https"),
            "website": raw.get("url"),
            "email": email,
            "email_verified": True if email else None,
        }
