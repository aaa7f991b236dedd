"""Auth: one frozen value that holds everything, checks it, and answers requests."""

import asyncio
import contextlib
import os
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, Self

from powauth.context import NOBODY, Caller, Context
from powauth.edge import Edge
from powauth.errors import ConfigurationError
from powauth.events import Event
from powauth.fold import fold
from powauth.http import RawRequest, Response
from powauth.plan import AnyChore, Plan
from powauth.revocations import RevocationRecord
from powauth.sender import Sender
from powauth.settings import Settings, U
from powauth.templates import Templates
from powauth.tenants import SINGLE, Tenant, loaded_tenants
from powauth.tokens import TokenRecord
from powauth.units import announce, begin, carefully, persistently
from powauth.visits import Visit

BATCH = 1000
"""Rows that one purge removes at a time: others get a turn in between."""
RELOAD_EVERY = 10.0
"""Seconds after which tenants that are read from somewhere are read again."""
LOOKS = 5
"""How often a process asks what ended within the time in which it has to know."""
QUIET = 300.0
"""Seconds without anybody signed in, in a tenant, after which nothing is asked for it until somebody comes."""
PURGE_EVERY = 300.0
"""Seconds between two purges."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Auth(Settings[U], Generic[U]):
    """Everything about sign-in in one application. Frozen; several of them live side by side, told apart by `name`.

    Raises `ConfigurationError` with every problem at once.
    """

    plan: Plan = field(init=False, repr=False)
    """What was made of the settings; ready to use."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "plan", fold(self))

    @classmethod
    def from_env(cls, prefix: str = "AUTH_", **settings: Any) -> Self:  # noqa: ANN401  the fields of Auth
        """Return an `Auth` whose secret and address come from the environment: `AUTH_SECRET`, `AUTH_BASE_URL`.

        `AUTH_SECRET` may hold several secrets, separated by spaces; `AUTH_ORIGINS` and `AUTH_TRUSTED_PROXIES` are
        lists of that kind, too. Raises `ConfigurationError` that names every variable that is missing.
        """
        found: dict[str, Any] = {}
        missing: list[str] = []
        for name, is_list, is_needed in _VARIABLES:
            value = os.environ.get(prefix + name.upper(), "")
            if value:
                found[name] = tuple(value.split()) if is_list else value
            elif is_needed and name not in settings:
                missing.append(f"the environment variable {prefix}{name.upper()} is missing")
        if missing:
            raise ConfigurationError(*missing)
        return cls(**{**found, **settings})

    def begin(
        self, db: object | None = None, *, tenant: Tenant | None = None, caller: Caller = NOBODY, writes: bool = True
    ) -> AbstractAsyncContextManager[Context]:
        """Open a unit of work: `async with auth.begin() as ctx`.

        What is refused in it leaves its trace, in a unit that commits. With `db` it joins the application's
        transaction: it flushes, and the application commits or rolls back; then a refusal leaves none.
        """
        return self._begun(tenant or self.plan.single, caller, writes=writes, db=db)

    @asynccontextmanager
    async def _begun(
        self, tenant: Tenant, caller: Caller, *, writes: bool, db: object | None
    ) -> AsyncGenerator[Context]:
        traces: list[Event] = []
        try:
            async with begin(self.plan, tenant, caller, writes=writes, db=db) as ctx:
                traces = ctx.traces
                yield ctx
        finally:
            if db is None and traces:
                await announce(self.plan, tenant, caller, traces)

    def visit(self, raw: RawRequest, *, is_socket: bool = False) -> Visit:
        """Return the session side of a request; an adapter keeps one per request."""
        return Visit(self.plan, raw, is_socket=is_socket)

    def edge(self, templates: Templates | None = None) -> Edge:
        """Return what answers the requests under the mount point; `templates` where the application named none."""
        return Edge(self.plan, self._templates(templates))

    async def handle(self, raw: RawRequest) -> tuple[Response, tuple[tuple[str, str], ...]]:
        """Answer a request, and return the headers that its cookies need. For use without an adapter."""
        visit = self.visit(raw)
        response = await self.edge().answer(visit)
        await visit.announce()
        return response, tuple(visit.headers())

    def sender(self, templates: Templates | None = None) -> Sender:
        """Return what sends the mails that are owed."""
        return Sender(self.plan, self._templates(templates))

    def _templates(self, fallback: Templates | None) -> Templates | None:
        templates = self.templates or fallback
        return templates.with_folders(self.plan.folders) if templates else None

    @asynccontextmanager
    async def lifespan(self, templates: Templates | None = None) -> AsyncGenerator[None]:
        """Open database and store, send mails and purge meanwhile, and let go of everything at the end.

        Mails that are on their way then have a few seconds to arrive.
        """
        await self.open()
        tasks = [asyncio.create_task(work()) for work in (self._purge, self.keep_tenants, self.keep_revocations)]
        if self.sends_mail:
            tasks.append(asyncio.create_task(self.sender(templates).run()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.close()

    async def open(self) -> None:
        """Open database and store; also again, after `close`."""
        self.plan.hasher.open()
        if loaded := loaded_tenants(self.tenant):
            await loaded.load()
        await self.database.open(self.plan.all_tenants())
        await self.plan.store.open()

    async def close(self) -> None:
        """Let go of database, store and threads."""
        async with contextlib.AsyncExitStack() as rest:  # let go of as well if the first one fails
            rest.callback(self.plan.hasher.close)
            rest.push_async_callback(self.database.close)
            await self.plan.store.close()

    async def keep_tenants(self) -> None:
        """Read tenants again, every few seconds, where they are read from somewhere; `lifespan` does it."""
        while loaded := loaded_tenants(self.tenant):
            await asyncio.sleep(RELOAD_EVERY)
            await carefully(loaded.load())

    async def keep_revocations(self) -> None:
        """Ask every few seconds what ended, where the store may lose it, so that no request waits; `lifespan` does it.

        Where nobody was signed in for a while, nobody asks.
        """
        every = self.plan.session_settings.ends_known_within.total_seconds() / LOOKS
        unasked: Counter[str] = Counter()
        if self.tenant is None:
            self.plan.revocations(SINGLE)  # so that not even the first request waits
        while self.plan.revokes:
            for tenant, revocations in tuple(self.plan.known_revocations.items()):
                unasked[tenant] = 0 if revocations.is_asked() else unasked[tenant] + 1
                if unasked[tenant] * every < QUIET:
                    await carefully(revocations.keep_up())
            await asyncio.sleep(every)

    async def _purge(self) -> None:
        while True:
            await asyncio.sleep(PURGE_EVERY)
            await carefully(self.purge())

    async def purge(self) -> int:
        """Remove what is over, in small batches, and do the chores of extensions; say how much was done."""
        removed = 0
        while count := await self.plan.store.purge(limit=BATCH):
            removed += count
        for tenant in self.plan.all_tenants():
            while count := await self._purge_tokens(tenant):
                removed += count
            while self.plan.revokes and (count := await self._purge_revocations(tenant)):
                removed += count
            for chore in self.plan.chores.values():
                while done := await carefully(self._do(chore, tenant)):
                    removed += done
        return removed

    async def _do(self, chore: AnyChore, tenant: Tenant) -> int:
        async def once() -> int:
            async with self.begin(tenant=tenant) as ctx:
                return await chore(ctx)

        return await persistently(once)

    async def _purge_revocations(self, tenant: Tenant) -> int:
        async with self.begin(tenant=tenant) as ctx:
            return await ctx.records(RevocationRecord).delete_all(where={}, below={"until": ctx.now}, limit=BATCH)

    async def _purge_tokens(self, tenant: Tenant) -> int:
        async with self.begin(tenant=tenant) as ctx:
            below = {"expires_at": ctx.now}
            return await ctx.records(TokenRecord).delete_all(where={}, below=below, limit=BATCH)


_VARIABLES = (
    ("secret", True, True),
    ("base_url", False, True),
    ("origins", True, False),
    ("trusted_proxies", True, False),
)
