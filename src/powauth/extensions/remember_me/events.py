"""What happens to remembered devices. `device` is the public id of one."""

from dataclasses import dataclass
from typing import Annotated

from powauth.accounts import Handle
from powauth.events import Event, Plain


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRemembered(Event):
    """Somebody ticked the box: a device stays signed in."""

    handle: Handle
    device: Annotated[str, Plain()]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceForgotten(Event):
    """A device is not remembered any more, for whatever reason; one whose time is up is not announced."""

    handle: Handle
    device: Annotated[str, Plain()]
    sessions: tuple[str, ...] = ()
    """The public ids of the sessions that it made, or was made by; most are over already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStolen(Event):
    """A cookie was used although its successor had been: two hold it. The device is forgotten."""

    handle: Handle
    device: Annotated[str, Plain()]
