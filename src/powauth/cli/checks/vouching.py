"""Whom an application believes about its people, and on what terms."""

from collections.abc import Iterator

from powauth.cli.features import has
from powauth.cli.findings import Finding
from powauth.cli.vouching import are_per_request, listed, settings, without
from powauth.plan import Plan


def linking(plan: Plan) -> Iterator[Finding]:
    """Find accounts that a provider's word about an address opens."""
    if getattr(settings(plan), "links_verified", False):
        yield Finding(
            code="links_verified",
            severity="warn",
            says="whoever a provider says has proved an address comes into the account that has it",
            do="leave links_verified off: people connect the account that they have from the page that asks for more; "
            "or list only providers that prove addresses, and that nobody else runs",
            identifiers=("ASVS 6.8.1", "S47", "S48"),
        )


def keeping(plan: Plan) -> Iterator[Finding]:
    """Say that what opens other sites in people's names is kept."""
    if getattr(settings(plan), "keeps_tokens", False):
        yield Finding(
            code="keeps_provider_tokens",
            severity="info",
            says="access and refresh tokens of people are kept, encrypted: whoever has a dump of the database and the "
            "keys of `encryption` acts in their name at providers",
            do="turn keeps_tokens off unless the application calls providers in people's names, ask for the least "
            "scopes, and keep the keys of `encryption` apart from the database",
            identifiers=("S14",),
        )


def binding(plan: Plan) -> Iterator[Finding]:
    """Find flows whose codes or tokens are bound by less than they could be."""
    if names := ", ".join(without(plan, "pkce")):
        yield Finding(
            code="no_pkce",
            severity="warn",
            says=f"a code that somebody got hold of is not bound to its flow: pkce=False at {names}",
            do="leave pkce on unless the provider refuses it",
            identifiers=("ASVS 10.2.1", "S49"),
        )
    unbound = set(without(plan, "pkce")).intersection(without(plan, "nonce"))
    if unbound:
        yield Finding(
            code="unbound_flows",
            severity="refuse",
            says=f"neither PKCE nor a nonce binds what comes back to its flow at {', '.join(sorted(unbound))}",
            do="turn one of them on",
            identifiers=("ASVS 10.2.1", "ASVS 10.5.1", "S49"),
        )


def places(plan: Plan) -> Iterator[Finding]:
    """Find providers that may stand on this machine, or in its own network, while people come from everywhere."""
    if not plan.is_https:
        return
    if names := ", ".join(_standing(plan, "loopback")):
        yield Finding(
            code="loopback_provider",
            severity="warn",
            says=f"a provider may stand on this machine, and be spoken to without TLS: {names}",
            do="leave network at Network.PUBLIC: Network.LOOPBACK is for development and tests",
            identifiers=("S52",),
        )
    if names := ", ".join(_standing(plan, "private")):
        yield Finding(
            code="private_provider",
            severity="info",
            says=f"a provider may stand in the network around this machine: {names}",
            do="leave network at Network.PUBLIC unless the provider is your own and stands there",
            identifiers=("S52",),
        )


def _standing(plan: Plan, network: str) -> Iterator[str]:
    return (str(provider.name) for provider in listed(plan) if getattr(provider, "network", None) == network)


def way(plan: Plan) -> Iterator[Finding]:
    """Say what people cannot do with providers, or nobody looked at."""
    if settings(plan) is None:
        return
    if not has(plan, "prove"):
        yield Finding(
            code="providers_without_prove",
            severity="info",
            says="providers are connected and disconnected only in the first minutes after signing in",
            do="enable Prove(): then people are asked to show again who they are",
            identifiers=("ASVS 7.5.1",),
        )
    if are_per_request(plan):
        yield Finding(
            code="providers_per_request",
            severity="info",
            says="providers are returned for each request: none of them is looked at here",
            do="see that each tenant is given its own, and call their `problems()` where they are configured",
            identifiers=("ASVS 6.8.1", "S50"),
        )
