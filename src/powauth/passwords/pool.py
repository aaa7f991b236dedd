"""Threads of our own for work that would block the event loop, taken in turns by those who ask.

Neither the event loop's executor nor AnyIO's threads: 40 hashes at once would take 760 MiB, and whatever else
waits for a thread would wait for them.
"""

import asyncio
import os
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, Generic, TypeVar

from powauth.errors import HashingBusy

T = TypeVar("T")

NICENESS = 10  # below the event loop and its database, above what runs only on idle machines
LEARNING = 0.1  # how much of the mean the latest job is
SOON = timedelta(seconds=1)  # the shortest Retry-After that means anything


class Job(Generic[T]):
    """Work for one client, and the future of the one who waits for it."""

    def __init__(self, work: Callable[[], T], *, client: str, since: float) -> None:
        self.client = client
        self.since = since
        self._work = work
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[T] = self._loop.create_future()

    def run(self) -> None:
        """Do the work, and hand what came of it to whoever waits. Never raises."""
        try:
            result = self._work()
        except BaseException as error:  # noqa: BLE001 - answered by the one who waits; unanswered he waits for ever
            self.refuse(error)
        else:
            self._settle(partial(self.future.set_result, result))

    def refuse(self, error: BaseException) -> None:
        """Raise `error` where the work is waited for."""
        self._settle(partial(self.future.set_exception, error))

    def _settle(self, answer: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(self._answer, answer)
        except RuntimeError:  # the loop is closed: nobody waits any more
            return

    def _answer(self, answer: Callable[[], None]) -> None:
        if not self.future.done():  # cancelled meanwhile
            answer()


class Queue:
    """Jobs that wait: one from each client in turn, and within a client the oldest first. Not thread-safe."""

    def __init__(self) -> None:
        self._turns: OrderedDict[str, OrderedDict[Job[Any], None]] = OrderedDict()  # Any: jobs of every kind
        self._arrivals: OrderedDict[Job[Any], None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._arrivals)

    def ahead(self, client: str) -> int:
        """Return how many jobs would be taken before the next one of this client."""
        own = len(self._turns.get(client, ()))
        others = (jobs for name, jobs in self._turns.items() if name != client)
        return own + sum(min(len(jobs), own + 1) for jobs in others)

    def put(self, job: Job[Any]) -> None:
        """Let a job wait."""
        self._arrivals[job] = None
        self._turns.setdefault(job.client, OrderedDict())[job] = None

    def pop(self) -> Job[Any]:
        """Return the job whose turn it is; its client then goes last."""
        client, jobs = next(iter(self._turns.items()))
        job = next(iter(jobs))
        self._turns.move_to_end(client)
        self.remove(job)
        return job

    def remove(self, job: Job[Any]) -> None:
        """Let a job wait no longer; nothing happens if it does not."""
        if job not in self._arrivals:
            return
        del self._arrivals[job]
        jobs = self._turns[job.client]
        del jobs[job]
        if not jobs:
            del self._turns[job.client]

    def oldest(self) -> Job[Any] | None:
        """Return the job that has waited longest."""
        return next(iter(self._arrivals), None)


class Pool:
    """Runs work on a few threads; refuses what would wait too long. Serves any number of event loops.

    The threads start with the first work, so a process may fork before that. `now` counts seconds from
    anywhere, steadily: setting the machine's clock must neither fill nor empty the queue.
    """

    def __init__(self, *, threads: int, max_wait: timedelta, now: Callable[[], float] = time.monotonic) -> None:
        self._size = threads
        self._max_wait = max_wait.total_seconds()
        self._now = now
        self._queue = Queue()
        self._mean = 0.0
        self._threads: list[threading.Thread] = []
        self._is_closed = False
        self._changed = threading.Condition()  # guards all of the above, for microseconds at a time

    @property
    def is_closed(self) -> bool:
        """Whether it refuses all who come."""
        return self._is_closed

    @property
    def waiting(self) -> int:
        """How many jobs have no thread yet."""
        return len(self._queue)

    @property
    def has_room(self) -> bool:
        """Whether somebody who comes from elsewhere than all who wait is taken."""
        with self._changed:
            return not self._is_closed and self._wait("") <= self._max_wait

    async def run(self, work: Callable[[], T], *, client: str) -> T:
        """Return what `work` returns on one of the threads, or raise what it raises.

        `client` is the network that asks, counted as limits count it. Raises `HashingBusy` when the work
        would wait too long, or has. Cancelled while it waits, it is never begun.
        """
        job = Job(work, client=client, since=self._now())
        self._enter(job)
        try:
            return await job.future
        except asyncio.CancelledError:
            self._withdraw(job)
            raise

    def close(self) -> None:
        """Refuse those who wait and all who come. What has begun ends in its own time; nothing blocks."""
        with self._changed:
            self._is_closed = True
            self._expire(before=float("inf"))
            self._changed.notify_all()

    def _enter(self, job: Job[T]) -> None:
        with self._changed:
            self._expire(before=job.since - self._max_wait)
            wait = self._wait(job.client)
            if self._is_closed or wait > self._max_wait:
                raise HashingBusy(retry_after=max(SOON, timedelta(seconds=wait)))
            self._start()
            self._queue.put(job)
            self._changed.notify()

    def _wait(self, client: str) -> float:
        return self._queue.ahead(client) * self._mean / self._size

    def _withdraw(self, job: Job[T]) -> None:
        with self._changed:
            self._queue.remove(job)

    def _expire(self, *, before: float) -> None:
        while (job := self._queue.oldest()) is not None and job.since < before:
            self._queue.remove(job)
            job.refuse(HashingBusy(retry_after=max(SOON, timedelta(seconds=self._max_wait))))

    def _start(self) -> None:
        while len(self._threads) < self._size:
            thread = threading.Thread(target=self._serve, name="powauth-hashing", daemon=True)
            thread.start()
            self._threads.append(thread)

    def _serve(self) -> None:
        lower_priority()
        while self._serve_one():
            pass

    def _serve_one(self) -> bool:
        """Do one job and forget it, password and all, before waiting for the next. False when closed."""
        job = self._take()
        if job is None:
            return False
        began = self._now()
        job.run()
        self._learn(self._now() - began)
        return True

    def _take(self) -> Job[Any] | None:
        with self._changed:
            while True:
                self._expire(before=self._now() - self._max_wait)
                if self._queue:
                    return self._queue.pop()
                if self._is_closed:
                    return None
                self._changed.wait()

    def _learn(self, seconds: float) -> None:
        with self._changed:
            self._mean = self._mean + LEARNING * (seconds - self._mean) if self._mean else seconds


def lower_priority() -> None:
    """Let the event loop's thread go first. Only Linux has priorities per thread; elsewhere nothing changes."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        try:
            os.setpriority(os.PRIO_PROCESS, thread, min(19, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS))
        except OSError:  # a sandbox may forbid it: slower pages while people sign in, nothing else
            return
