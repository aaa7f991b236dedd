"""Which passwords an application takes, and what it costs to guess them."""

import os
from collections.abc import Iterator

from powauth.cli.features import has, second_factors
from powauth.cli.findings import Finding
from powauth.passwords.settings import SHORTEST_ALONE
from powauth.plan import Plan
from powauth.workers import worker_count

LEAST_MEMORY = {1: 46 * 1024, 2: 19 * 1024, 3: 12 * 1024, 4: 9 * 1024, 5: 7 * 1024}
"""KiB by passes: the choices of the OWASP Password Storage Cheat Sheet for argon2id, one lane."""


def length(plan: Plan) -> Iterator[Finding]:
    """Find passwords that are too short to be the only factor."""
    least, factors = plan.passwords.min_length, second_factors(plan)
    if least < SHORTEST_ALONE:
        others = f"who has no other factor ({', '.join(factors)})" if factors else "everybody"
        yield Finding(
            code="short_passwords",
            severity="info" if factors else "warn",
            says=f"a password of {least} characters is enough, and the only factor of {others}",
            do=f'set Passwords(min_length={SHORTEST_ALONE}), or profile="strict"',
            identifiers=("ASVS 6.2.1", "NIST 3.1.1.2"),
        )


def cost(plan: Plan) -> Iterator[Finding]:
    """Find hashes that are cheap to guess."""
    memory, passes = plan.passwords.memory, plan.passwords.time
    least = LEAST_MEMORY[min(passes, max(LEAST_MEMORY))]
    if memory < least:
        yield Finding(
            code="cheap_hashes",
            severity="warn",
            says=f"one hash takes {memory} KiB in {passes} passes: guessing at stolen ones is cheap",
            do=f"set Passwords(memory=...) to {least} or more, or leave it as it is by default",
            identifiers=("NIST 3.1.1.2",),
        )


def cores(plan: Plan) -> Iterator[Finding]:
    """Find processes that each hash on all cores of one machine."""
    workers, said = worker_count(os.environ, ()), plan.passwords.worker_processes
    if workers > said and plan.passwords.threads is None:
        yield Finding(
            code="shared_cores",
            severity="warn",
            says=f"{workers} processes share this machine's cores, and each hashes as if there were {said}",
            do=f"set Passwords(worker_processes={workers}), or sign-ins slow every other request down",
            identifiers=("ASVS 6.3.1",),
        )


def way_back(plan: Plan) -> Iterator[Finding]:
    """Find people who lose their account with their password."""
    if has(plan, "sign_up") and not has(plan, "reset_password") and "email" in plan.identifiers:
        yield Finding(
            code="no_reset",
            severity="info",
            says="whoever forgets the password has lost the account, and asks you",
            do="enable ResetPassword(), or have another way ready that is as safe as sign-in",
            identifiers=("ASVS 6.4.3", "NIST 4.2.1.2"),
        )


def breaches(plan: Plan) -> Iterator[Finding]:
    """Find out whether breached passwords are looked up."""
    if plan.passwords.breach is None and has(plan, "sign_up", "manage_account", "reset_password", "invitation"):
        yield Finding(
            code="no_breach_lookup",
            severity="warn",
            says="new passwords are compared with the list in the package, and not with what was breached elsewhere",
            do="set Passwords(breach=PwnedPasswords()) of powauth.http_breaches, or give it a list of your own",
            identifiers=("ASVS 6.2.12", "NIST 3.1.1.2"),
        )


def breach_failures(plan: Plan) -> Iterator[Finding]:
    """Find out what happens while the list of breached passwords does not answer."""
    if plan.passwords.breach is not None and plan.passwords.breach_failure == "pass":
        yield Finding(
            code="breaches_pass",
            severity="info",
            says="while the list of breached passwords does not answer, new passwords are taken without it",
            do='watch for BreachLookupFailed, or set Passwords(breach_failure="refuse"), which makes people come back',
            identifiers=("ASVS 6.2.12", "NIST 3.1.1.2"),
        )


def pepper(plan: Plan) -> Iterator[Finding]:
    """Find out whether a stolen table alone can be guessed at."""
    if not plan.passwords.peppers:
        yield Finding(
            code="no_pepper",
            severity="info",
            says="hashes have no pepper: whoever steals the table can guess at passwords without anything else",
            do="set Passwords(peppers=[Pepper(id, secret)]), with a secret that is not in the database",
            identifiers=("NIST 3.1.1.2",),
        )
