"""A real server for a test: uvicorn in a thread of its own, on a free port of this machine."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn
from uvicorn.config import WS_PROTOCOLS

from powauth.asgi.raw import ASGIApp
from tests import servers

SOCKETS: Any = "websockets-sansio" if "websockets-sansio" in WS_PROTOCOLS else "websockets"
"""The newer of two ways; the oldest uvicorn that is allowed has the other one alone."""


@contextmanager
def running(app: ASGIApp, port: int) -> Generator[None]:
    """Serve an application, lifespan included, until the test is over."""
    config = uvicorn.Config(app, host=servers.HOST, port=port, log_config=None, ws=SOCKETS)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        servers.wait_until(lambda: server.started or not thread.is_alive(), "uvicorn to start")
        yield
    finally:
        server.should_exit = True
        thread.join(10)
