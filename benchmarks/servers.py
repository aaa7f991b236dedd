"""Servers in processes of their own, and what they are asked."""

import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen


@dataclass(frozen=True)
class Server:
    """A server that answers, and the file with the cookies of its sessions."""

    name: str
    port: int
    cookies: Path

    def cpu(self) -> float:
        """Return the seconds of processor that it has used."""
        with urlopen(f"http://127.0.0.1:{self.port}/cpu") as answer:
            return float(answer.read())


@contextmanager
def serving(name: str, folder: Path, *, sessions: int = 1000, url: str = "") -> Generator[Server]:
    """Run one of the applications of `benchmarks.serve`."""
    command = [sys.executable, "-m", "benchmarks.serve", name, str(folder), str(sessions), *([url] if url else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None:
                raise RuntimeError(name)
            server = Server(name, int(process.stdout.readline()), folder / f"{name}.cookies")
            _wait_for(server, process)
            yield server
        finally:
            process.terminate()


def _wait_for(server: Server, process: subprocess.Popen[str]) -> None:
    while process.poll() is None:
        with suppress(OSError):
            server.cpu()
            return
        time.sleep(0.05)
    raise RuntimeError(f"{server.name} did not start")
