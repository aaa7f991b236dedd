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
    pid: int

    @property
    def page(self) -> str:
        return f"http://127.0.0.1:{self.port}/me"

    def cpu(self) -> float:
        """Return the seconds of processor that it has used."""
        return float(self.ask("/cpu"))

    def ask(self, path: str) -> str:
        with urlopen(f"http://127.0.0.1:{self.port}{path}") as answer:
            return str(answer.read().decode())


@contextmanager
def serving(name: str, folder: Path, *, sessions: int = 1000, **more: str) -> Generator[Server]:
    """Run one of the applications of `benchmarks.serve`, with files in a folder of its own."""
    own = folder / name
    own.mkdir()
    words = [str(sessions), *(f"{key}={value}" for key, value in more.items())]
    command = [sys.executable, "-m", "benchmarks.serve", name, str(own), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield _answering(name, process, own / f"{name}.cookies")
        finally:
            process.terminate()


def _answering(name: str, process: subprocess.Popen[str], cookies: Path) -> Server:
    port = process.stdout.readline() if process.stdout else ""
    while port and process.poll() is None:
        with suppress(OSError):
            server = Server(name, int(port), cookies, process.pid)
            server.cpu()
            return server
        time.sleep(0.05)
    raise RuntimeError(f"{name} did not start: its words are above")
