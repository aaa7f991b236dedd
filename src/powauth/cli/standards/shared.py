"""What demands of both standards depend on."""

from datetime import timedelta

from powauth.cli.features import demands, has, page_named, proving_tokens, second_factors, tells_taken
from powauth.cli.routes import span
from powauth.cli.standards.standing import Standing
from powauth.extensions.prove import Recent
from powauth.passwords.settings import SHORTEST_ALONE
from powauth.plan import Plan
from powauth.stores import MemoryStore

TEN_MINUTES = timedelta(minutes=10)
ONE_DAY = timedelta(hours=24)

NO_FACTORS = "no extension asks for a second factor"
NO_CODES = "no code or look-up secret signs anybody in"
NO_PHONES = "nothing is sent over the telephone network"
NO_PASSKEYS = "there are no passkeys"


def breaches_are_looked_up(plan: Plan) -> Standing:
    """Judge whether new passwords are compared with breached ones."""
    settings = plan.passwords
    if settings.breach is None:
        missing = "set Passwords(breach=PwnedPasswords()), or give it a list of your own"
        return Standing("not met", f"common and context words only: {missing}")
    meanwhile = "is taken" if settings.breach_failure == "pass" else "is refused"
    says = (
        f"common and context words, and Passwords(breach=...); while the list does not answer, a password {meanwhile}"
    )
    return Standing("met by setting", says)


def long_passwords(plan: Plan) -> bool:
    """Whether a password may be the only factor."""
    return plan.passwords.min_length >= SHORTEST_ALONE


def has_second_factor(plan: Plan) -> bool:
    """Whether something asks for a second factor."""
    return bool(second_factors(plan))


def manages_account(plan: Plan) -> bool:
    """Whether people change their own credentials."""
    return has(plan, "manage_account")


def notifies(plan: Plan) -> bool:
    """Whether people hear of changes of their credentials."""
    return has(plan, "security_mails")


def lists_sessions(plan: Plan) -> bool:
    """Whether people see where they are signed in."""
    return has(plan, "session_list")


def recovers(plan: Plan) -> bool:
    """Whether people come back who forgot their password."""
    return has(plan, "reset_password")


def reaches_sessions(plan: Plan) -> bool:
    """Whether an administrator's command reaches the sessions."""
    return not isinstance(plan.store, MemoryStore)


def hides_accounts(plan: Plan) -> Standing:
    """Judge whether a stranger can find out who has an account."""
    if tells_taken(plan):
        return Standing("not met", "sign-up and a change of address tell: enable EmailConfirmation()")
    if has(plan, "sign_up") and "username" in plan.identifiers:
        return Standing("not met", "a taken user name is told at sign-up, since another one has to be chosen")
    return Standing("met by setting", "the same answer and the same work, known or not; see also outdated_hashes")


def mailbox_is_no_factor(plan: Plan) -> Standing:
    """Judge whether a mailbox is ever the proof of a sign-in."""
    if plan.profile == "strict":
        return Standing("met", "the strict profile signs nobody in by a proof of the mailbox")
    if kinds := proving_tokens(plan):
        names = ", ".join(kind.name for kind in kinds)
        return Standing("not met", f"a mailed link is one factor, and counted as one: {names}")
    return Standing("met", "no mailed link signs anybody in")


def mailed_codes_are_short_lived(plan: Plan) -> Standing:
    """Judge how long what is mailed can be used as a proof."""
    kinds = [kind for kind in proving_tokens(plan) if kind.lifetime > TEN_MINUTES]
    if kinds:
        names = ", ".join(f"{kind.name} {span(kind.lifetime)}" for kind in kinds)
        return Standing("not met", f"{names}: longer than 10 minutes; for recovery alone 24 hours are allowed")
    return Standing("met", "used once; none that proves anything lives longer than 10 minutes")


def sessions_end_with_a_proof(plan: Plan) -> Standing:
    """Judge whether people see and end their sessions after a fresh proof."""
    page = page_named(plan, "session_list.end")
    if page is None:
        return Standing("not met", "people cannot see or end their sessions: enable SessionList()")
    if demands(page, Recent):
        return Standing("met by setting", "session_list, after a fresh proof")
    return Standing("not met", "people see and end their sessions, but no fresh proof is asked for before")
