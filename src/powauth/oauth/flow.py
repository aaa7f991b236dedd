"""Flow: what is kept between sending a browser away and its return; and what it comes back with."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Literal, cast, get_args

from powauth.oauth.errors import BadState, Reason
from powauth.oauth.reading import read_pairs

ResponseMode = Literal["query", "form_post"]
Prompt = Literal["login", "consent", "select_account", "none"]
FLOW_LIFETIME = timedelta(minutes=15)  # as long as a parked sign-in
_AT_MOST = 2_000  # characters of a value that comes back; codes of large providers have about a thousand


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What is asked of a provider this once, besides what its value says."""

    scopes: Sequence[str] = ()
    """Asked for besides the provider's own."""
    prompt: Prompt | None = None
    """What the provider shows. `login` promises a fresh sign-in: without a proof of it the answer is refused."""
    max_age: timedelta | None = None
    """How long ago the person may have signed in at the provider; it has to say when that was (`auth_time`)."""
    acr_values: Sequence[str] = ()
    """Which strength of sign-in will do; the provider has to say which one it was (`acr`)."""
    login_hint: str | None = None
    """Who is expected, as an address or a name."""
    params: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    """Further parameters of the address. None of the protocol's own can be set here."""


@dataclass(frozen=True, kw_only=True)
class Flow:
    """What is kept while the browser is away: in a store, encrypted or not shown to anybody, and used once.

    Only `state` leaves, in the address. The rest proves that whoever comes back is who was sent away.
    """

    provider: str
    redirect_uri: str
    response_mode: ResponseMode
    started_at: int
    """Seconds since 1970."""
    state: str = field(repr=False)
    nonce: str | None = field(default=None, repr=False)
    verifier: str | None = field(default=None, repr=False)
    token_secret: str | None = field(default=None, repr=False)
    issuer: str | None = None
    max_age: int | None = None
    """Seconds."""
    acr_values: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()

    def plain(self) -> dict[str, object]:
        """Return the flow as what JSON can hold; `Flow.read` takes it."""
        return {**asdict(self), "acr_values": list(self.acr_values), "scopes": list(self.scopes)}

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> "Flow":
        """Return the flow that was kept. Raises `BadState` for anything else."""
        names = {each.name for each in fields(cls)}
        if set(plain) - names or not all(_fits(name, value) for name, value in plain.items()):
            raise BadState(Reason.FLOW_UNREADABLE)
        lists: dict[str, Any] = {name: tuple(plain.get(name, ())) for name in ("acr_values", "scopes")}
        try:
            return cls(**{**plain, **lists})
        except TypeError:
            raise BadState(Reason.FLOW_UNREADABLE) from None

    def is_over(self, now: datetime) -> bool:
        """Say whether the browser stayed away too long."""
        return not -60 <= int(now.timestamp()) - self.started_at <= FLOW_LIFETIME.total_seconds()


def _fits(name: str, value: object) -> bool:
    if name in {"acr_values", "scopes"}:
        return isinstance(value, list | tuple) and all(
            isinstance(each, str) for each in cast("Sequence[object]", value)
        )
    if name in {"started_at", "max_age"}:
        return _is_seconds(value) or (value is None and name == "max_age")
    if name == "response_mode":
        return value in get_args(ResponseMode)
    return isinstance(value, str) or (value is None and name in {"nonce", "verifier", "token_secret", "issuer"})


def _is_seconds(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**10


@dataclass(frozen=True)
class Begun:
    """Where to send the browser, and what to keep until it is back."""

    url: str = field(repr=False)
    flow: Flow


@dataclass(frozen=True)
class Callback:
    """What the browser came back with, and how: values from strangers until `complete` has compared them."""

    params: Mapping[str, str] = field(repr=False, hash=False)
    by: ResponseMode

    @classmethod
    def from_query(cls, query: str) -> "Callback":
        """Return what a GET brought in its query."""
        return cls(_once(query), "query")

    @classmethod
    def from_form(cls, body: str) -> "Callback":
        """Return what a POST brought in its form-encoded body (OAuth 2.0 Form Post Response Mode)."""
        return cls(_once(body), "form_post")

    def get(self, name: str) -> str | None:
        """Return a value, `None` if it is missing or empty."""
        value = self.params.get(name) or None
        if value is not None and (len(value) > LONGEST.get(name, _AT_MOST) or _CONTROL.search(value)):
            raise BadState(Reason.UNREADABLE)
        return value


LONGEST: Mapping[str, int] = {"code": 8_000, "user": 8_000}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _once(text: str) -> dict[str, str]:
    """Return fields of which none stands twice (RFC 6749 §3.1): two readers must not take two."""
    if len(text) > 32_768:  # bytes of a call-back, as DESIGN has it for those that come by POST
        raise BadState(Reason.UNREADABLE)
    pairs = read_pairs(text, "call-back")
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadState(Reason.REPEATED)
    return found
