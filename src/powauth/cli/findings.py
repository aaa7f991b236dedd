"""Finding: something about an application that somebody should know, and what to do about it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from powauth.plan import Plan

Severity = Literal["refuse", "warn", "info"]

ORDER: tuple[Severity, ...] = ("refuse", "warn", "info")
"""`refuse` is unsafe whatever was meant; `warn` is unsafe unless it was meant; `info` is worth knowing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found."""

    code: str
    severity: Severity
    says: str
    do: str
    identifiers: tuple[str, ...] = ()
    """The requirements that it belongs to: `ASVS 6.2.1`, `NIST 3.1.1.2`, or a sentence of Powauth's own, `S26`."""


Check = Callable[[Plan], Iterable[Finding]]
"""Looks at one thing in a plan."""


def findings(plan: Plan, checks: Iterable[Check]) -> list[Finding]:
    """Return what all checks find, the worst first."""
    return ordered(found for check in checks for found in check(plan))


def ordered(found: Iterable[Finding]) -> list[Finding]:
    """Return findings, the worst first."""
    return sorted(found, key=lambda finding: ORDER.index(finding.severity))
