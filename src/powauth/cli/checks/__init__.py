"""The checks of `powauth check`: small functions from a plan to findings. A list of them is data."""

from powauth.cli.checks import addresses, keeping, passwords, sessions, telling, vouching
from powauth.cli.findings import Check

CHECKS: tuple[Check, ...] = (
    addresses.base_url,
    addresses.cookie_domain,
    addresses.origins,
    addresses.proxies,
    keeping.store,
    keeping.mailer,
    keeping.sender,
    keeping.secrets,
    keeping.dump,
    passwords.length,
    passwords.cost,
    passwords.cores,
    passwords.breaches,
    passwords.breach_failures,
    passwords.pepper,
    passwords.way_back,
    sessions.times,
    sessions.ends,
    sessions.remembered,
    sessions.silent,
    sessions.factors,
    telling.taken,
    telling.changes,
    telling.devices,
    telling.words,
    vouching.linking,
    vouching.keeping,
    vouching.binding,
    vouching.places,
    vouching.way,
)

__all__ = ["CHECKS"]
