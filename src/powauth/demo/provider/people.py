"""People: who somebody may be at the demo's own provider."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

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
    is_verified: bool = field(default=False, kw_only=True)
    is_taken: bool = field(default=False, kw_only=True)
    """Whether somebody in the demo has the address already."""

    @property
    def story(self) -> str:
        """What is special about the address, for whoever chooses."""
        if not self.email:
            return "address withheld"
        proved = "address proved" if self.is_verified else "address not proved"
        return f"{proved}, and taken" if self.is_taken else proved

    def claims(self, scopes: Collection[str]) -> dict[str, object]:
        """Return what may be said to whoever was granted these scopes (OpenID Connect Core §5.4)."""
        said: dict[str, object] = {"sub": self.subject}
        if "profile" in scopes:
            said["name"] = self.name
        if "email" in scopes and self.email:
            said |= {"email": self.email, "email_verified": self.is_verified}
        return said


INVENTED = (
    Person("grace", "Grace Hopper", "grace@provider.example", is_verified=True),
    Person("katherine", "Katherine Johnson", "katherine@provider.example"),
    Person("hedy", "Hedy Lamarr"),
    Person("ada", "Ada Lovelace", ADA, is_verified=True, is_taken=True),
)


def chosen(fields: Mapping[str, str]) -> Person | None:
    """Return who a form says, one of the invented people or somebody who was typed in; `None` for nobody."""
    if fields.get("who") == "typed":
        return _typed(fields.get("name", ""), fields.get("email", ""), is_verified=fields.get("verified") == "on")
    return next((person for person in INVENTED if person.subject == fields.get("who")), None)


def _typed(name: str, email: str, *, is_verified: bool) -> Person | None:
    """Return somebody who was typed in: the same address, or without one the same name, is the same person."""
    name, email = name.strip(), email.strip()
    if not 0 < len(name) <= LONGEST or len(email) > 254:  # RFC 5321 §4.5.3.1.3, less the angle brackets
        return None
    same = hashlib.sha256((email or f"name {name}").lower().encode()).hexdigest()
    return Person(f"typed-{same[:24]}", name, email, is_verified=is_verified and bool(email))
