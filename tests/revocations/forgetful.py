"""A store that loses writes when a test says so, as a replica does that takes over before it heard of them."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from powauth import MemoryStore
from powauth.clock import Clock
from powauth.errors import StoreUnavailable
from powauth.stores import Entry, Key


class ForgetfulStore(MemoryStore):
    """A store in memory that can be put back to what it was, and be away."""

    may_lose_writes = True

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.is_away = False
        self.reads = 0
        self._watchers: list[Callable[[bool], None]] = []

    def watch(self, watcher: Callable[[bool], None]) -> None:
        self._watchers.append(watcher)

    def copy(self) -> Callable[[], None]:
        """Return what puts the store back to what it holds now: another server answers, which knows no more."""
        entries, owned = dict(self._entries), {whose: set(keys) for whose, keys in self._owned.items()}

        def fail_over(*, unnoticed: bool = False) -> None:
            self._entries, self._owned = dict(entries), {whose: set(keys) for whose, keys in owned.items()}
            if not unnoticed:
                for watcher in self._watchers:
                    watcher(True)  # noqa: FBT003  as a store does

        return fail_over

    def _answer(self) -> None:
        if self.is_away:
            raise StoreUnavailable

    async def get(self, key: Key) -> Entry | None:
        self._answer()
        self.reads += 1
        return await super().get(key)

    async def put(self, key: Key, value: bytes, *, expires_at: datetime) -> None:
        self._answer()
        await super().put(key, value, expires_at=expires_at)

    async def add(self, key: Key, value: bytes, *, expires_at: datetime) -> bool:
        self._answer()
        return await super().add(key, value, expires_at=expires_at)

    async def replace(self, key: Key, value: bytes, *, version: int, expires_at: datetime) -> bool:
        self._answer()
        return await super().replace(key, value, version=version, expires_at=expires_at)

    async def take(self, key: Key) -> Entry | None:
        self._answer()
        return await super().take(key)

    async def increment(self, key: Key, *, expires_at: datetime) -> int:
        self._answer()
        return await super().increment(key, expires_at=expires_at)

    async def list(self, kind: str, owner: str) -> Sequence[tuple[str, Entry]]:
        self._answer()
        return await super().list(kind, owner)

    async def delete_all(self, kind: str, owner: str, *, keep: Collection[str] = ()) -> int:
        self._answer()
        return await super().delete_all(kind, owner, keep=keep)
