"""What an application tells strangers, and what it does not tell its people, or not in their language."""

from collections.abc import Iterator

from powauth.cli.features import has, tells_in_grace, tells_taken
from powauth.cli.findings import Finding
from powauth.plan import Plan


def taken(plan: Plan) -> Iterator[Finding]:
    """Find forms that tell who has an account."""
    if tells_in_grace(plan):
        yield Finding(
            code="grace_tells_taken_addresses",
            severity="warn",
            says="accounts can be used before their address is confirmed, so sign-up tells which ones are taken",
            do="leave the grace of EmailConfirmation() at nothing: then the mailbox is told, and nobody else",
            identifiers=("ASVS 6.3.8", "S11"),
        )
    elif tells_taken(plan):
        yield Finding(
            code="tells_taken_addresses",
            severity="warn",
            says="sign-up and a change of address tell everybody whether an address has an account",
            do="enable EmailConfirmation(): then the mailbox is told, and nobody else",
            identifiers=("ASVS 6.3.8", "S11"),
        )
    if has(plan, "sign_up") and "username" in plan.identifiers:
        yield Finding(
            code="tells_taken_usernames",
            severity="info",
            says="sign-up tells whether a user name is taken: people have to choose another one",
            do="take addresses alone as identifiers where who has an account is a secret",
            identifiers=("ASVS 6.3.8", "S11"),
        )


def changes(plan: Plan) -> Iterator[Finding]:
    """Find changes of credentials that their owner does not hear of."""
    if not has(plan, "security_mails"):
        yield Finding(
            code="no_security_mails",
            severity="warn",
            says="nobody is told that the password or the address of their account was changed",
            do="enable SecurityMails()",
            identifiers=("ASVS 6.3.7", "NIST 4.6", "S40"),
        )


def words(plan: Plan) -> Iterator[Finding]:
    """Find messages that people read in English although they asked for another language."""
    missing = {tag: len(plan.languages.gaps(tag)) for tag in plan.languages.offered}
    lacking = ", ".join(f"{count} in {tag}" for tag, count in missing.items() if count)
    if lacking:
        yield Finding(
            code="missing_words",
            severity="info",
            says=f"some messages have no words in a language that is offered: {lacking}",
            do="see `powauth messages --gaps`, and give them words in a catalogue, or offer fewer languages",
        )


def devices(plan: Plan) -> Iterator[Finding]:
    """Find sessions that their owner can neither see nor end."""
    if not has(plan, "session_list"):
        yield Finding(
            code="no_session_list",
            severity="info",
            says="people can neither see where they are signed in, nor end it",
            do="enable SessionList()",
            identifiers=("ASVS 7.5.2", "S31"),
        )
