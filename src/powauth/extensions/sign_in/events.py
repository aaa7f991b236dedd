"""What is asked of other extensions where somebody comes to sign in, and where they leave."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from powauth.events import Event
from powauth.http import RawRequest
from powauth.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Arriving(Event):
    """Somebody who is not signed in comes to the sign-in page.

    A hook adds to `ways` another site's address that lets them in without the form; the first one is where the browser
    is sent. Whatever it does for that is done by a GET: only for a person who goes there, and who did so before.
    """

    is_fact = False

    raw: RawRequest = field(repr=False)
    query: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """What the address says, unchecked: `next` is where they want to go."""
    ways: list[str] = field(default_factory=list[str], repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving(Event):
    """Somebody signs out by themselves: a hook adds to `ways` a path of this site that leads out elsewhere as well.

    The session ends with this unit of work, whatever that path does. There is none where it was over already.
    """

    is_fact = False

    session: Session | None
    ways: list[str] = field(default_factory=list[str], repr=False)
