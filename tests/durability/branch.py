"""A process that serves the shop to the outside, as one of several: DATABASE_URL, REDIS_URL or "memory", FOLDER."""

import asyncio
import socket
import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import uvicorn
from starlette.applications import Starlette

from powauth.clock import SystemClock
from powauth.redis import RedisStore
from powauth.starlette import install
from powauth.stores import MemoryStore
from tests.durability.shop import Folder, extensions, shop


async def main(url: str, store: str, folder: Path) -> None:
    settings: dict[str, Any] = {
        "store": MemoryStore() if store == "memory" else RedisStore.from_url(store),
        "mailer": Folder(folder / "mails"),
        "clock": SystemClock(),
        "extensions": extensions(gifts=True),
    }
    async with shop(url, create=False, open_it=False, **settings) as home:
        app = Starlette()
        install(app, home.auth)
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()  # before anybody is told where: until the server accepts, who comes waits
            print(listener.getsockname()[1], flush=True)
            await uvicorn.Server(uvicorn.Config(app, log_level="warning")).serve([listener])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
