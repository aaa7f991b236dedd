"""How long people stay signed in, and what it takes."""

from collections.abc import Iterator
from datetime import timedelta

from powauth.cli.features import remembered_for, second_factors, silent_providers
from powauth.cli.findings import Finding
from powauth.plan import Plan
from powauth.sessions import AAL2, AAL2_IDLE

LATE = timedelta(minutes=1)  # a restart of a database; whoever signs out somewhere else is gone by then
AAL1 = timedelta(days=30)  # SP 800-63B-4 §2.1.3


def times(plan: Plan) -> Iterator[Finding]:
    """Find sessions that live longer than recommended."""
    idle, absolute = plan.session_settings.idle, plan.session_settings.absolute
    if absolute > AAL1:
        yield Finding(
            code="long_sessions",
            severity="warn",
            says=f"a session lives up to {absolute}, longer than the 30 days that are recommended at AAL1",
            do="shorten SessionSettings(absolute=...)",
            identifiers=("ASVS 7.3.2", "NIST 2.1.3"),
        )
    elif absolute > AAL2 or idle > AAL2_IDLE:
        yield Finding(
            code="long_sessions",
            severity="info",
            says=f"a session lives up to {absolute}, idle {idle}: at AAL2 24 hours and 1 hour are recommended",
            do="shorten SessionSettings(absolute=..., idle=...) if what people can do here asks for AAL2",
            identifiers=("ASVS 7.3.1", "ASVS 7.3.2", "NIST 2.2.3"),
        )


def ends(plan: Plan) -> Iterator[Finding]:
    """Find processes that may not know for long what ended, where the store may lose it."""
    within = plan.session_settings.ends_known_within
    if plan.revokes and within > LATE:
        yield Finding(
            code="late_ends",
            severity="warn",
            says=f"a process may serve for {within} what was ended, if it lost the database and the store lost the end",
            do="shorten SessionSettings(ends_known_within=...)",
            identifiers=("ASVS 7.4.1", "ASVS 7.4.2"),
        )


def remembered(plan: Plan) -> Iterator[Finding]:
    """Find browsers that sign in by themselves, and those that do so for too long."""
    lifetime = remembered_for(plan)
    if lifetime > AAL1:
        yield Finding(
            code="long_remembered",
            severity="warn",
            says=f"a device is remembered for {lifetime}: at AAL1 a new proof is due after 30 days",
            do="shorten RememberMe(lifetime=...)",
            identifiers=("ASVS 7.3.2", "NIST 2.1.3"),
        )
    if lifetime:
        yield Finding(
            code="remembered_devices",
            severity="info",
            says="a remembered browser signs in without anybody showing a factor",
            do="ask for a recent proof where it matters: require=recent(timedelta(minutes=5))",
            identifiers=("NIST 5.1", "ASVS 7.5.3"),
        )


def silent(plan: Plan) -> Iterator[Finding]:
    """Find browsers that a provider signs in again without anybody doing anything."""
    if names := silent_providers(plan):
        yield Finding(
            code="silent_sign_in",
            severity="info",
            says=f"{', '.join(names)} signs a browser in again without a click, as long as it is signed in there",
            do="ask for a recent proof where it matters: require=recent(timedelta(minutes=5))",
            identifiers=("NIST 5.1", "ASVS 7.5.3"),
        )


def factors(plan: Plan) -> Iterator[Finding]:
    """Find out whether a password is all that it takes."""
    if not second_factors(plan):
        yield Finding(
            code="single_factor",
            severity="info",
            says="one factor is enough to sign in: no extension asks for a second one",
            do="count on AAL1 only",
            identifiers=("ASVS 6.3.3", "NIST 2.2.1"),
        )
