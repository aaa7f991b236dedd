"""OWASP ASVS 5.0: federation, OAuth and OpenID Connect."""

from powauth.cli.features import has
from powauth.cli.standards.standing import Demand, Judge, Standing, absent
from powauth.plan import Plan

NO_SERVER = "there is no authorization server"
NO_RESOURCE = "there is no resource server: a bearer token is a session"


def client(plan: Plan) -> Standing:
    """Judge what only providers can meet or miss."""
    if has(plan, "providers"):
        return Standing("not met", "not judged here: see what the extension says of it")
    return Standing("not offered", "nobody signs in through another site: the extension providers is not enabled")


def _all(level: str, judge: Judge, **titles: str) -> tuple[Demand, ...]:
    return tuple(
        Demand(f"ASVS {name.removeprefix('v').replace('_', '.')}", level, title, judge)
        for name, title in titles.items()
    )


FEDERATION: tuple[Demand, ...] = (
    *_all(
        "2",
        client,
        v6_8_1="an identity is the provider and its subject",
        v6_8_2="signatures are always verified",
        v6_8_4="how and when the provider authenticated is verified",
        v7_6_1="lifetimes of federated sessions are settled",
        v7_6_2="no session without an act of the person",
        v10_1_2="a flow ends in the browser that began it",
        v10_2_1="PKCE or state against cross-site requests",
        v10_2_2="defence against mix-up",
        v10_5_1="nonce against replay",
        v10_5_2="a person is known by subject, and nothing that can be given to another",
        v10_5_3="the issuer's metadata is its own",
        v10_5_4="the audience of an ID token is this client",
        v10_5_5="logout tokens are of their type and short-lived",
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
