"""Signing in with providers: OAuth 1.0a, OAuth 2.0 and OpenID Connect as values, without accounts or sessions."""

from powauth.oauth.claims import Claims
from powauth.oauth.client_authentication import ClientAuthentication
from powauth.oauth.discovery import Metadata
from powauth.oauth.documents import Documents
from powauth.oauth.errors import (
    BadState,
    BadToken,
    Denied,
    ForbiddenAddress,
    Malformed,
    NoAnswer,
    ProviderError,
    Reason,
    Refused,
    TooBig,
    TooSlow,
    Unreachable,
    Unsuitable,
)
from powauth.oauth.flow import Ask, Begun, Callback, Flow
from powauth.oauth.guard import admit
from powauth.oauth.identity import Identity
from powauth.oauth.oauth1 import OAuth1
from powauth.oauth.oauth1_signing import Signature
from powauth.oauth.oauth2 import OAuth2
from powauth.oauth.openid import OpenIDConnect
from powauth.oauth.ports import Http, HttpRequest, HttpResponse, Jose, Network, PrivateKey
from powauth.oauth.tokens import Tokens
from powauth.oauth.tools import Tools

__all__ = [
    "Ask",
    "BadState",
    "BadToken",
    "Begun",
    "Callback",
    "Claims",
    "ClientAuthentication",
    "Denied",
    "Documents",
    "Flow",
    "ForbiddenAddress",
    "Http",
    "HttpRequest",
    "HttpResponse",
    "Identity",
    "Jose",
    "Malformed",
    "Metadata",
    "Network",
    "NoAnswer",
    "OAuth1",
    "OAuth2",
    "OpenIDConnect",
    "PrivateKey",
    "ProviderError",
    "Reason",
    "Refused",
    "Signature",
    "Tokens",
    "TooBig",
    "TooSlow",
    "Tools",
    "Unreachable",
    "Unsuitable",
    "admit",
]
