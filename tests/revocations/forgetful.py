"""A store that loses writes when a test says so, as a replica does that takes over before it heard of them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from powauth import MemoryStore
from powauth.clock import Clock
from powauth.errors import StoreUnavailable
from powauth.stores import Entry, Key


@dataclass(frozen=True)
class Copy:
    """What another server knows; called, it takes the place of the first one."""

    store: "ForgetfulStore"
    entries: dict[Key, Entry]
    owned: dict[tuple[str, str], set[Key]]

    def __call__(self, *, unnoticed: bool = False) -> None:
        self.store.become(self)
        if not unnoticed:
            self.store.tell()


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

    def copy(self) -> "Copy":
        """Return what another server knows that will hear of nothing that comes."""
        return Copy(self, dict(self._entries), {whose: set(keys) for whose, keys in self._owned.items()})

    def become(self, copy: "Copy") -> None:
        """Go on from a copy."""
        self._entries, self._owned = dict(copy.entries), {whose: set(keys) for whose, keys in copy.owned.items()}

    def tell(self) -> None:
        """Tell whoever watches that a server answers again."""
        for watcher in self._watchers:
            watcher(True)  # noqa: FBT003  as a store does

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
