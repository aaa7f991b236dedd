"""Programs that sign in through a browser: where their code may go, and what proves who began (RFC 7636)."""

import hashlib
import hmac
import re

from powauth.errors import Forbidden
from powauth.plan import Plan
from powauth.redirects import safe_target
from powauth.signing import encode
from powauth.tenants import Tenant

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # a SHA-256 in base64url: S256 is the only method (RFC 7636 §4.2)
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636 §4.1


def check_challenge(plan: Plan, tenant: Tenant, target: str | None, challenge: str) -> None:
    """Refuse a challenge that is none, or whose code would go where nobody registered. Nothing without a challenge.

    Raises `Forbidden`. Called before the password is looked at: a right one must not show itself.
    """
    if challenge:
        address_of(plan, tenant, target, challenge)


def address_of(plan: Plan, tenant: Tenant, target: str | None, challenge: str) -> str:
    """Return where a program waits for its code: a registered link or an address of a listed front end."""
    link = target or ""
    followed = safe_target(link, base_url=tenant.base_url, origins=plan.origins)
    is_front_end = not link.startswith("/") and followed == link
    if not (link in plan.app_links or is_front_end) or not CHALLENGE.fullmatch(challenge):
        raise Forbidden
    return link


def answers(verifier: str, challenge: str) -> bool:
    """Say whether this is who began the flow (RFC 7636 §4.6)."""
    if not VERIFIER.fullmatch(verifier):
        return False
    return hmac.compare_digest(encode(hashlib.sha256(verifier.encode()).digest()), challenge)
