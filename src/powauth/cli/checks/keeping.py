"""What an application keeps, where, and under which secrets."""

import os
from collections.abc import Iterator

from powauth.cli.findings import Finding
from powauth.mail import ConsoleMailer
from powauth.plan import Plan
from powauth.stores import MemoryStore
from powauth.workers import worker_count


def store(plan: Plan) -> Iterator[Finding]:
    """Find sessions that live in the memory of one process."""
    if not isinstance(plan.store, MemoryStore):
        return
    workers = max(worker_count(os.environ, ()), plan.passwords.worker_processes)
    if workers > 1:
        yield Finding(
            code="memory_store",
            severity="refuse",
            says=f"sessions and limits are in memory, and there are {workers} processes, each with others",
            do="give Auth a store that processes share, such as SQLiteStore",
            identifiers=("ASVS 7.2.1", "ASVS 7.4.1", "ASVS 6.3.1"),
        )
        return
    yield Finding(
        code="memory_store",
        severity="warn" if plan.is_https else "info",
        says="sessions and limits are in memory: a restart signs everybody out and forgets what was counted",
        do="give Auth a store that lasts, such as SQLiteStore; this one is for one process, and for tests",
        identifiers=("ASVS 6.3.1", "S70"),
    )


def mailer(plan: Plan) -> Iterator[Finding]:
    """Find mails that are printed where people wait for them."""
    if plan.is_https and isinstance(plan.mailer, ConsoleMailer):
        yield Finding(
            code="console_mailer",
            severity="warn",
            says="mails are printed, links included: nobody receives them, and whoever reads the log can use them",
            do="pass a mailer that sends",
            identifiers=("ASVS 6.3.7", "NIST 4.2.1.2", "NIST 4.6"),
        )


def sender(plan: Plan) -> Iterator[Finding]:
    """Say that mails need a process of their own, where the application sends none."""
    if not plan.sends_mail:
        yield Finding(
            code="mail_elsewhere",
            severity="info",
            says="this application owes mails and sends none",
            do="keep `powauth mail run` running beside it; `powauth mail list` shows what waits",
            identifiers=("ASVS 6.3.7", "NIST 4.6"),
        )


def secrets(plan: Plan) -> Iterator[Finding]:
    """Find secrets that only verify."""
    if count := plan.signer.retired:
        yield Finding(
            code="retired_secrets",
            severity="info",
            says=f"secrets that only verify are still listed: {count}",
            do=f"remove them {plan.session_settings.absolute} after the newest came first; one that leaked, at once",
            identifiers=("S19",),
        )


def dump(plan: Plan) -> Iterator[Finding]:  # noqa: ARG001  the shape of a check
    """Say what a database role of the application can read: that holds for all, and is documented."""
    yield Finding(
        code="readable_hashes",
        severity="info",
        says="whoever has the application's database role can read password hashes",
        do="keep that role to the application; a role that cannot read them is not offered yet",
        identifiers=("S1", "S2"),
    )
