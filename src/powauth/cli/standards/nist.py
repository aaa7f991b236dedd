"""NIST SP 800-63B-4: authenticators, their events, sessions."""

from powauth.cli.checks.sessions import AAL1
from powauth.cli.features import has, remembered_for
from powauth.cli.standards import shared
from powauth.cli.standards.standing import Demand, Standing, absent, met, only_with, unmet, where
from powauth.plan import Plan
from powauth.sessions import AAL2, AAL2_IDLE


def lives_a_month(plan: Plan) -> bool:
    """Whether a session ends within 30 days, and whatever brings one back without a proof."""
    return max(plan.session_settings.absolute, remembered_for(plan)) <= AAL1


def lives_a_day(plan: Plan) -> bool:
    """Whether a session ends within a day, and within an hour when idle."""
    return plan.session_settings.absolute <= AAL2 and plan.session_settings.idle <= AAL2_IDLE


def asks_each_time(plan: Plan) -> bool:
    """Whether no browser signs in by itself."""
    return not has(plan, "remember_me")


def guards_cookies(plan: Plan) -> bool:
    """Whether cookies are Secure and this host's own."""
    return plan.is_https and plan.cookies.domain is None


def recovery(plan: Plan) -> Standing:
    """Judge recovery by mail."""
    if not shared.recovers(plan):
        return Standing("not offered", "nobody comes back by mail: reset_password is not enabled")
    if any(kind.lifetime > shared.ONE_DAY for kind in plan.token_kinds if kind.proves):
        return Standing("not met", "a link for recovery lives longer than 24 hours")
    return Standing("not met", "an account has one address; otherwise 256 bits, used once, throttled, within 24 hours")


def peppered(plan: Plan) -> Standing:
    """Judge how passwords are stored."""
    if plan.passwords.peppers:
        return Standing("met by setting", "argon2id with 128-bit salts, and a pepper")
    return Standing("met", "argon2id with 128-bit salts, raised at sign-in; the pepper that it recommends is not set")


