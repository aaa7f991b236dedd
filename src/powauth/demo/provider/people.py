"""People: who somebody may be at the demo's own provider."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from powauth.demo.pages import ADA

LONGEST = 80
"""Characters of a name, as many as the demo's column has."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, and what the provider says of them."""

    subject: str
    name: str
    email: str = ""
    """Empty where it is withheld."""
    is_verified: bool = False
    story: str = ""
    """What comes of it, for whoever chooses."""

    def claims(self, scopes: Collection[str]) -> dict[str, object]:
        """Return what may be said to whoever was granted these scopes (OpenID Connect Core §5.4)."""
        said: dict[str, object] = {"sub": self.subject}
        if "profile" in scopes:
            said["name"] = self.name
        if "email" in scopes and self.email:
            said |= {"email": self.email, "email_verified": self.is_verified}
        return said


INVENTED = (
    Person("grace", "Grace Hopper", "grace@provider.example", True, "address proved"),
    Person("katherine", "Katherine Johnson", "katherine@provider.example", False, "address not proved"),
    Person("hedy", "Hedy Lamarr", story="address withheld"),
    Person("ada", "Ada Lovelace", ADA, True, "address proved, and taken"),
)


def invented(subject: str) -> Person | None:
    """Return the invented person with this subject."""
    return next((person for person in INVENTED if person.subject == subject), None)


def typed(name: str, email: str, *, is_verified: bool) -> Person | None:
    """Return somebody who was typed in: the same address, or without one the same name, is the same person."""
    name, email = name.strip(), email.strip()
    if not 0 < len(name) <= LONGEST or len(email) > 254:  # RFC 5321 §4.5.3.1.3, less the angle brackets
        return None
    same = hashlib.sha256((email or f"name {name}").lower().encode()).hexdigest()
    return Person(f"typed-{same[:24]}", name, email, is_verified and bool(email))
