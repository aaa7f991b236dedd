"""What an application has, as checks and requirements ask for it."""

from datetime import timedelta

from powauth.cli.reach import leads_to
from powauth.extension import Extension
from powauth.extensions.providers.settings import ProviderSettings
from powauth.extensions.remember_me import RememberMe
from powauth.pages import Page
from powauth.plan import Bound, Plan
from powauth.routing import All, Parked, Requirement, as_post, requirement
from powauth.session import Proof
from powauth.tokens import TokenKind


def has(plan: Plan, *names: str) -> bool:
    """Whether an extension of one of these names is enabled."""
    return any(known.name in names for known in extensions(plan))


def remembered_for(plan: Plan) -> timedelta:
    """Return how long a browser signs in by itself; no time at all where none does."""
    return next((known.lifetime for known in extensions(plan) if isinstance(known, RememberMe)), timedelta())


def silent_providers(plan: Plan) -> tuple[str, ...]:
    """Return the names of providers that sign a browser in again without a click."""
    found = (known for known in extensions(plan) if isinstance(known, ProviderSettings))
    return tuple(name for known in found for name in known.signs_in_silently)


def extensions(plan: Plan) -> tuple[Extension, ...]:
    """Return the extensions that are enabled."""
    return tuple(plan.extensions.values())


def second_factors(plan: Plan) -> tuple[str, ...]:
    """Return the extensions that ask for one more proof between a proof and a session.

    A mailbox is not counted: whoever resets a password needs no other one.
    """
    return tuple(
        known.name
        for known in extensions(plan)
        if not any(kind.proves for kind in known.manifest().tokens)
        and any(_asks_for_proof(b) for b in _of(plan, known))
    )


def _of(plan: Plan, extension: Extension) -> list[Bound]:
    return [bound for bound in plan.pages.values() if bound.extension == extension.name]


def _asks_for_proof(bound: Bound) -> bool:
    post = as_post(bound.page)
    return bool(post and demands(bound.page, Parked) and leads_to(post.submit, (Proof,)))


def demands(page: Page, kind: type[Requirement]) -> bool:
    """Whether a page has a requirement of this kind."""
    return _includes(requirement(page), kind)


def _includes(asked: Requirement, kind: type[Requirement]) -> bool:
    if isinstance(asked, All):
        return any(_includes(one, kind) for one in asked.requirements)
    return isinstance(asked, kind)


def page_named(plan: Plan, code: str) -> Page | None:
    """Return the page `extension.page`, as it is served."""
    return next((bound.page for bound in plan.pages.values() if bound.code == code), None)


def proving_tokens(plan: Plan) -> tuple[TokenKind, ...]:
    """Return the mailed links whose use proves something."""
    return tuple(kind for kind in plan.token_kinds if kind.proves)


def tells_taken(plan: Plan) -> bool:
    """Whether sign-up or a change of address tells strangers which addresses have an account."""
    if "email" not in plan.identifiers or not has(plan, "sign_up", "manage_account"):
        return False
    return not has(plan, "email_confirmation") or tells_in_grace(plan)


def tells_in_grace(plan: Plan) -> bool:
    """Whether sign-up tells who has an account, because a new one can be used before its address is confirmed."""
    confirming = (known for known in extensions(plan) if known.name == "email_confirmation")
    return has(plan, "sign_up") and any(getattr(known, "grace", None) for known in confirming)
