"""Contestant: a process of its own that uses a store step by step, so that a test decides who goes first."""

import asyncio
import multiprocessing
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from powauth.stores import MemoryStore, Store

MakeStore = Callable[[], Store]
"""What makes a store in another process: it must be picklable, like a `functools.partial` of a class."""

Step = Callable[..., Awaitable[Any]]
"""An async function of a module, called with the store and with values that can be pickled."""

PATIENCE = 30.0  # seconds; a step takes milliseconds, a first start about one second


class Contestant:
    """A process of its own with stores of its own, which does one step at a time."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def begin(self, step: Step, *values: object) -> None:
        """Have it start `await step(store, *values)`, and do not wait."""
        self._pipe.send((step, values))

    def finish(self) -> Any:  # noqa: ANN401 whatever the step returns
        """Wait for what the step returned."""
        if not self._pipe.poll(PATIENCE):
            raise TimeoutError("the other process does not answer")
        result, failure = self._pipe.recv()
        if failure:
            raise RuntimeError(failure)
        return result

    def do(self, step: Step, *values: object) -> Any:  # noqa: ANN401 whatever the step returns
        """Have it take a step, and wait."""
        self.begin(step, *values)
        return self.finish()

    def open(self, make_store: MakeStore) -> None:
        """Have it open this store, and close the one before."""
        self._pipe.send((None, make_store))
        self.finish()

    def kill(self) -> None:
        """End the process at once, with no chance to tidy up."""
        self._process.kill()
        self._process.join(PATIENCE)

    def end(self) -> None:
        """Have the process leave."""
        self._pipe.close()
        self._process.join(PATIENCE)
        self._process.kill()


def _serve(pipe: Connection) -> None:
    with suppress(EOFError, KeyboardInterrupt):
        asyncio.run(_take_steps(pipe))


async def _take_steps(pipe: Connection) -> None:
    store: Store = MemoryStore()
    while True:
        step, values = pipe.recv()
        try:
            if step is None:
                await store.close()
                store = values()
                await store.open()
                pipe.send((None, None))
            else:
                pipe.send((await step(store, *values), None))
        except Exception:  # noqa: BLE001 told to the test
            pipe.send((None, traceback.format_exc()))
