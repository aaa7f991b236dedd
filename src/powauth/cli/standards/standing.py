"""Standing: whether an application meets what a standard asks, by what, or why not."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from powauth.plan import Plan

Status = Literal["met", "met by setting", "not met", "application's duty", "not offered"]
"""`not offered`: there is nothing here that it could apply to, such as SAML."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an application stands to one demand."""

    status: Status
    reason: str


Judge = Callable[[Plan], Standing]


@dataclass(frozen=True, slots=True)
class Demand:
    """What a standard asks, in one line; judged for one application at a time."""

    identifier: str
    level: str
    """`1` to `3` in ASVS; `SHALL`, `SHOULD` or `SHALL NOT` in SP 800-63B."""
    title: str
    judge: Judge


def met(by: str) -> Judge:
    """Return the judge of what holds for every application."""
    return lambda _: Standing("met", by)


def unmet(because: str) -> Judge:
    """Return the judge of what holds for no application."""
    return lambda _: Standing("not met", because)


def duty(of: str) -> Judge:
    """Return the judge of what only the application can do."""
    return lambda _: Standing("application's duty", of)


def absent(what: str) -> Judge:
    """Return the judge of what there is not."""
    return lambda _: Standing("not offered", what)


def where(holds: Callable[[Plan], bool], by: str, otherwise: str) -> Judge:
    """Return the judge of what depends on a setting."""
    return lambda plan: Standing("met by setting", by) if holds(plan) else Standing("not met", otherwise)


def only_with(there: Callable[[Plan], bool], judge: Judge, without: str) -> Judge:
    """Return a judge that applies only where there is something to judge."""
    return lambda plan: judge(plan) if there(plan) else Standing("not offered", without)
