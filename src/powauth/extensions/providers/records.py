"""Identity: who somebody is at a provider. Found by issuer and subject, and by nothing else (S47)."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from powauth.accounts import Handle
from powauth.records import Encrypted, Index, Json, Key, Owner, Record, Text


class IdentityRecord(Record, table="provider_identities"):
    """Who an account's owner is at a provider."""

    id: Annotated[str, Key(), Text(64)]
    """What issuer and subject hash to: engines compare texts as they like, and index only short ones."""
    owner: Annotated[Handle, Owner(), Index(), Text(32)]
    provider: Annotated[str, Text(50)]
    issuer: Annotated[str, Text(2_000)]
    subject: Annotated[str, Text(255)]
    claims: Annotated[Mapping[str, Any], Json()]
    connected_at: datetime
    used_at: datetime


class TokensRecord(Record, table="provider_tokens"):
    """What opens a provider's doors in an owner's name."""

    id: Annotated[str, Key(), Text(64)]
    owner: Annotated[Handle, Owner(), Index(), Text(32)]
    tokens: Annotated[Mapping[str, Any], Encrypted(), Json()]
    updated_at: datetime
    claimed_until: datetime | None = None
    """Until when one caller alone refreshes them."""


def identity_key(issuer: str, subject: str) -> str:
    """Return the key of an identity."""
    sized = f"{len(issuer)} {issuer} {subject}"  # with its length, so that no two pairs read alike
    return hashlib.sha256(sized.encode()).hexdigest()
