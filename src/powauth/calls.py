"""Call: one request on its way under the mount point, and what its handler did."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from powauth.bodies import Body
from powauth.context import Caller
from powauth.forms import Form
from powauth.http import read_query
from powauth.pages import Button, Outcome, Page
from powauth.templates import AccountView
from powauth.visits import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request on its way: what was matched and read so far."""

    visit: Visit
    page: Page
    original: Page
    """The value that the extension names the page by."""
    params: Mapping[str, str]
    wants: str
    caller: Caller
    body: Body = field(default_factory=lambda: Body({}, is_json=False, sent=frozenset()))

    @property
    def query(self) -> Mapping[str, str]:
        """The query string; of two values with one name the first."""
        return read_query(self.visit.raw)

    @property
    def is_html(self) -> bool:
        """Whether a person reads the answer."""
        return self.wants == "html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """What a handler did; it is committed."""

    outcome: Outcome
    extras: Mapping[type[Form], Form]
    account: AccountView | None
    buttons: tuple[Button, ...] = ()
