"""A real server for a test: uvicorn in a thread of its own, on a free port of this machine."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn

from powauth.asgi.raw import ASGIApp
from tests import servers


@contextmanager
def running(app: ASGIApp, port: int) -> Generator[None]:
    """Serve an application, lifespan included, until the test is over."""
    config = uvicorn.Config(app, host=servers.HOST, port=port, log_config=None, ws="websockets-sansio")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        servers.wait_until(lambda: server.started or not thread.is_alive(), "uvicorn to start")
        yield
    finally:
        server.should_exit = True
        thread.join(10)
