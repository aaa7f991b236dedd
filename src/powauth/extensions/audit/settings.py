"""What an application may set about what is written down."""

from datetime import timedelta
from typing import Literal

from powauth.events import Event
from powauth.extension import Extension
from powauth.limits import Limit

Clients = Literal["whole", "network", "none"]
"""How much of a network address is written."""


class AuditSettings(Extension):
    """Settings of `Audit`."""

    keep: timedelta | None = timedelta(days=400)
    """How long a row is kept: a year, and time to look back on it. `None`: for ever."""
    clients: Clients = "whole"
    """What is written of a network address: all of it, the network (IPv4 /24, IPv6 /48), or nothing."""
    leaves_out: tuple[type[Event], ...] = ()
    """Events that are not written, with all that are a kind of them."""
    strangers: Limit = Limit(60, per=timedelta(minutes=1))
    """How many rows one network may cause with what concerns no account: a flood must not fill the disk."""
    shows_activity: bool = True
    """Whether people see on a page of their own what happened to their account."""
    logs: bool = False
    """Whether each row, once committed, goes to the logger `powauth.extensions.audit` as well, as a line of JSON."""

    name = "audit"

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with its settings, a sentence each."""
        found: list[str] = []
        if self.keep is not None and self.keep < timedelta(days=1):
            found.append("keep must be a day or more, or None to keep rows for ever")
        if self.strangers.times < 1 or self.strangers.per <= timedelta(0):
            found.append("strangers must let something be written: Limit(60, per=timedelta(minutes=1))")
        found += [
            f"leaves_out: {kind.__name__} is every event: leave the extension away instead"
            for kind in self.leaves_out
            if kind is Event
        ]
        return tuple(found)
