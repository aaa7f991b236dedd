"""Provider: what this extension asks of a provider's value. Those of `powauth.providers` are ones."""

from typing import Protocol

from powauth.oauth import Ask, Begun, Callback, Flow, Identity, Tools


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
