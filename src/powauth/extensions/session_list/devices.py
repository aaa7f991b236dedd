"""Devices: what session_list asks other extensions for, and tells them."""

from dataclasses import dataclass, field
from datetime import datetime

from powauth.events import Event
from powauth.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Something that may come back without a session. Its owner sees it on the page and can end it."""

    id: str
    device: str
    client: str
    created_at: datetime
    used_at: datetime
    ends_at: datetime
    is_current: bool
    """Whether it is the one that asks."""
    end_url: str
    """Where a form is sent that ends it."""
    end_text: str
    """The message code of the words on its button."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicesListed(Event):
    """The devices of an account are about to be shown. Hooks add to what is."""

    is_fact = False

    session: Session
    """Whoever asks."""
    sessions: tuple[Session, ...]
    devices: list[Device] = field(default_factory=list[Device])
    """What may come back without a session."""
    marks: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """What there is to say of a session: message codes, by its public id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OthersEnded(Event):
    """Every other session of the account is about to end: so has whatever would let another device back in."""

    session: Session
    """The one that goes on."""
