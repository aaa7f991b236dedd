"""Every outcome that is not success: a stable code, a status, and what the caller needs next.

PowauthError
├── ConfigurationError          the programmer's mistake, all problems at once, at start
├── Taken                       a unique value exists already (from the data layer)
├── Stale                       a record changed since it was read (from the data layer)
├── StillReferenced             rows of the application refer to the account (from the data layer)
└── AuthError                   the visitor's outcome, answered in one place
    ├── Unreadable              400  the request cannot be read
    ├── InvalidToken            400  wrong, used, expired or another's
    ├── InvalidCredentials      401  never says which half was wrong
    ├── NotSignedIn             401
    ├── ActionRequired          401  a step stands between the caller and what was asked
    ├── Forbidden               403
    │   ├── CrossSite           403
    │   └── OwnerOnly           403  asked by somebody who acts as the account
    ├── NotFound                404
    ├── MethodNotAllowed        405
    ├── Conflict                409
    │   └── AlreadySignedIn     409
    ├── TooLarge                413
    ├── UnsupportedMedia        415
    ├── InvalidForm             422  every bad field
    ├── TooManyAttempts         429  with Retry-After
    └── Unavailable             503  with Retry-After
        ├── HashingBusy         503
        ├── StoreUnavailable    503
        ├── DatabaseUnavailable 503
        └── Deadlocked          503  the engine undid a unit of work; it was tried again, in vain
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar


class PowauthError(Exception):
    """The root of everything that Powauth raises."""


class ConfigurationError(PowauthError):
    """What is missing, clashing or unsafe. `problems` lists all of it, a sentence each."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Taken(PowauthError):
    """A unique value exists already. `field` is the attribute's name, `None` when the engine does not tell."""

    def __init__(self, field: str | None = None) -> None:
        super().__init__(f"{field or 'a value'} is taken")
        self.field = field


class Stale(PowauthError):
    """A record is no longer what was read: somebody else changed or deleted it first."""


class StillReferenced(PowauthError):
    """Rows of the application refer to an account that was to be deleted."""


class AuthError(PowauthError):
    """An outcome that a visitor may see. Its code is stable; its words stand in `messages`."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400


class Unreadable(AuthError):
    """The request is not HTTP, a form or JSON that could be read."""

    code = "unreadable"


class InvalidToken(AuthError):
    """A link or code that is wrong, used, expired or another's: never which of these."""

    code = "invalid_token"


class InvalidCredentials(AuthError):
    """Wrong, unknown, locked, closed: never which of these."""

    code = "invalid_credentials"
    status = 401


class NotSignedIn(AuthError):
    """No session, or one that ended."""

    code = "not_signed_in"
    status = 401


class ActionRequired(AuthError):
    """A step stands between the caller and what was asked: a name for programs, a URL for people."""

    code = "action_required"
    status = 401

    def __init__(self, name: str, url: str) -> None:
        super().__init__(name)
        self.name = name
        self.url = url


class Forbidden(AuthError):
    """Known, and not allowed."""

    code = "forbidden"
    status = 403


class CrossSite(Forbidden):
    """An unsafe request that another site made."""

    code = "cross_site"


class OwnerOnly(Forbidden):
    """Only the account's owner may do this, and somebody else acts as them."""

    code = "owner_only"


class NotFound(AuthError):
    """Nothing here, or nothing that this visitor may see."""

    code = "not_found"
    status = 404


class MethodNotAllowed(AuthError):
    """The page exists, the method does not. `allowed` goes into the Allow header (RFC 9110 §15.5.6)."""

    code = "method_not_allowed"
    status = 405

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(", ".join(allowed))
        self.allowed = tuple(allowed)


class Conflict(AuthError):
    """Something stands in the way that the caller can remove."""

    code = "conflict"
    status = 409


class AlreadySignedIn(Conflict):
    """Asked to sign in or up while signed in."""

    code = "already_signed_in"


class TooLarge(AuthError):
    """More bytes than a form may have."""

    code = "too_large"
    status = 413


class UnsupportedMedia(AuthError):
    """A Content-Type that is neither a form nor JSON."""

    code = "unsupported_media"
    status = 415


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field: a message code and the values that its words need."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict[str, object])


class InvalidForm(AuthError):
    """Every bad field at once. The key `""` holds what concerns the form as a whole."""

    code = "invalid_form"
    status = 422

    def __init__(self, errors: Mapping[str, Sequence[FieldError]]) -> None:
        super().__init__(", ".join(sorted(errors)))
        self.errors = {name: tuple(found) for name, found in errors.items()}


class TooManyAttempts(AuthError):
    """Too often. `retry_after` says when to come back."""

    code = "too_many_attempts"
    status = 429

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__(f"come back in {retry_after}")
        self.retry_after = retry_after


class Unavailable(AuthError):
    """Not now, and not the visitor's fault."""

    code = "unavailable"
    status = 503

    def __init__(self, *, retry_after: timedelta = timedelta(seconds=2)) -> None:
        super().__init__(f"come back in {retry_after}")
        self.retry_after = retry_after


class HashingBusy(Unavailable):
    """The queue of passwords to hash is full."""


class StoreUnavailable(Unavailable):
    """The store did not answer: nothing is known, so nothing is granted."""


class DatabaseUnavailable(Unavailable):
    """The database did not answer."""


class Deadlocked(Unavailable):
    """The engine undid a unit of work in favour of another one; the same work may succeed when tried again."""
