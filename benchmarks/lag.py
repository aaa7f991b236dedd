"""How long the event loop was kept from its work."""

import asyncio
import gc
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

TICK = 0.001


class Lag:
    """Asks the event loop to come back every millisecond, and notes how late it does.

    `late` counts whatever kept it, other programs on the machine included; `busy` only what its own thread computed
    between two ticks, so that what a neighbour does is not laid to its charge. `collected` is how long each garbage
    collection of Python's took, which stops everything and is part of both. Milliseconds.
    """

    def __init__(self) -> None:
        self._late: list[float] = []
        self._busy: list[float] = []
        self._collected: list[float] = []
        self._collecting = 0.0

    @asynccontextmanager
    async def watching(self) -> AsyncGenerator[None]:
        gc.callbacks.append(self._collect)
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            gc.callbacks.remove(self._collect)

    def _collect(self, phase: str, _: object) -> None:
        if phase == "start":
            self._collecting = time.thread_time()
        else:
            self._collected.append((time.thread_time() - self._collecting) * 1e3)

    async def _watch(self) -> None:
        while True:
            began, worked = time.perf_counter(), time.thread_time()
            await asyncio.sleep(TICK)
            self._late.append((time.perf_counter() - began - TICK) * 1e3)
            self._busy.append((time.thread_time() - worked) * 1e3)

    def take(self) -> str:
        """Return what was noted since the last time, as JSON."""
        late, self._late = self._late, []
        busy, self._busy = self._busy, []
        collected, self._collected = self._collected, []
        return json.dumps({"late": late, "busy": busy, "collected": collected})