NIST: tuple[Demand, ...] = (
    Demand(
        "NIST 2.1.3",
        "SHALL",
        "an overall time-out is set, at most 30 days at AAL1",
        where(lives_a_month, "SessionSettings(absolute=...), RememberMe(lifetime=...)", "shorten what is longer"),
    ),
    Demand(
        "NIST 2.2.1",
        "SHALL",
        "AAL2: two factors, one of which resists replay",
        where(
            shared.has_second_factor, "an extension asks for one; if it resists replay, that says", shared.NO_FACTORS
        ),
    ),
    Demand("NIST 2.2.2", "SHALL", "AAL2 offers what resists phishing", unmet(shared.NO_PASSKEYS)),
    Demand(
        "NIST 2.2.3",
        "SHOULD",
        "AAL2: overall at most 24 hours, idle at most 1 hour",
        where(lives_a_day, "SessionSettings", "shorten SessionSettings(absolute=..., idle=...)"),
    ),
    Demand(
        "NIST 3.1.1.2",
        "SHALL",
        "15 characters where a password is the only factor, else 8",
        where(shared.long_passwords, "Passwords(min_length=...)", 'set Passwords(min_length=15), or profile="strict"'),
    ),
    Demand(
        "NIST 3.1.1.2",
        "SHOULD",
        "64 allowed, in any script, counted in code points, in NFC",
        met("4096 bytes, code points, NFC"),
    ),
    Demand(
        "NIST 3.1.1.2",
        "SHALL NOT",
        "composition rules, periodic change, hints, questions, truncation",
        met("there are none; an account whose password leaked is locked, which ends its sessions"),
    ),
    Demand(
        "NIST 3.1.1.2",
        "SHALL",
        "compared with a blocklist, with the reason told",
        shared.breaches_are_looked_up,
    ),
    Demand("NIST 3.1.1.2", "SHALL", "managers, paste, and a way to show it", met("on Powauth's own pages")),
    Demand("NIST 3.1.1.2", "SHALL", "a salted slow hash, raised over time; SHOULD keyed", peppered),
    Demand("NIST 3.1.2.2", "SHALL", "look-up secrets used once, hashed, throttled", absent(shared.NO_CODES)),
    Demand("NIST 3.1.3.1", "SHALL NOT", "email as an out-of-band authenticator", shared.mailbox_is_no_factor),
    Demand(
        "NIST 3.1.3.1-R10", "SHALL", "approving carries a secret over", absent("nothing is approved on another device")
    ),
    Demand("NIST 3.1.3.2", "SHALL", "out-of-band codes: 10 minutes, once", shared.mailed_codes_are_short_lived),
    Demand("NIST 3.1.3.3", "SHALL", "telephone network restricted", absent(shared.NO_PHONES)),
    Demand("NIST 3.1.4", "SHALL", "OTP keys of 112 bits, codes accepted once", absent("there is no TOTP")),
    Demand("NIST 3.1.7.2", "SHALL", "without user verification it is one factor", absent(shared.NO_PASSKEYS)),
    Demand(
        "NIST 3.2.2",
        "SHALL",
        "at most 100 failures in a row, then the authenticator is disabled",
        unmet("after 100 there is one attempt each 15 minutes, and none is disabled: nobody locks others out"),
    ),
    Demand("NIST 3.2.5.2", "SHALL", "resistance to phishing by the verifier's name", absent(shared.NO_PASSKEYS)),
    Demand(
        "NIST 4.1",
        "SHALL",
        "a record of all authenticators, with dated events",
        where(
            lambda plan: has(plan, "audit"), "audit", "no extension keeps one: listen to the events, or enable Audit()"
        ),
    ),
    Demand(
        "NIST 4.1.2.1",
        "SHALL",
        "several authenticators; binding at the highest level, and told",
        only_with(shared.has_second_factor, unmet("binding is not judged here"), shared.NO_FACTORS),
    ),
    Demand("NIST 4.1.2.2", "SHALL", "codes to bind another device", absent("no device is bound with a code")),
    Demand("NIST 4.2.1.1", "SHALL", "saved recovery codes", absent("there are none")),
    Demand("NIST 4.2.1.2", "SHALL", "recovery by mail: 6 digits, 24 hours, throttled, two addresses", recovery),
    Demand("NIST 4.2.2.2", "SHALL", "recovery at AAL2 by two ways", absent("there is no account of AAL2")),
    Demand(
        "NIST 4.2.3",
        "SHALL",
        "recovery is told to all addresses",
        where(shared.notifies, "security_mails, to the one address that there is", "enable SecurityMails()"),
    ),
    Demand("NIST 4.3", "SHALL", "prompt invalidation after loss or compromise", met("a lock ends everything at once")),
    Demand(
        "NIST 4.5",
        "SHALL",
        "prompt invalidation when an account is closed",
        met("it is erased, its sessions end first"),
    ),
    Demand(
        "NIST 4.6",
        "SHALL",
        "changes are told to all addresses",
        where(shared.notifies, "security_mails, to the one address that there is", "enable SecurityMails()"),
    ),
    Demand(
        "NIST 5.1",
        "SHALL",
        "a secret of 64 bits, from a proof, not above its level, erased at sign-out",
        where(asks_each_time, "128 bits; a session's factors are its proofs", "remember_me signs in without a proof"),
    ),
    Demand(
        "NIST 5.1",
        "SHALL",
        "what is posted carries a verified session identifier",
        unmet("Origin and Sec-Fetch-Site are checked instead, at every unsafe request, sign-in included"),
    ),
    Demand(
        "NIST 5.1.1",
        "SHALL",
        "cookies Secure, HttpOnly, __Host-, SameSite, opaque",
        where(guards_cookies, "https, and no Cookies(domain=...)", "serve https, and leave Cookies(domain=...) away"),
    ),
    Demand(
        "NIST 5.1.2", "SHALL NOT", "an access token taken for presence", met("a bearer token is a session with proofs")
    ),
    Demand(
        "NIST 5.2",
        "SHALL",
        "both timers; activity resets idle, signing in again both",
        met("a new sign-in starts both anew; a step-up the idle one alone"),
    ),
)
