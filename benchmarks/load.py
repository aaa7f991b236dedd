"""Load on a server: 32 connections from another process, by wrk where it is, else by our own client."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import processes
from benchmarks.people import BROWSER
from benchmarks.servers import Server

CONNECTIONS = 32
WRK = shutil.which("wrk")
SCRIPT = Path(__file__).with_name("load.lua")


@dataclass(frozen=True)
class Load:
    """What one server did."""

    per_second: float
    cpu: float
    """Microseconds of processor per request, of the server alone: neighbours on the machine do not add to it."""
    behind: float = 0
    """The same of the database server that it asks."""


def put_load_on(server: Server, *, seconds: int, behind: int | None = None) -> Load:
    before, before_behind = server.cpu(), processes.cpu(behind) if behind else 0
    requests, per_second = _by_wrk(server, seconds) if WRK else _by_our_client(server, seconds)
    used, used_behind = server.cpu() - before, processes.cpu(behind) - before_behind if behind else 0
    return Load(per_second, used / requests * 1e6, used_behind / requests * 1e6)


def interleaved(
    servers: Sequence[Server], *, rounds: int, seconds: int, behind: int | None = None
) -> Mapping[str, Sequence[Load]]:
    """Put load on each in turn, round after round; the first round warms up and is not told."""
    for server in servers:
        put_load_on(server, seconds=1)
    told: dict[str, list[Load]] = {server.name: [] for server in servers}
    for turn in range(rounds):
        for server in servers if turn % 2 else reversed(servers):
            told[server.name].append(put_load_on(server, seconds=seconds, behind=behind))
    return told


def _by_wrk(server: Server, seconds: int) -> tuple[int, float]:
    headers = [word for name, value in BROWSER.items() for word in ("-H", f"{name}: {value}")]
    command = [str(WRK), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", *headers, "-s", str(SCRIPT), server.page]
    said = subprocess.run([*command, "--", str(server.cookies)], check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(f"{server.name}: {said}")
    requests = re.search(r"(\d+) requests in", said)
    per_second = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if requests is None or per_second is None:
        raise RuntimeError(said)
    return int(requests[1]), float(per_second[1])


def _by_our_client(server: Server, seconds: int) -> tuple[int, float]:
    client = start_client("read", str(server.port), str(server.cookies), str(CONNECTIONS), str(seconds), "0")
    took, all_of_it = answers_of(client)
    return len(took), len(took) / all_of_it


def start_client(*arguments: str) -> subprocess.Popen[str]:
    """Start a client of `benchmarks.client`."""
    command = [sys.executable, "-m", "benchmarks.client", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def answers_of(client: subprocess.Popen[str]) -> tuple[list[float], float]:
    """Wait for a client to end; return how long each of its requests took, and all of them, in seconds."""
    said, _ = client.communicate()
    if client.returncode:
        raise RuntimeError("a client was refused: its words are above")
    told = json.loads(said)
    return told["took"], told["seconds"]
