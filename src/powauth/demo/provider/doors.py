"""Doors: what is between the demo and its provider, which no person sees."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from powauth.demo.provider import tokens
from powauth.demo.provider.client import Client
from powauth.demo.provider.memory import Granted, Memory
from powauth.demo.provider.requests import NO_STORE, read_fields
from powauth.demo.provider.tokens import CannotExchange, Signer


@dataclass(frozen=True)
class Doors:
    """The provider's answers to a program."""

    client: Client
    memory: Memory
    signer: Signer

    async def metadata(self, _request: Request) -> Response:
        """Say where its doors are (OpenID Connect Discovery §3)."""
        issuer = self.client.issuer
        return JSONResponse(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "userinfo_endpoint": f"{issuer}/userinfo",
                "jwks_uri": f"{issuer}/keys",
                "end_session_endpoint": f"{issuer}/sign-out",
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                "code_challenge_methods_supported": ["S256"],
                "scopes_supported": ["openid", "profile", "email"],
                "claims_supported": ["sub", "name", "email", "email_verified", "auth_time"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def keys(self, _request: Request) -> Response:
        """Say what its signatures are verified with."""
        return JSONResponse(self.signer.published())

    async def token(self, request: Request) -> Response:
        """Give tokens for a code."""
        tokens.check_client(self.client, request.headers.get("authorization", ""))
        granted = tokens.exchange(self.memory, self.client, await read_fields(request))
        return JSONResponse(self._tokens(granted), headers=NO_STORE)

    def _tokens(self, granted: Granted) -> dict[str, Any]:
        access_token = self.memory.tokens.put(granted)
        return {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": int(self.memory.tokens.lifetime.total_seconds()),
            "scope": " ".join(granted.asked.scopes),
            "id_token": self.signer.sign(tokens.id_claims(self.client, self.memory, granted, access_token)),
        }

    async def refused(self, _request: Request, refusal: Exception) -> Response:
        """Say why no tokens are given (RFC 6749 §5.2)."""
        error = str(refusal) if isinstance(refusal, CannotExchange) else "invalid_request"
        return JSONResponse({"error": error}, 401 if error == "invalid_client" else 400, NO_STORE)

    async def userinfo(self, request: Request) -> Response:
        """Say who somebody is, as far as that was granted."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        granted = self.memory.tokens.get(token) if kind.lower() == "bearer" else None
        if granted is None:
            return Response(status_code=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        return JSONResponse(granted.who.person.claims(granted.asked.scopes), headers=NO_STORE)
