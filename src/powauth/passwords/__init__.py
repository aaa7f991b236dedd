"""Passwords: argon2id off the event loop, which ones are refused, peppers, and hashes of other systems."""

from powauth.passwords import breach
from powauth.passwords.breach import BreachLookup, NotAnswered
from powauth.passwords.flask_security import FlaskSecurityHashes
from powauth.passwords.foreign import ForeignHash
from powauth.passwords.hashing import Hasher, Verdict
from powauth.passwords.policy import problems
from powauth.passwords.settings import Passwords, Pepper
from powauth.passwords.text import normalise

__all__ = [
    "BreachLookup",
    "FlaskSecurityHashes",
    "ForeignHash",
    "Hasher",
    "NotAnswered",
    "Passwords",
    "Pepper",
    "Verdict",
    "breach",
    "normalise",
    "problems",
]
