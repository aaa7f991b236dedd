"""Provider: what this extension asks of a provider's value. Those of `powauth.providers` are ones."""

from typing import Protocol, runtime_checkable

from powauth.oauth import Ask, Begun, Callback, Flow, Identity, Tokens, Tools


class Provider(Protocol):
    """Somebody who vouches for people: any value of `powauth.providers`, `OAuth1`, `OAuth2` or `OpenIDConnect`."""

    @property
    def name(self) -> str:
        """What the application calls it: stands in addresses."""
        ...

    def problems(self) -> tuple[str, ...]:
        """Return what is missing or unsafe, a sentence each."""
        ...

    async def begin(self, tools: Tools, *, redirect_uri: str, ask: Ask | None = None) -> Begun:
        """Return where to send the browser, and the flow to keep."""
        ...

    async def complete(self, tools: Tools, flow: Flow, callback: Callback) -> Identity:
        """Return who came back. Raises a `ProviderError`."""
        ...


@runtime_checkable
class Refreshes(Protocol):
    """A provider that gives new tokens for old ones."""

    @property
    def name(self) -> str:
        """What the application calls it."""
        ...

    async def refresh(self, tools: Tools, tokens: Tokens, *, subject: str | None = None) -> Tokens:
        """Return new tokens for old ones, those of this subject. Raises a `ProviderError`."""
        ...


@runtime_checkable
class Revokes(Protocol):
    """A provider that makes tokens worthless (RFC 7009)."""

    @property
    def name(self) -> str:
        """What the application calls it."""
        ...

    async def revoke(self, tools: Tools, token: str, *, hint: str = "refresh_token") -> None:
        """Make a token worthless. Raises a `ProviderError`."""
        ...


@runtime_checkable
class Vouches(Protocol):
    """A provider that knows under which issuer its people are."""

    def is_issuer(self, issuer: str) -> bool:
        """Say whether it vouches under this name."""
        ...


def is_of(provider: Provider, issuer: str) -> bool:
    """Say whether what was kept of this issuer is this provider's to see: a name may mean another one by now."""
    return not isinstance(provider, Vouches) or provider.is_issuer(issuer)


def title_of(provider: Provider) -> str:
    """Return what a person calls it.

    >>> from powauth.providers import GitHub
    >>> title_of(GitHub(client_id="id", client_secret="secret"))
    'GitHub'
    >>> title_of(GitHub(name="staff", title="GitHub for staff", client_id="id", client_secret="secret"))
    'GitHub for staff'
    """
    if title := getattr(provider, "title", ""):
        return str(title)
    kind = type(provider).__name__
    return kind if kind.lower() == provider.name else provider.name.replace("-", " ").replace("_", " ").title()


def takes_form(provider: Provider) -> bool:
    """Say whether the browser comes back by POST."""
    return getattr(provider, "response_mode", "query") == "form_post"
