"""A process that sends what is owed by SMTP: URL, PORT, WORKER, FOLDER, NAME, LATER.

It meets the other one of its folder between reading a mail and leasing it, if there is to be one. The naive worker then
looks again and writes, instead of writing only if the mail is as it was read.
"""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from powauth.outbox import LEASE, OutboxRecord
from powauth.sender import Sender
from powauth.smtp import SMTPMailer
from powauth.testing import FrozenClock
from powauth.units import begin, persistently
from tests.durability.shop import shop

PATIENCE = 10.0


async def meet(folder: Path, name: str, where: str) -> None:
    """Return when two processes of this folder have come here."""
    (folder / f"{name}.{where}").touch()
    async with asyncio.timeout(PATIENCE):
        while len(list(folder.glob(f"*.{where}"))) < 2:  # noqa: ASYNC110, ASYNC240  the other is another process
            await asyncio.sleep(0.01)


class Fair(Sender):
    """The sender as it is, stopped between reading and leasing."""

    folder: Path
    name: str

    async def _lease(self, tenant: Any, row: OutboxRecord) -> OutboxRecord | None:
        await meet(self.folder, self.name, "read")
        return await super()._lease(tenant, row)


class Naive(Fair):
    """Its twin, which gets and then puts."""

    async def _lease(self, tenant: Any, row: OutboxRecord) -> OutboxRecord | None:
        await meet(self.folder, self.name, "read")

        async def put() -> OutboxRecord | None:
            async with begin(self._plan, tenant) as ctx:
                current = await ctx.records(OutboxRecord).get(row.id)
                if current is None:
                    return None
                return await ctx.records(OutboxRecord).update(current, due_at=ctx.now + LEASE, attempts=1)

        leased = await persistently(put)
        await meet(self.folder, self.name, "leased")
        return leased


WORKERS: dict[str, type[Sender]] = {"fair": Fair, "naive": Naive, "alone": Sender}


async def main(url: str, port: int, worker: str, *, folder: Path, name: str, later: int) -> None:
    mailer = SMTPMailer(host="127.0.0.1", port=port, sender="no-reply@example.com", security="none")
    clock = FrozenClock()
    clock.move(timedelta(seconds=later))
    async with shop(url, create=False, mailer=mailer, clock=clock) as home:
        sender = WORKERS[worker](home.auth.plan, None)
        if isinstance(sender, Fair):
            sender.folder, sender.name = folder, name
        print(await sender.send_due())


if __name__ == "__main__":
    address, server, kind, place, who, seconds = sys.argv[1:]
    asyncio.run(main(address, int(server), kind, folder=Path(place), name=who, later=int(seconds)))
