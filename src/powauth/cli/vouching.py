"""What an application set about providers, as checks and requirements ask for it.

They need an extra that may not be installed, so their classes are not named.
"""

from collections.abc import Iterator
from typing import Any

from powauth.cli.features import extensions
from powauth.plan import Plan


def settings(plan: Plan) -> Any:  # noqa: ANN401  `Providers`, whose extra may not be installed
    """Return the extension `Providers`; `None` where it is not enabled."""
    return next((known for known in extensions(plan) if known.name == "providers"), None)


def listed(plan: Plan) -> tuple[Any, ...]:
    """Return the providers that are the same for each request; none where an async function returns them."""
    found = settings(plan)
    providers = getattr(found, "providers", ())
    return () if callable(providers) else tuple(providers)


def are_per_request(plan: Plan) -> bool:
    """Whether an async function returns the providers of each request."""
    return callable(getattr(settings(plan), "providers", ()))


def speaks_openid(provider: object) -> bool:
    """Whether a provider speaks OpenID Connect: it alone has ID tokens."""
    return hasattr(provider, "id_token_algorithm")


def without(plan: Plan, setting: str) -> Iterator[str]:
    """Yield the names of providers whose setting of this name is off."""
    return (str(provider.name) for provider in listed(plan) if getattr(provider, setting, True) is False)
