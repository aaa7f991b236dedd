"""Identities that come from another system than a provider: whose they may be, whose they are, and taking them over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from powauth.accounts import Handle
from powauth.context import Context
from powauth.extensions.providers.ports import Provider
from powauth.extensions.providers.records import IdentityRecord, identity_key
from powauth.oauth import OAuth1, OAuth2, OpenIDConnect
from powauth.oauth.id_tokens import TENANT, Issuer

OTHER_ISSUER = "is of another issuer than that of the provider that is configured"
NO_TENANT = "is of a provider of many tenants, and does not say of which one"


@dataclass(frozen=True, slots=True)
class Vouches:
    """Who vouches for the identities of one provider."""

    issuer: Issuer

    def __call__(self, said: str | None) -> str:
        """Return the issuer of an identity that says this one, or none. Raises `ValueError` with what is wrong."""
        only = [self.issuer.value.replace(TENANT, tenant) for tenant in self.issuer.tenants or (TENANT,)]
        if said is None:
            if len(only) > 1 or TENANT in only[0]:
                raise ValueError(NO_TENANT)
            return only[0]
        if not self.issuer.may_be(said) or (TENANT not in only[0] and said not in only):
            raise ValueError(OTHER_ISSUER)
        return said


def vouching(provider: Provider) -> Vouches | None:
    """Return who vouches for the identities of a provider; `None` for a value that does not tell.

    >>> from powauth.providers import GitHub
    >>> vouching(GitHub(client_id="id", client_secret="secret"))(None)
    'https://github.com'
    """
    if isinstance(provider, OpenIDConnect):
        return Vouches(provider.issuers)
    if isinstance(provider, (OAuth1, OAuth2)):
        return Vouches(Issuer(value=provider.whole_issuer))
    issuer = getattr(provider, "issuer", None)
    return Vouches(Issuer(value=issuer)) if isinstance(issuer, str) and issuer else None


async def owners(ctx: Context, identities: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Handle]:
    """Return whose identities are, by issuer and subject, as far as they are anybody's."""
    ids = tuple(identity_key(issuer, subject) for issuer, subject in identities)
    rows = await ctx.records(IdentityRecord).find(where={"id": ids}) if ids else ()
    return {(row.issuer, row.subject): row.owner for row in rows}


async def take_over(ctx: Context, owner: Handle, *, provider: str, issuer: str, subject: str) -> None:
    """Make an identity an account's. What the provider says of its owner is known once they come from there.

    Raises `Taken`.
    """
    row = IdentityRecord(
        id=identity_key(issuer, subject),
        owner=owner,
        provider=provider,
        issuer=issuer,
        subject=subject,
        claims={},
        connected_at=ctx.now,
        used_at=ctx.now,
    )
    await ctx.records(IdentityRecord).add(row)
