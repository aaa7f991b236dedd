"""OWASP ASVS 5.0: federation, OAuth and OpenID Connect."""

from powauth.cli.features import has
from powauth.cli.standards.standing import Demand, Judge, Standing, absent, met, only_with, where
from powauth.cli.vouching import are_per_request, listed, settings, speaks_openid, without
from powauth.plan import Plan

NO_SERVER = "there is no authorization server"
NO_RESOURCE = "there is no resource server: a bearer token is a session"


NO_PROVIDERS = "nobody signs in through another site: the extension providers is not enabled"
NO_OPENID = "no provider speaks OpenID Connect"


def client(judge: Judge) -> Judge:
    """Return the judge of what only providers can meet or miss."""
    return only_with(lambda plan: has(plan, "providers"), judge, NO_PROVIDERS)


def openid(judge: Judge) -> Judge:
    """Return the judge of what only providers of OpenID Connect can meet or miss."""
    return client(only_with(_speaks_openid, judge, NO_OPENID))


def _speaks_openid(plan: Plan) -> bool:
    return are_per_request(plan) or any(map(speaks_openid, listed(plan)))


def _links(plan: Plan) -> bool:
    return not getattr(settings(plan), "links_verified", False)


def _nonce(plan: Plan) -> Standing:
    if names := ", ".join(name for name in without(plan, "nonce")):
        return Standing("not met", f"nonce=False, so PKCE alone binds the code: {names}")
    return Standing("met", "a nonce for each flow, compared in constant time")


def _cross_site(plan: Plan) -> Standing:
    if names := ", ".join(without(plan, "pkce")):
        return Standing("met", f"state, bound to the browser by a cookie; pkce=False: {names}")
    return Standing("met", "state, bound to the browser by a cookie, and PKCE with S256")


def _audience(plan: Plan) -> Standing:
    names = ", ".join(str(each.name) for each in listed(plan) if getattr(each, "trusted_audiences", ()))
    besides = f"; trusted_audiences says for whom else it may be: {names}" if names else ""
    return Standing("met", f"`aud` holds this client's id, and `azp` is it where there is one{besides}")


def _act(plan: Plan) -> Standing:
    if names := ", ".join(getattr(settings(plan), "signs_in_silently", ())):
        return Standing("not met", f"signs_in_silently signs a browser in without a click: {names}")
    return Standing("met", "a flow begins with a button; what another site sends begins none")


def _all(level: str, judge: Judge, **titles: str) -> tuple[Demand, ...]:
    return tuple(
        Demand(f"ASVS {name.removeprefix('v').replace('_', '.')}", level, title, judge)
        for name, title in titles.items()
    )


FEDERATION: tuple[Demand, ...] = (
    Demand(
        "ASVS 6.8.1",
        "2",
        "an identity is the provider and its subject",
        client(
            where(_links, "accounts are found by issuer and subject alone", "links_verified=True finds them by address")
        ),
    ),
    Demand(
        "ASVS 6.8.2",
        "2",
        "signatures are always verified",
        client(
            met("ID tokens, by the issuer's own keys and one algorithm; without one the provider is asked, over TLS")
        ),
    ),
    Demand(
        "ASVS 6.8.4",
        "2",
        "how and when the provider authenticated is verified",
        client(
            met("its word is one factor, however it was shown; `acr_values` and `auth_time` are verified if asked for")
        ),
    ),
    Demand(
        "ASVS 7.6.1",
        "2",
        "lifetimes of federated sessions are settled",
        client(met("a session has its own times, whatever becomes of the one at the provider: SessionSettings")),
    ),
    Demand("ASVS 7.6.2", "2", "no session without an act of the person", client(_act)),
    Demand(
        "ASVS 10.1.2",
        "2",
        "a flow ends in the browser that began it",
        client(met("state, nonce and verifier are kept sealed under a cookie of that browser, and used once")),
    ),
    Demand("ASVS 10.2.1", "2", "PKCE or state against cross-site requests", client(_cross_site)),
    Demand(
        "ASVS 10.2.2",
        "2",
        "defence against mix-up",
        client(met("a call-back for each provider, a flow for one alone; `iss` is compared where it is said")),
    ),
    Demand("ASVS 10.5.1", "2", "nonce against replay", openid(_nonce)),
    Demand(
        "ASVS 10.5.2",
        "2",
        "a person is known by subject, and nothing that can be given to another",
        openid(met("`sub` at its issuer")),
    ),
    Demand(
        "ASVS 10.5.3",
        "2",
        "the issuer's metadata is its own",
        openid(met("metadata that name another issuer are refused")),
    ),
    Demand("ASVS 10.5.4", "2", "the audience of an ID token is this client", openid(_audience)),
    Demand(
        "ASVS 10.5.5",
        "2",
        "logout tokens are of their type and short-lived",
        openid(absent("no provider sends logout tokens here")),
    ),
    *_all("2", absent("there is no SAML"), v6_8_3="SAML assertions are used once"),
    *_all(
        "2",
        absent(NO_RESOURCE),
        v10_3_1="audience of access tokens",
        v10_3_2="scope of access tokens",
        v10_3_3="identity from issuer and subject",
        v10_3_4="how strongly somebody authenticated",
    ),
    *_all("3", absent(NO_RESOURCE), v10_3_5="access tokens bound to their sender"),
    *_all(
        "1",
        absent(NO_SERVER),
        v10_4_1="redirect URIs compared exactly",
        v10_4_2="a code is used once",
        v10_4_3="a code lives at most 10 minutes",
        v10_4_4="grants per client; no implicit, no password grant",
        v10_4_5="a refresh token that is used again ends its family",
    ),
    *_all(
        "2",
        absent(NO_SERVER),
        v10_4_6="PKCE with S256 only",
        v10_4_7="care with dynamic registration",
        v10_4_8="refresh tokens expire at last",
        v10_4_9="people can revoke tokens",
        v10_4_10="confidential clients authenticate",
        v10_4_11="least scopes",
        v10_6_1="response types of an OpenID provider",
        v10_6_2="logout is confirmed",
        v10_7_1="consent each time",
        v10_7_2="consent is clear",
        v10_7_3="consent can be revoked",
    ),
    *_all(
        "3",
        absent(NO_SERVER),
        v10_4_13="pushed authorization requests",
        v10_4_14="tokens bound to their sender",
        v10_4_16="strong client authentication",
    ),
)
