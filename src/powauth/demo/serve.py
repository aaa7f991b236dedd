"""Serve the demo on this machine, until Ctrl-C."""

import errno
import os
import socket
import sys
from contextlib import suppress
from importlib import import_module

import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from powauth import ConfigurationError, MemoryStore, Store
from powauth.demo.app import create_app
from powauth.demo.data import DataFolder, default_folder
from powauth.sqlalchemy import SQLAlchemyStore
from powauth.sqlite import SQLiteStore

HOST = "127.0.0.1"
TRIES = 100
"""How many ports are looked at."""
REDIS = {"redis", "rediss", "valkey", "valkeys", "unix"}
PATIENCE = 3
"""Seconds that requests have to end in once it is stopped."""


def run(*, port: int = 8000, database: str | None = None, store: str | None = None, fresh: bool = False) -> None:
    """Run the demo until Ctrl-C.

    `database` is a SQLAlchemy URL with an asynchronous driver, `store` is `memory`, `sqlite`, such a URL or one of a
    Redis. Without them both are files in the data folder, which `fresh` empties first; a database elsewhere it leaves
    as it is. If the port is taken, it is the next free one.
    """
    folder = DataFolder(default_folder())
    if fresh:
        folder.empty()
    with listen(port) as listener:
        address = f"http://{HOST}:{listener.getsockname()[1]}"
        try:
            app = create_app(
                secret=folder.secret(),
                base_url=f"{address}/auth",
                database_url=database or folder.database,
                store=choose_store(store, folder) if store else None,
            )
        except (SQLAlchemyError, ModuleNotFoundError) as error:
            raise ConfigurationError(f"--database or --store cannot be used: {error}") from error
        greeting = f"Powauth demo: {address}\nIts data:     {folder.path}\nTo stop it:   Ctrl-C"
        settings = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=PATIENCE)
        server = Server(settings, greeting)
        with suppress(KeyboardInterrupt):  # uvicorn hands it on once everything is closed
            server.run(sockets=[listener])
    if not server.started:  # uvicorn said why; a new one has left by itself
        sys.exit(3)


class Server(uvicorn.Server):
    """A server that says where it is as soon as it answers."""

    def __init__(self, config: uvicorn.Config, greeting: str) -> None:
        super().__init__(config)
        self._greeting = greeting

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then greet."""
        await super().startup(sockets)
        if self.started:
            print(self._greeting, flush=True)


def listen(port: int) -> socket.socket:
    """Return a socket on this port, or on the next one that is free."""
    for candidate in range(port, min(port + TRIES, 65536)):
        listener = socket.socket()
        if os.name == "posix":  # elsewhere it would take a port away from whoever has it
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, candidate))
            listener.listen()
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE:
                raise ConfigurationError(f"port {candidate}: {error.strerror}: name another one with --port") from error
        else:
            return listener
    raise ConfigurationError(f"no port from {port} on is free: name another one with --port")


def choose_store(choice: str, folder: DataFolder) -> Store:
    """Return where sessions are kept. Raises `ConfigurationError`."""
    if choice == "memory":
        return MemoryStore()
    if choice == "sqlite":
        return SQLiteStore(folder.store)
    if choice.partition("://")[0].partition("+")[0] in REDIS:
        return redis_store(choice)
    if "://" in choice:
        return SQLAlchemyStore(choice)
    raise ConfigurationError(f"--store {choice}: write memory, sqlite, or the URL of a Redis or for SQLAlchemy")


def redis_store(url: str) -> Store:
    """Return a store on Redis. Raises `ConfigurationError` where its extra is not installed."""
    try:
        module = import_module("powauth.redis")  # an extra of its own, which the demo does without
    except ModuleNotFoundError as error:
        raise ConfigurationError("--store: a store on Redis needs pip install 'powauth[redis]'") from error
    store: Store = module.RedisStore.from_url(url)
    return store
