"""The pool: a queue bounded by time, turns between clients, and places that are given back."""

import asyncio
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from functools import partial

import pytest

from powauth.errors import HashingBusy
from powauth.passwords.pool import NICENESS, Job, Pool

pytestmark = pytest.mark.anyio

ADA, BOB = "192.0.2.1", "198.51.100.7"


class Seconds:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.passed = 0.0

    def __call__(self) -> float:
        return self.passed

    def pass_by(self, seconds: float) -> None:
        self.passed += seconds


class Gate:
    """Work that lasts until it is opened."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self._open = threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        if not self._open.wait(timeout=30):
            raise TimeoutError

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def pool(seconds: Seconds) -> Iterator[Pool]:
    """One thread; nobody waits more than five seconds."""
    pool = Pool(threads=1, max_wait=timedelta(seconds=5), now=seconds)
    yield pool
    pool.close()


async def until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 - other threads make it true, and have no event to set
        await asyncio.sleep(0)


async def waiting(pool: Pool, work: Callable[[], None], client: str) -> asyncio.Task[None]:
    """Work that stands in the queue."""
    before = pool.waiting
    task = asyncio.create_task(pool.run(work, client=client))
    await until(lambda: pool.waiting == before + 1)
    return task


async def busy(pool: Pool) -> tuple[Gate, asyncio.Task[None]]:
    """The one thread is at work until the gate is opened."""
    gate = Gate()
    task = asyncio.create_task(pool.run(gate, client="203.0.113.9"))
    await until(gate.begun.is_set)
    return gate, task


async def refused(asked: Awaitable[object]) -> timedelta:
    with pytest.raises(HashingBusy) as caught:
        await asked
    return caught.value.retry_after


def nothing() -> None:
    pass


async def test_work_returns_what_it_returns_and_raises_what_it_raises(pool: Pool) -> None:
    assert await pool.run(lambda: 42, client=ADA) == 42
    with pytest.raises(ZeroDivisionError):
        await pool.run(lambda: 1 // 0, client=ADA)


async def test_work_that_dies_of_anything_is_answered_and_the_thread_lives_on(pool: Pool) -> None:
    class Panic(BaseException):
        """What a native library may raise."""

    def panic() -> None:
        raise Panic

    with pytest.raises(Panic):
        await pool.run(panic, client=ADA)
    assert await pool.run(threading.active_count, client=ADA) > 1


async def test_clients_take_turns_however_many_jobs_one_of_them_has(pool: Pool) -> None:
    gate, _ = await busy(pool)
    done: list[str] = []
    tasks = [await waiting(pool, partial(done.append, f"ada {number}"), ADA) for number in (1, 2, 3)]
    tasks += [await waiting(pool, partial(done.append, f"bob {number}"), BOB) for number in (1, 2)]
    gate.open()
    await asyncio.gather(*tasks)

    assert done == ["ada 1", "bob 1", "ada 2", "bob 2", "ada 3"]


async def test_who_would_wait_too_long_is_refused_at_once_and_told_when_to_come_back(
    pool: Pool, seconds: Seconds
) -> None:
    await pool.run(partial(seconds.pass_by, 2), client=ADA)  # so one job is known to last two seconds
    gate, _ = await busy(pool)
    tasks = [await waiting(pool, nothing, ADA) for _ in range(3)]

    assert await refused(pool.run(nothing, client=ADA)) == timedelta(seconds=6)
    gate.open()
    await asyncio.gather(*tasks)


async def test_a_client_that_fills_its_queue_does_not_fill_that_of_others(pool: Pool, seconds: Seconds) -> None:
    await pool.run(partial(seconds.pass_by, 2), client=ADA)
    gate, _ = await busy(pool)
    tasks = [await waiting(pool, nothing, ADA) for _ in range(3)]
    await refused(pool.run(nothing, client=ADA))

    tasks.append(await waiting(pool, nothing, BOB))
    gate.open()
    await asyncio.gather(*tasks)


async def test_who_has_waited_too_long_is_refused_and_the_work_never_begun(pool: Pool, seconds: Seconds) -> None:
    gate, _ = await busy(pool)
    begun: list[str] = []
    early = await waiting(pool, partial(begun.append, "early"), ADA)
    seconds.pass_by(3)
    late = await waiting(pool, partial(begun.append, "late"), ADA)
    seconds.pass_by(3)
    gate.open()

    assert await refused(early) == timedelta(seconds=5)
    await late
    assert begun == ["late"]


async def test_the_next_who_comes_finds_the_places_of_those_who_waited_too_long(pool: Pool, seconds: Seconds) -> None:
    gate, _ = await busy(pool)
    early = await waiting(pool, nothing, ADA)
    seconds.pass_by(6)
    late = asyncio.create_task(pool.run(nothing, client=BOB))

    await refused(early)
    assert pool.waiting == 1
    gate.open()
    await late


async def test_a_request_that_is_cancelled_gives_its_place_back(pool: Pool, seconds: Seconds) -> None:
    await pool.run(partial(seconds.pass_by, 2), client=ADA)
    gate, _ = await busy(pool)
    begun: list[str] = []
    tasks = [await waiting(pool, partial(begun.append, str(number)), ADA) for number in range(3)]
    tasks[1].cancel()
    await until(tasks[1].done)

    tasks[1] = await waiting(pool, partial(begun.append, "instead"), ADA)
    gate.open()
    await asyncio.gather(*tasks)
    assert begun == ["0", "2", "instead"]


async def test_a_request_that_is_cancelled_after_its_work_began_harms_nobody(pool: Pool) -> None:
    gate, task = await busy(pool)
    task.cancel()
    await until(task.done)
    gate.open()

    assert await pool.run(lambda: 42, client=ADA) == 42


async def test_closing_refuses_those_who_wait_and_lets_what_has_begun_end(pool: Pool) -> None:
    gate, begun = await busy(pool)
    waits = await waiting(pool, nothing, ADA)
    pool.close()

    await refused(waits)
    await refused(pool.run(nothing, client=BOB))
    gate.open()
    await begun


async def test_as_many_jobs_run_at_once_as_there_are_threads() -> None:
    pool = Pool(threads=2, max_wait=timedelta(seconds=5))
    both = threading.Barrier(2, timeout=30)
    await asyncio.gather(pool.run(both.wait, client=ADA), pool.run(both.wait, client=ADA))
    pool.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has priorities per thread")
async def test_the_threads_stand_back_behind_the_event_loop(pool: Pool) -> None:
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    here = priority()
    assert await pool.run(priority, client=ADA) == min(19, here + NICENESS)
    assert priority() == here


def test_one_pool_serves_several_event_loops() -> None:
    pool = Pool(threads=1, max_wait=timedelta(seconds=5))
    answers: list[int] = []

    def another_loop(number: int) -> None:
        answers.append(asyncio.run(pool.run(lambda: number, client=ADA)))

    loops = [threading.Thread(target=another_loop, args=(number,)) for number in range(3)]
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join()
    pool.close()

    assert sorted(answers) == [0, 1, 2]


def test_work_whose_event_loop_is_gone_troubles_no_thread() -> None:
    async def orphan() -> Job[int]:
        return Job(lambda: 42, client=ADA, since=0)

    asyncio.run(orphan()).run()
