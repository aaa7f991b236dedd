"""What an application may set about providers."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from datetime import timedelta

from powauth.context import Context
from powauth.errors import NotFound
from powauth.extension import Extension
from powauth.extensions.providers.forms import CompleteForm
from powauth.extensions.providers.ports import Provider
from powauth.extensions.sign_in import SignIn
from powauth.oauth import Ask, OpenIDConnect, Tools
from powauth.oauth.standard import tools as standard_tools

PerRequest = Callable[[Context], Awaitable[Sequence[Provider]]]
"""Returns the providers of a request: a tenant may have its own."""

AskFor = Callable[[Context, Provider], Awaitable[Ask]]
"""Returns what a provider is asked for besides, as further scopes."""

KEPT = ("name", "preferred_username", "email", "email_verified", "picture", "profile", "locale")


class ProviderSettings(Extension):
    """Settings of `Providers`."""

    providers: Sequence[Provider] | PerRequest = ()
    """Who vouches for people, or an async function that says so for each request."""
    registration: bool = True
    """Whether an account is made for somebody who is not known yet. Who is known gets in anyway."""
    form: type[CompleteForm] = CompleteForm
    """What is asked for where a provider leaves something open."""
    profile: Mapping[str, str] = field(default_factory=dict[str, str])
    """Columns of the application's own that a new account takes from claims: `{"name": "name"}`."""
    updates_profile: bool = False
    """Whether these columns are brought up to date at each sign-in with a provider; otherwise only sign-up fills them.

    What people change here themselves is then overwritten.
    """
    claims: tuple[str, ...] = KEPT
    """What is kept of what a provider says, and brought up to date at each sign-in."""
    links_verified: bool = False
    """Whether an identity is linked to the account with the same address by itself, if both sides proved it."""
    fresh: timedelta = timedelta(minutes=5)
    """How old a proof may be with which a provider is connected or disconnected."""
    ask: AskFor | None = None
    """What is asked of a provider for each request."""
    signs_in_silently: Sequence[str] = ()
    """Names of providers that sign a browser in again without a click, if it was they who brought it last."""
    signs_out_at: Sequence[str] = ()
    """Names of providers where a browser that signs out here is signed out as well, if they signed it in."""
    keeps_tokens: bool = False
    """Whether access and refresh tokens are kept, encrypted, for calls in people's names."""
    tools: Tools = field(default_factory=standard_tools)
    """Who asks, signs and remembers what providers publish."""

    name = "providers"
    requires = (SignIn,)

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with the settings."""
        found: list[str] = []
        if not callable(self.providers):
            names = [provider.name for provider in self.providers]
            found += [
                f"{name}: two providers have this name" for name in sorted({n for n in names if names.count(n) > 1})
            ]
            found += [problem for provider in self.providers for problem in provider.problems()]
        if self.fresh <= timedelta(0):
            found.append("fresh has to be longer than nothing")
        return (*found, *self._name_problems())

    def _name_problems(self) -> Iterator[str]:
        """Tell of names that nobody has, as far as the providers are known, and of providers that sign nobody out."""
        if callable(self.providers):
            return
        known = {provider.name: provider for provider in self.providers}
        for setting in ("signs_in_silently", "signs_out_at"):
            if isinstance(getattr(self, setting), str):
                yield f"{setting} is a list of names: write it with [ and ]"
                return
            for name in getattr(self, setting):
                if name not in known:
                    yield f"{setting}: no provider is called {name}"
        for name in self.signs_out_at:
            if name in known and not isinstance(known[name], OpenIDConnect):
                yield f"signs_out_at: {name} does not speak OpenID Connect, which alone has words for signing out"

    def strict_problems(self) -> tuple[str, ...]:
        """Return which settings the strict profile does without."""
        if not self.signs_in_silently:
            return ()
        return ("signs_in_silently signs a browser in without anybody showing a factor: leave it away",)

    @property
    def kept_claims(self) -> frozenset[str]:
        """What is kept of what a provider says: also what fills columns at each sign-in."""
        return frozenset((*self.claims, *(self.profile.values() if self.updates_profile else ())))

    async def all(self, ctx: Context) -> Sequence[Provider]:
        """Return the providers of this request."""
        return await self.providers(ctx) if callable(self.providers) else self.providers

    async def find(self, ctx: Context, name: str) -> Provider:
        """Return the provider of this name. Raises `NotFound` for one that nobody configured."""
        for provider in await self.all(ctx):
            if provider.name == name:
                return provider
        raise NotFound

    def tools_of(self, ctx: Context) -> Tools:
        """Return what flows are run with, by the clock of the `Auth`."""
        return replace(self.tools, clock=ctx.plan.clock)
