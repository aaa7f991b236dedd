"""What addresses, origins, cookies and proxies of an application say about its safety."""

from collections.abc import Iterator

from powauth.cli.findings import Finding
from powauth.cli.sites import is_same_site
from powauth.csrf import origin_of
from powauth.plan import Plan


def base_url(plan: Plan) -> Iterator[Finding]:
    """Find a `base_url` without TLS; another machine's is refused when `Auth` is made."""
    if not plan.is_https:
        yield Finding(
            code="plain_http",
            severity="warn",
            says=f"base_url is {plan.base_url}: cookies are neither Secure nor __Host-, and nothing is encrypted",
            do="for anybody but this machine, serve it over https and say so in base_url",
            identifiers=("NIST 5.1.1", "S26"),
        )


def cookie_domain(plan: Plan) -> Iterator[Finding]:
    """Find cookies that are shared with sub-domains."""
    if plan.cookies.domain is not None:
        yield Finding(
            code="cookie_domain",
            severity="warn",
            says=f"cookies go to every sub-domain of {plan.cookies.domain}, and each of them can overwrite them",
            do="leave Cookies(domain=...) away, unless every sub-domain is as trusted as this one",
            identifiers=("NIST 5.1.1", "S26"),
        )


def origins(plan: Plan) -> Iterator[Finding]:
    """Find front ends that the session's cookie does not reach, or that are not encrypted."""
    base = origin_of(plan.base_url)
    for origin in sorted(plan.origins):
        if plan.is_https and origin.startswith("http:"):
            yield Finding(
                code="plain_origin",
                severity="warn",
                says=f"the front end {origin} is not encrypted: whoever changes it on the way acts with its rights",
                do="serve it over https",
                identifiers=("NIST 5.1.1", "NIST 5.1"),
            )
        elif not is_same_site(base, origin):
            yield Finding(
                code="cross_site_origin",
                severity="warn",
                says=f"the front end {origin} is another site than {base}: browsers leave cookies away there",
                do='sign in with "transport": "bearer" there, or serve it below the same domain',
                identifiers=("NIST 5.1", "NIST 5.1.1"),
            )


def proxies(plan: Plan) -> Iterator[Finding]:
    """Find proxies that are anybody, and say what holds if one stands before that is not named."""
    if everybody := [str(network) for network in plan.trusted_proxies if network.prefixlen == 0]:
        yield Finding(
            code="trusts_everybody",
            severity="warn",
            says=f"every address is a trusted proxy ({', '.join(everybody)}): anybody writes the address they have",
            do='name the network of the proxy alone: Auth(trusted_proxies=["10.0.0.0/8"])',
            identifiers=("ASVS 6.1.1", "ASVS 6.3.1", "S44"),
        )
    if not plan.trusted_proxies:
        yield Finding(
            code="no_trusted_proxies",
            severity="info",
            says="no proxy is trusted: behind one, everybody has its address and shares one limit",
            do='behind a proxy, name its network: Auth(trusted_proxies=["10.0.0.0/8"])',
            identifiers=("ASVS 6.1.1", "ASVS 6.3.1", "S44"),
        )
