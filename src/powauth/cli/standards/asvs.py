"""OWASP ASVS 5.0: authentication, sessions, self-contained tokens."""

from powauth.cli.standards import shared
from powauth.cli.standards.standing import Demand, absent, duty, met, only_with, unmet, where

ASVS: tuple[Demand, ...] = (
    Demand(
        "ASVS 6.1.1",
        "1",
        "rate limits and lock-out are documented, and nobody can lock others out",
        met("limits by address and by identifier; a browser that signed in before is counted apart"),
    ),
    Demand(
        "ASVS 6.1.3",
        "2",
        "all ways to sign in are documented, with equal strength",
        met("all end in one function; `powauth explain sign-in` lists them and what stands between"),
    ),
    Demand("ASVS 6.2.1", "1", "passwords of at least 8 characters", met("8 or more; 15 in the strict profile")),
    Demand(
        "ASVS 6.2.2",
        "1",
        "people can change their password",
        where(shared.manages_account, "manage_account", "enable ManageAccount()"),
    ),
    Demand(
        "ASVS 6.2.3",
        "1",
        "changing it needs the current and the new one",
        where(shared.manages_account, "manage_account; without a password, a fresh proof", "enable ManageAccount()"),
    ),
    Demand("ASVS 6.2.4", "1", "the 3000 most common are refused", met("a list in the package")),
    Demand("ASVS 6.2.5", "1", "no rules about kinds of characters", met("there are none")),
    Demand(
        "ASVS 6.2.6", "1", "password fields are masked", met("on Powauth's own pages; others are the application's")
    ),
    Demand(
        "ASVS 6.2.7", "1", "paste and password managers work", met("named and marked fields, and no script against it")
    ),
    Demand(
        "ASVS 6.2.8", "1", "verified exactly as sent, nothing cut", met("4096 bytes, and what is longer is refused")
    ),
    Demand("ASVS 6.2.9", "2", "at least 64 characters are allowed", met("4096 bytes")),
    Demand("ASVS 6.2.10", "2", "passwords do not expire", met("none does")),
    Demand(
        "ASVS 6.2.11",
        "2",
        "words of the context are refused",
        met("the identifiers and the application's name; more with Passwords(context_words=...)"),
    ),
    Demand(
        "ASVS 6.2.12",
        "2",
        "breached passwords are refused",
        shared.breaches_are_looked_up,
    ),
    Demand(
        "ASVS 6.3.1",
        "1",
        "controls against stuffing and guessing work",
        met("attempts are counted before they are made, by identifier and address"),
    ),
    Demand("ASVS 6.3.2", "1", "no default accounts", met("there are none")),
    Demand(
        "ASVS 6.3.3",
        "2",
        "a second factor is required, or a combination of single ones",
        where(shared.has_second_factor, "an extension asks for one", shared.NO_FACTORS),
    ),
    Demand(
        "ASVS 6.3.4", "2", "no undocumented way in", met("only sign_in starts sessions, and every gate stands in it")
    ),
    Demand(
        "ASVS 6.3.5",
        "3",
        "people are told of suspicious attempts",
        unmet("security_mails tells of new devices and stolen cookies, and nobody of failures"),
    ),
    Demand("ASVS 6.3.6", "3", "email is no factor", shared.mailbox_is_no_factor),
    Demand(
        "ASVS 6.3.7",
        "3",
        "people are told after a change of credentials",
        where(shared.notifies, "security_mails", "enable SecurityMails()"),
    ),
    Demand("ASVS 6.3.8", "3", "nobody learns who has an account", shared.hides_accounts),
    Demand(
        "ASVS 6.4.1", "1", "initial secrets are random, short-lived, used once", met("tokens of 256 bits, used once")
    ),
    Demand("ASVS 6.4.2", "1", "no hints, no questions", met("there are none")),
    Demand("ASVS 6.4.3", "2", "a reset does not get round other factors", met("it ends in sign_in, before every gate")),
    Demand(
        "ASVS 6.4.4",
        "2",
        "a lost factor is replaced like it was enrolled",
        only_with(shared.has_second_factor, duty("replace lost factors with the care of enrolment"), shared.NO_FACTORS),
    ),
    Demand(
        "ASVS 6.4.6",
        "3",
        "administrators start resets and never choose passwords",
        met("no page or command sets the password of an account that exists; a first one can be left out"),
    ),
    Demand("ASVS 6.5.1", "2", "codes are used once", met("tokens are taken atomically, once")),
    Demand("ASVS 6.5.2", "2", "look-up secrets are hashed", absent(shared.NO_CODES)),
    Demand("ASVS 6.5.3", "2", "codes come from a secure generator", met("the system's own")),
    Demand("ASVS 6.5.4", "2", "codes have at least 20 bits", met("256 bits")),
    Demand("ASVS 6.5.5", "2", "codes live at most 10 minutes", shared.mailed_codes_are_short_lived),
    Demand("ASVS 6.5.6", "3", "any factor can be revoked", met("a change of password or a lock ends what it opened")),
    Demand("ASVS 6.6.1", "2", "telephone numbers only validated, with alternatives", absent(shared.NO_PHONES)),
    Demand(
        "ASVS 6.6.2",
        "2",
        "out-of-band codes are bound to their request",
        met("a token is bound to purpose, account and epoch, a parked sign-in to its browser"),
    ),
    Demand("ASVS 6.6.3", "2", "out-of-band codes cannot be guessed", met("256 bits, bound to one account")),
    Demand("ASVS 6.7.2", "3", "challenges have at least 64 bits", absent(shared.NO_PASSKEYS)),
    Demand(
        "ASVS 7.1.1",
        "2",
        "idle and absolute times are documented",
        met("SessionSettings(idle=..., absolute=...): 30 minutes and 24 hours by default"),
    ),
    Demand("ASVS 7.1.2", "2", "the number of sessions is documented", met("SessionSettings(most_per_account=...)")),
    Demand("ASVS 7.2.1", "1", "sessions are verified on the server", met("each request asks the store")),
    Demand("ASVS 7.2.3", "1", "references of at least 128 random bits", met("128 bits, and a signature")),
    Demand(
        "ASVS 7.2.4", "1", "a new token at sign-in, the former ended", met("at sign-in, step-up and change of account")
    ),
    Demand("ASVS 7.3.1", "2", "sessions end when idle", met("on the server's clock")),
    Demand("ASVS 7.3.2", "2", "sessions end at last", met("nothing lengthens the absolute time")),
    Demand("ASVS 7.4.1", "1", "signing out ends the session on the server", met("at once")),
    Demand("ASVS 7.4.2", "1", "sessions of locked and closed accounts end", met("before the change is committed")),
    Demand("ASVS 7.4.3", "2", "others can be ended after a change", met("they end with every change of a credential")),
    Demand(
        "ASVS 7.4.5",
        "2",
        "administrators can end sessions",
        where(shared.reaches_sessions, "`powauth sessions end`", "no command reaches sessions in memory"),
    ),
    Demand(
        "ASVS 7.5.1",
        "2",
        "a proof before an address or a factor changes",
        where(
            shared.manages_account, "manage_account asks for the password, or a fresh proof", "enable ManageAccount()"
        ),
    ),
    Demand("ASVS 7.5.2", "2", "people see and end their sessions, after a proof", shared.sessions_end_with_a_proof),
    Demand(
        "ASVS 7.5.3",
        "3",
        "one more factor before what is sensitive",
        where(shared.has_second_factor, "require=recent(..., factor)", shared.NO_FACTORS),
    ),
    Demand(
        "ASVS 9.1.1",
        "1",
        "self-contained tokens are verified first",
        met("signed values are read after their HMAC held, ID tokens of providers after their signature"),
    ),
    Demand(
        "ASVS 9.1.2",
        "1",
        "algorithms from a list",
        met("one: HMAC-SHA-256; of an ID token the one that its provider's value names"),
    ),
    Demand(
        "ASVS 9.1.3",
        "1",
        "keys from where they are trusted",
        met("derived from the secret, never named in a value; of ID tokens those that the issuer publishes"),
    ),
    Demand(
        "ASVS 9.2.1",
        "1",
        "times of validity hold",
        met("checked at every read, `exp`, `iat` and `nbf` of ID tokens as well"),
    ),
    Demand(
        "ASVS 9.2.2",
        "2",
        "tokens serve their purpose only",
        met("a key per purpose; an ID token holds for the flow whose nonce it has"),
    ),
    Demand(
        "ASVS 9.2.3",
        "2",
        "tokens serve their audience only",
        met("a key per Auth; the tenant is signed; `aud` of an ID token is this client"),
    ),
    Demand("ASVS 9.2.4", "2", "an audience cannot be mistaken", met("the same")),
)
