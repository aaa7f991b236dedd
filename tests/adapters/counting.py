"""What a request costs: a store that counts what it is asked, and the statements that reach a database."""

from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from powauth import MemoryStore
from powauth.stores import Entry, Key


class CountingStore(MemoryStore):
    """A store that counts what it is asked."""

    reads = 0
    writes = 0

    async def get(self, key: Key) -> Entry | None:
        self.reads += 1
        return await super().get(key)

    async def list(self, kind: str, owner: str) -> Sequence[tuple[str, Entry]]:
        self.reads += 1
        return await super().list(kind, owner)

    async def put(self, key: Key, value: bytes, *, expires_at: datetime) -> None:
        self.writes += 1
        await super().put(key, value, expires_at=expires_at)

    async def add(self, key: Key, value: bytes, *, expires_at: datetime) -> bool:
        self.writes += 1
        return await super().add(key, value, expires_at=expires_at)

    async def replace(self, key: Key, value: bytes, *, version: int, expires_at: datetime) -> bool:
        self.writes += 1
        return await super().replace(key, value, version=version, expires_at=expires_at)

    async def take(self, key: Key) -> Entry | None:
        self.writes += 1
        return await super().take(key)

    async def delete(self, key: Key) -> bool:
        self.writes += 1
        return await super().delete(key)

    async def increment(self, key: Key, *, expires_at: datetime) -> int:
        self.writes += 1
        return await super().increment(key, expires_at=expires_at)

    async def delete_all(self, kind: str, owner: str, *, keep: Collection[str] = ()) -> int:
        self.writes += 1
        return await super().delete_all(kind, owner, keep=keep)


@contextmanager
def statements(engine: AsyncEngine) -> Generator[list[str]]:
    """Give the list of what is sent to a database meanwhile, but for the looks into the outbox that a `Site` takes."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "outbox" not in statement:
            sent.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)
