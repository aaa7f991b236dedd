"""Pages are named values. What a handler returns: Shown, Done, Proved, Resumed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from powauth.accounts import Account
from powauth.forms import Form
from powauth.limits import Claim
from powauth.session import Proof, Session, Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Something under a path. `routing` has its kinds; two pages are the same page if their values are equal."""

    name: str
    path: str
    """Below the mount point; `{name}` stands for one part of it."""


@dataclass(frozen=True, slots=True)
class Detour:
    """A step that a person has to take before a sign-in may finish. Programs are told the page's name and address."""

    page: Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button on another extension's page that sends a form. Its words stand under the message code `text`."""

    to: Page
    text: str
    """With the name of the extension: `providers.sign_in_with`."""
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    """The parts of the address; those that it leaves out are the page's own."""
    values: Mapping[str, object] = field(default_factory=dict[str, object])
    """What its hidden fields hold; buttons in one row share them."""
    words: Mapping[str, object] = field(default_factory=dict[str, object])
    """Values for its words."""
    is_dangerous: bool = False
    asks: bool = False
    """Whether the fields that a person sees stand above it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A page to look at. As JSON its data."""

    data: Mapping[str, object] = field(default_factory=dict[str, object])
    values: Mapping[Page, Mapping[str, object]] = field(default_factory=dict[Page, Mapping[str, object]])
    """What the fields of its forms hold, by the page that each form is sent to."""
    words: Mapping[str, object] = field(default_factory=dict[str, object])
    """Values for the words of its title and intro."""
    username: str = ""
    """Whose password its forms ask for, where nobody is signed in."""
    leaves_out: Collection[Page | str] = ()
    """Its forms, by the page that each is sent to, and fields, by their name, that whoever looks has no use for."""
    onward: str = ""
    """Another site's address to which the browser goes on from here by itself, and a link with the words `onward`.

    The extension vouches for it. What a form leads to may not be a redirect to another site: the page that the form
    stood on may forbid that (Content-Security-Policy, `form-action`).
    """
    status: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Something happened. For people a redirect with a notice, for programs the data, or nothing."""

    to: Page | str | None = None
    """A page, or an address that is checked; `None` leads back to the page that the form stands on."""
    away: str = ""
    """Another site's address, which the extension vouches for: no value of a request ever decides it."""
    notice: str | None = None
    """A message code, bare: the extension's own."""
    data: Mapping[str, object] | None = None
    status: int = 200
    session: Session | None = None
    """The session as it is now, where its id changed: its cookie goes with the answer."""
    signs_out: bool = False
    """Whether the session is over: its cookie is removed."""
    abandons: bool = False
    """Whether the parked sign-in is over: whoever comes back to the browser cannot go on with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """Somebody showed a factor. The edge commits what was done so far, then calls `sign_in` in a unit of its own."""

    account: Account
    proof: Proof
    claims: tuple[Claim, ...] = ()
    """The attempts that a finished sign-in makes up for."""
    next: str | None = None
    """Where they wanted to go; checked by the edge."""
    transport: Transport = "cookie"
    notice: str | None = None
    after: str = "after_sign_in"
    """The name of the path that the application chose for this."""
    status: int = 200
    challenge: str = ""
    """What a program gave that wants a token in the end (RFC 7636 §4.2): then `next` is where its code is sent."""
    is_step_up: bool = False
    """Whether this proof is added to the session that there is."""
    extras: Mapping[type[Form], Form] | None = None
    """What was filled in where a flow in a browser began; without it, what came with this request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """The step of a detour was taken: the parked sign-in goes on, from the start, with one more proof if there is."""

    proof: Proof | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanged:
    """A program brought the code with which a flow in a browser ended: its sign-in goes on, and yields a token."""

    code: str
    verifier: str


Outcome = Shown | Done | Proved | Resumed | Exchanged
