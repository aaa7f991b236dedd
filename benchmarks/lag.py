"""How long the event loop was kept from its work."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

TICK = 0.001


class Lag:
    """Asks the event loop to come back every millisecond, and notes how late it does.

    `late` counts whatever kept it, other programs on the machine included; `busy` only what its own thread computed
    between two ticks, so that what a neighbour does is not laid to its charge. Milliseconds.
    """

    def __init__(self) -> None:
        self._late: list[float] = []
        self._busy: list[float] = []

    @asynccontextmanager
    async def watching(self) -> AsyncGenerator[None]:
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()

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
        return json.dumps({"late": late, "busy": busy})
