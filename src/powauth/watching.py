"""What telemetry sees: operations, the store and hashing. Nothing in here runs where no telemetry is set."""

from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from powauth.context import Context, Hook, on
from powauth.errors import AuthError, Deadlocked, Stale
from powauth.events import Event, SignedIn
from powauth.near_cache import HasNearCache, is_kept
from powauth.pages import Detour
from powauth.passwords import Hasher, Passwords, Verdict
from powauth.stores import Entry, Key, Store
from powauth.telemetry import Telemetry, Watched

P = ParamSpec("P")
T = TypeVar("T")

OK, DETOUR, UNDONE, BROKEN = "ok", "detour", "undone", "error"
"""How an operation ended: well, with one more step to take, undone by the engine and begun again, or broken."""


def operation(
    work: Callable[Concatenate[Context, P], Awaitable[T]],
) -> Callable[Concatenate[Context, P], Coroutine[Any, Any, T]]:
    """Let telemetry see an operation, under its own name."""
    name = operation_name(work)

    @wraps(work)
    async def watched(ctx: Context, /, *args: P.args, **named: P.kwargs) -> T:
        telemetry = ctx.plan.telemetry
        if telemetry is None:
            return await work(ctx, *args, **named)
        outcome = BROKEN
        try:
            with telemetry.watch("powauth.operation", {"powauth.operation": name}) as watch:
                try:
                    result = await work(ctx, *args, **named)
                    outcome = DETOUR if isinstance(result, Detour) else OK
                    return result
                except AuthError as error:
                    outcome = UNDONE if isinstance(error, (Deadlocked, Stale)) else error.code
                    raise
                finally:
                    watch.note("powauth.outcome", outcome)
        finally:
            _count_sign_in(telemetry, name, outcome)

    return watched


def operation_name(work: Callable[..., object]) -> str:
    """Return what an operation is called: `sign_in`, and that of an extension `reset_password.reset`."""
    parts = work.__module__.split(".")
    is_core = parts[:2] == ["powauth", "operations"]
    folder = parts[-2] if parts[-1] == "operations" and len(parts) > 1 else parts[-1]
    return work.__name__ if is_core else f"{folder}.{work.__name__}"


def _count_sign_in(telemetry: Telemetry, name: str, outcome: str) -> None:
    """Count an attempt that brought no session; those that did are counted once that is certain, by `SignedIn`."""
    if outcome in {OK, UNDONE} or name not in {"authenticate", "sign_in"}:
        return
    telemetry.count("powauth.sign_ins", {"powauth.outcome": outcome})


def hooks(telemetry: Telemetry) -> tuple[Hook[Any], ...]:
    """Return what counts events, once they are committed."""

    async def hear(event: Event, ctx: Context) -> None:
        async def count() -> None:
            telemetry.count("powauth.events", {"powauth.event": type(event).__name__})
            if isinstance(event, SignedIn):
                telemetry.count("powauth.sign_ins", {"powauth.outcome": OK})

        ctx.after_commit(count)

    return (on(Event, hear),)


class WatchedStore:
    """A store whose calls telemetry sees; by their verb and kind, never by whose they are."""

    def __init__(self, store: Store, telemetry: Telemetry) -> None:
        self.store = store
        self._telemetry = telemetry

    async def _watch(self, verb: str, kind: str, call: Coroutine[Any, Any, T]) -> T:
        facts = {"powauth.store.verb": verb, "powauth.store.kind": kind}
        with self._telemetry.watch("powauth.store", facts):
            return await call

    async def open(self) -> None:
        """Connect."""
        await self.store.open()

    async def close(self) -> None:
        """Let go of connections and files."""
        await self.store.close()

    async def get(self, key: Key) -> Entry | None:
        """Return the value, unless it is absent or expired."""
        self._count_read(key)
        return await self._watch("get", key.kind, self.store.get(key))

    def _count_read(self, key: Key) -> None:
        cache = self.store.near_cache if isinstance(self.store, HasNearCache) else None
        if cache is not None and is_kept(key.kind):
            self._telemetry.count("powauth.store.cache", {"powauth.outcome": "hit" if cache.holds(key) else "miss"})

    async def put(self, key: Key, value: bytes, *, expires_at: datetime) -> None:
        """Store the value, whatever stands there."""
        await self._watch("put", key.kind, self.store.put(key, value, expires_at=expires_at))

    async def add(self, key: Key, value: bytes, *, expires_at: datetime) -> bool:
        """Store the value if none stands there; say whether it was stored."""
        return await self._watch("add", key.kind, self.store.add(key, value, expires_at=expires_at))

    async def replace(self, key: Key, value: bytes, *, version: int, expires_at: datetime) -> bool:
        """Store the value if that version still stands there; say whether it was stored."""
        call = self.store.replace(key, value, version=version, expires_at=expires_at)
        return await self._watch("replace", key.kind, call)

    async def take(self, key: Key) -> Entry | None:
        """Return the value and remove it, atomically."""
        return await self._watch("take", key.kind, self.store.take(key))

    async def delete(self, key: Key) -> bool:
        """Remove the value; say whether one stood there."""
        return await self._watch("delete", key.kind, self.store.delete(key))

    async def increment(self, key: Key, *, expires_at: datetime) -> int:
        """Add one to a counter and return it."""
        return await self._watch("increment", key.kind, self.store.increment(key, expires_at=expires_at))

    async def list(self, kind: str, owner: str) -> Sequence[tuple[str, Entry]]:
        """Return the ids and values that one owner has."""
        return await self._watch("list", kind, self.store.list(kind, owner))

    async def delete_all(self, kind: str, owner: str, *, keep: Collection[str] = ()) -> int:
        """Remove all values of one owner, except those; say how many."""
        return await self._watch("delete_all", kind, self.store.delete_all(kind, owner, keep=keep))

    async def purge(self, *, limit: int = 1000) -> int:
        """Remove values that expired a while ago; say how many."""
        return await self._watch("purge", "", self.store.purge(limit=limit))


class WatchedHasher(Hasher):
    """A hasher whose work and queue telemetry sees."""

    def __init__(self, settings: Passwords, telemetry: Telemetry, *, name: str) -> None:
        super().__init__(settings)
        self._telemetry = telemetry
        telemetry.gauge("powauth.hashing.waiting", lambda: self.waiting, {"powauth.name": name})

    async def hash(self, password: str, *, client: str) -> str:
        """Return a new hash."""
        return await self._watch("hash", super().hash(password, client=client))

    async def verify(self, password: str, hash: str | None, *, client: str) -> Verdict:
        """Tell whether a password has this hash."""
        return await self._watch("verify", super().verify(password, hash, client=client))

    async def _watch(self, verb: str, call: Coroutine[Any, Any, T]) -> T:
        what: Watched = "powauth.hashing"
        with self._telemetry.watch(what, {"powauth.hashing.verb": verb}):
            return await call
