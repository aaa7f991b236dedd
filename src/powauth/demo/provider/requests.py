"""Requests: what the demo asks its provider for, read as strictly as a provider should (OpenID Connect Core §3.1.2)."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from starlette.requests import Request

from powauth.demo.provider.client import Client
from powauth.oauth import Malformed
from powauth.oauth.reading import read_form, read_pairs

MOST = 16 * 1024
"""Bytes of a form."""
NO_STORE = {"Cache-Control": "no-store"}

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_SECONDS = re.compile(r"[0-9]{1,9}")
PROMPTS = {"none", "login", "consent", "select_account"}
SCOPES = ("openid", "profile", "email")


class NotOurs(Exception):
    """A request that is not the demo's: nothing is sent back to wherever it wants."""


class Refused(Exception):
    """A request of the demo's that is refused: the browser is sent back with the error."""

    def __init__(self, error: str, state: str) -> None:
        super().__init__(error)
        self.error, self.state = error, state


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the demo asks for."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    challenge: str = field(repr=False)
    scopes: tuple[str, ...]
    prompts: frozenset[str] = frozenset()
    max_age: timedelta | None = None

    def takes(self, signed_in_at: datetime, now: datetime) -> bool:
        """Say whether somebody who signed in then is here freshly enough."""
        if "login" in self.prompts:
            return False
        return self.max_age is None or now - signed_in_at <= self.max_age


def read_request(query: str, client: Client) -> Asked:
    """Return what is asked for. Raises `NotOurs` or `Refused`."""
    fields = _once(query)
    if fields.get("client_id") != client.id or fields.get("redirect_uri") != client.redirect_uri:
        raise NotOurs
    state = fields.get("state", "")
    if fields.get("response_type") != "code":
        raise Refused("unsupported_response_type", state)
    if fields.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(fields.get("code_challenge", "")):
        raise Refused("invalid_request", state)
    scopes = tuple(scope for scope in SCOPES if scope in fields.get("scope", "").split())
    if "openid" not in scopes:
        raise Refused("invalid_scope", state)
    return Asked(
        state=state,
        nonce=fields.get("nonce", ""),
        challenge=fields["code_challenge"],
        scopes=scopes,
        prompts=_prompts(fields.get("prompt", ""), state),
        max_age=_max_age(fields.get("max_age"), state),
    )


def _once(query: str) -> dict[str, str]:
    try:
        pairs = read_pairs(query, "request")
    except Malformed:
        raise NotOurs from None
    fields = dict(pairs)
    if len(fields) != len(pairs):  # RFC 6749 §3.1
        raise NotOurs
    return fields


def _prompts(text: str, state: str) -> frozenset[str]:
    prompts = frozenset(text.split())
    if not prompts <= PROMPTS or ("none" in prompts and len(prompts) > 1):
        raise Refused("invalid_request", state)
    return prompts


def _max_age(text: str | None, state: str) -> timedelta | None:
    if text is None:
        return None
    if not _SECONDS.fullmatch(text):
        raise Refused("invalid_request", state)
    return timedelta(seconds=int(text))


async def read_fields(request: Request) -> dict[str, str]:
    """Return the fields of a form, each once. Raises `Malformed`."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST:
            raise Malformed("form")
    return read_form(body, "form")
