"""A server process: `python -m benchmarks.serve <application> <folder> <sessions> [name=value]`. Says its port."""

import socket
import sys
from collections.abc import Callable
from pathlib import Path

import uvicorn

from benchmarks import byhand, ours
from benchmarks.served import Served

APPLICATIONS: dict[str, Callable[..., Served]] = {
    "nothing": byhand.nothing,
    "byhand-cookie": byhand.cookie,
    "byhand-cookie-again": byhand.cookie,
    "byhand-sqlite": byhand.cookie_and_sqlite,
    "byhand-postgres": byhand.cookie_and_postgres,
    "byhand-redis": byhand.cookie_and_redis,
    "powauth-memory": ours.memory,
    "powauth-sqlite": ours.sqlite,
    "powauth-sqlite-full": ours.sqlite_full,
    "powauth-postgres": ours.postgres,
    "powauth-redis": ours.redis,
    "powauth-near": ours.near,
    "powauth-sign-in": ours.signing_in,
}


def main(name: str, folder: str, sessions: str, *more: str) -> None:
    served = APPLICATIONS[name](Path(folder), int(sessions), **dict(word.split("=", 1) for word in more))
    Path(folder, f"{name}.cookies").write_text("\n".join(served.cookies))
    served.cookies.clear()  # an application would not hold them
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        print(listener.getsockname()[1], flush=True)
        uvicorn.Server(uvicorn.Config(served.app, access_log=False, log_level="warning")).run([listener])


if __name__ == "__main__":
    main(*sys.argv[1:])
