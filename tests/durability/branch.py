"""A process that serves the shop to the outside, as one of several: DATABASE_URL, STORE, FOLDER.

STORE is "memory", the URL of a Redis, or "near": the database, with a near cache before it.
"""

import asyncio
import socket
import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from powauth.clock import SystemClock
from powauth.redis import RedisStore
from powauth.sqlalchemy import SQLAlchemyStore
from powauth.starlette import current_session, install
from powauth.stores import MemoryStore, Store
from tests.durability.shop import Folder, extensions, shop
from tests.house import House


def make_store(name: str, url: str) -> Store:
    match name:
        case "memory":
            return MemoryStore()
        case "near":
            return SQLAlchemyStore(url, near_cache=True)
        case _:
            return RedisStore.from_url(name)


def application(home: House) -> Starlette:
    """Return an application with a page that needs the session alone."""

    async def of_session(request: Request) -> JSONResponse:
        return JSONResponse((await current_session(home.auth)(request)).public_id)

    app = Starlette(routes=[Route("/of-session", of_session)])
    install(app, home.auth)
    return app


async def main(url: str, store: str, folder: Path) -> None:
    settings: dict[str, Any] = {
        "store": make_store(store, url),
        "mailer": Folder(folder / "mails"),
        "clock": SystemClock(),
        "extensions": extensions(gifts=True),
    }
    async with shop(url, create=False, open_it=False, **settings) as home:
        app = application(home)
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()  # before anybody is told where: until the server accepts, who comes waits
            print(listener.getsockname()[1], flush=True)
            await uvicorn.Server(uvicorn.Config(app, log_level="warning")).serve([listener])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
