"""What can come of a flow besides somebody who is known: stable codes and reasons, and no secret in any of them.

ProviderError
├── Denied                the person, or who decides for them, said no
├── Refused               the provider answered with an error of the protocol
├── BadState              what came back belongs to no flow of this browser, or came another way than agreed
├── BadToken              a token, or what it claims, does not hold
├── Unsuitable            the provider does not offer what is configured
└── NoAnswer              nothing usable came from the provider
    ├── Unreachable       no connection, no name, no certificate that holds
    ├── TooSlow
    ├── TooBig
    ├── Malformed         not what the protocol says
    └── ForbiddenAddress  an address that the guard refuses: nothing was sent there
"""

import re
from enum import StrEnum
from typing import ClassVar

from powauth.errors import PowauthError

_CODE = re.compile(r"[A-Za-z0-9_.:/-]{1,100}")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\U0010ffff]+")
_NEEDS_PERSON = frozenset(  # OpenID Connect Core 1.0 §3.1.2.6
    {"login_required", "interaction_required", "consent_required", "account_selection_required"}
)
LONGEST_DESCRIPTION = 500  # characters; a sentence for developers is shorter


class Reason(StrEnum):
    """Why something that came back was refused. Stable: logs and programs may compare it."""

    # of a state
    STATE_MISSING = "state_missing"
    STATE_WRONG = "state_wrong"
    FLOW_EXPIRED = "flow_expired"
    FLOW_UNREADABLE = "flow_unreadable"
    OTHER_PROVIDER = "other_provider"
    OTHER_WAY = "other_way"
    REPEATED = "repeated"
    ISSUER_MISSING = "issuer_missing"
    ISSUER_WRONG = "issuer_wrong"

    # of a token
    UNREADABLE = "unreadable"
    TOKEN_TYPE = "token_type"
    ID_TOKEN_MISSING = "id_token_missing"
    ALGORITHM = "algorithm"
    CRITICAL_HEADER = "critical_header"
    TYPE = "type"
    UNKNOWN_KEY = "unknown_key"
    SIGNATURE = "signature"
    CLAIM_MISSING = "claim_missing"
    CLAIM_TYPE = "claim_type"
    ISSUER = "issuer"
    TENANT = "tenant"
    AUDIENCE = "audience"
    AUTHORIZED_PARTY = "authorized_party"
    EXPIRED = "expired"
    NOT_YET = "not_yet"
    TOO_OLD = "too_old"
    NONCE = "nonce"
    ACCESS_TOKEN_HASH = "access_token_hash"
    CODE_HASH = "code_hash"
    NOT_FRESH = "not_fresh"
    CONTEXT_CLASS = "context_class"
    SUBJECT = "subject"
    HOSTED_DOMAIN = "hosted_domain"
    REPLAYED = "replayed"


class ProviderError(PowauthError):
    """The root of what can go wrong with a provider."""

    code: ClassVar[str] = "provider_error"


class Denied(ProviderError):
    """The person said no. Nothing is wrong."""

    code = "denied"


class Refused(ProviderError):
    """The provider answered with an error. `error` is its code, `description` and `uri` are its words, for a log."""

    code = "refused"

    def __init__(
        self, error: str, *, description: str | None = None, uri: str | None = None, status: int | None = None
    ) -> None:
        self.error = error if _CODE.fullmatch(error) else "unreadable"  # a browser may have written it
        self.description = _printable(description)
        self.uri = _printable(uri)
        self.status = status
        super().__init__(self.error)

    @property
    def needs_person(self) -> bool:
        """Whether the provider would have had to show something, and was asked not to (`prompt=none`)."""
        return self.error in _NEEDS_PERSON


def _printable(text: str | None) -> str | None:
    return None if text is None else _UNPRINTABLE.sub(" ", text)[:LONGEST_DESCRIPTION]


class BadState(ProviderError):
    """What came back does not belong to this flow. Begin anew."""

    code = "bad_state"

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class BadToken(ProviderError):
    """A token does not hold. `claim` names what is concerned, where that helps."""

    code = "bad_token"

    def __init__(self, reason: Reason, claim: str | None = None) -> None:
        super().__init__(f"{reason.value}: {claim}" if claim else reason.value)
        self.reason = reason
        self.claim = claim


class Unsuitable(ProviderError):
    """The provider does not offer what is configured: the programmer's or the provider's to mend, not the visitor's."""

    code = "unsuitable"


class NoAnswer(ProviderError):
    """Nothing usable came. The words name host and reason, never a query or a body."""

    code = "no_answer"


class Unreachable(NoAnswer):
    """No connection, no such name, or a certificate that does not hold."""

    code = "unreachable"


class TooSlow(NoAnswer):
    """No whole answer within the time-out."""

    code = "too_slow"


class TooBig(NoAnswer):
    """An answer of more bytes than anybody needs."""

    code = "too_big"


class Malformed(NoAnswer):
    """An answer that the protocol does not know. `what` says which part."""

    code = "malformed"

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class ForbiddenAddress(NoAnswer):
    """The guard refuses this address; nobody was asked."""

    code = "forbidden_address"
