"""`powauth explain`: what an application does, in order, read from what it is made of."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import click

from powauth.auth import Auth
from powauth.cli.apps import app_option
from powauth.cli.output import Output, Row, json_option
from powauth.cli.reach import leads_to, name_of
from powauth.cli.routes import required
from powauth.events import Authenticated, Event, SessionStarted, SignedIn, SigningIn
from powauth.pages import Exchanged, Proved, Resumed
from powauth.plan import Bound
from powauth.routing import as_post, methods, requirement, show_of

APPLICATION = "the application"

BEFORE_THE_PAGE = (
    "a path or a method that nobody serves, and an unknown tenant",
    "a request that another site made, unless it is one of `origins`",
    "more forms from one address than the page's limit",
    "somebody whose session does not meet what the page requires",
    "a form with a bad field",
)
BEFORE_THE_PASSWORD = (
    "too many failures of this address for this identifier, or of all addresses that are not known to the account",
    "more sign-ins at once than passwords can be hashed: 503",
    "after one hash: an unknown account, one without a password, a wrong password, an account that is not open",
)
BEFORE_THE_HOOKS = (
    "an account that is gone, locked or closed; it is read anew, and its row locked",
    "a proof of another account, or from before the account's last change of a credential",
)
AFTER_THE_HOOKS = (
    "a store that does not take the session, as the last step before the commit: 503, and nothing was done",
)

NOTE = (
    "A page for people who are signed in adds its proof to the session that there is: no gate stands before that. "
    "Handlers of the application's own that call sign_in(request, proof) come to the same gates, and are not listed."
)


@click.group("explain")
def command() -> None:
    """Explain in order what an application does."""


@command.command("sign-in")
@app_option
@json_option
def sign_in(auth: Auth[Any], out: Output) -> None:
    """Explain what stands between a proof and a session.

    Lists every page that can yield a proof, what is refused before, every hook that may refuse or ask for one more
    step, in order, what is refused after, and who is told. It is read from the code of the application as it is: a
    handler that cannot be looked into counts as one that can yield a proof.
    """
    steps = list(steps_of(auth))
    if out.as_json:
        out.json(steps)
        return
    for number, step in enumerate(steps, 1):
        out.say(f"{number}. {step['step']}")
        for line in _lines(step):
            out.say(f"     {line}")
        out.say()


def steps_of(auth: Auth[Any]) -> Iterator[Row]:
    """Give what happens at a sign-in, in order."""
    yield _refusals("Refused before any page", BEFORE_THE_PAGE)
    yield {
        "step": "Pages that can yield a proof, or take a sign-in up again",
        "pages": [_page(auth, bound) for bound in auth.plan.pages.values() if can_prove(bound)],
        "note": NOTE,
    }
    yield _refusals("Refused where a password is the proof", BEFORE_THE_PASSWORD)
    yield _hooks(auth, Authenticated, "A factor was shown: these are told, and may refuse")
    yield _refusals("Refused before the gates", BEFORE_THE_HOOKS)
    yield _hooks(auth, SigningIn, "The gates, in this order: each may refuse, or ask for one more step and start anew")
    yield _hooks(auth, SessionStarted, "A session is made: these are told, and may refuse")
    yield _hooks(auth, SignedIn, "Somebody is signed in: these are told, and may refuse")
    yield _refusals("Refused after the gates", AFTER_THE_HOOKS)


def can_prove(bound: Bound) -> bool:
    """Whether a page can end in a sign-in: with a proof, by going on with a parked one, or for a code."""
    return any(leads_to(handler, (Proved, Resumed, Exchanged)) for handler in handlers(bound))


def handlers(bound: Bound) -> list[Callable[..., Any]]:
    """Return what answers a page."""
    post = as_post(bound.page)
    return [handler for handler in (show_of(bound.page), post.submit if post else None) if handler]


def hooks_of(auth: Auth[Any], event: type[Event]) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Give who listens to an event and whose hook it is, in the order in which they run."""
    listed = [(known.name, hook) for known in auth.extensions for hook in known.manifest().hooks]
    listed += [(APPLICATION, hook) for hook in auth.hooks]
    for wanted in (event, Event):
        yield from ((name, hook.run) for name, hook in listed if hook.event is wanted)


def _refusals(step: str, refused: Sequence[str]) -> Row:
    return {"step": step, "refused": list(refused)}


def _hooks(auth: Auth[Any], event: type[Event], step: str) -> Row:
    hooks = [{"extension": name, "function": name_of(run)} for name, run in hooks_of(auth, event)]
    return {"step": step, "event": event.__name__, "hooks": hooks}


def _page(auth: Auth[Any], bound: Bound) -> Row:
    return {
        "page": bound.code,
        "methods": [method for method in ("GET", "POST") if method in methods(bound.page)],
        "path": auth.plan.mount + bound.page.path,
        "requires": required(requirement(bound.page)),
        "functions": [name_of(handler) for handler in handlers(bound)],
    }


def _lines(step: Row) -> Iterator[str]:
    refused: Any = step.get("refused", ())
    yield from (f"- {sentence}" for sentence in refused)
    pages: Any = step.get("pages", ())
    for page in pages:
        yield f"{page['page']}: {', '.join(page['methods'])} {page['path']} ({page['requires']})"
        yield f"    {', '.join(page['functions'])}"
    hooks: Any = step.get("hooks", ())
    for hook in hooks:
        yield f"{hook['extension']}: {hook['function']}"
    if "hooks" in step and not hooks:
        yield "nobody"
    if "note" in step:
        yield str(step["note"])
