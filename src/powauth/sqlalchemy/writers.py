"""The one write lock of a SQLite database: writers of this process queue, other processes are waited for."""

import asyncio
import random
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from powauth.sqlalchemy.failures import is_busy

T = TypeVar("T")

# By engine, not by Auth: two of them on one database are two writers. By event loop, because a lock belongs to one.
_queues: WeakKeyDictionary[Engine, WeakKeyDictionary[AbstractEventLoop, asyncio.Lock]] = WeakKeyDictionary()

_PATIENCE = 5.0  # seconds, as sqlite3 itself waits when it is left to
_LONGEST_PAUSE = 0.05


def queue(engine: Engine) -> asyncio.Lock:
    """Return the lock that the writers of one engine take before they take a connection."""
    loops = _queues.setdefault(engine, WeakKeyDictionary())
    return loops.setdefault(asyncio.get_running_loop(), asyncio.Lock())


async def patiently(work: Callable[[], Awaitable[T]]) -> T:
    """Do the work, again and again for some seconds while another connection holds the write lock."""
    waited, pause = 0.0, 0.001
    while waited < _PATIENCE:
        try:
            return await work()
        except Exception as error:
            if not is_busy(error):
                raise
        delay = pause * (0.5 + random.random())  # noqa: S311  not a secret: it spreads those who wait
        await asyncio.sleep(delay)
        waited, pause = waited + delay, min(2 * pause, _LONGEST_PAUSE)
    return await work()


async def begin_immediate(connection: AsyncConnection) -> None:
    """Take the write lock at once: a transaction that reads first and writes later can fail where no waiting helps."""
    was_begun = await is_begun(connection)  # by a `begin` event of the application's, or by autocommit=False
    if was_begun:
        await connection.exec_driver_sql("ROLLBACK")
    try:
        await patiently(lambda: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    except DBAPIError:
        if was_begun:  # with autocommit=False its driver fails to roll back nothing
            await connection.exec_driver_sql("BEGIN")
        raise


async def is_begun(connection: AsyncConnection) -> bool:
    """Whether SQLite itself is in a transaction: its driver begins one only before the first write."""
    raw = await connection.get_raw_connection()
    return bool(getattr(raw.driver_connection, "in_transaction", False))


async def commit(connection: AsyncConnection) -> None:
    """Commit, when the last reader is done: until then SQLite refuses, and keeps the transaction."""
    await patiently(lambda: connection.run_sync(_commit))


def _commit(connection: Connection) -> None:
    connection.connection.commit()
