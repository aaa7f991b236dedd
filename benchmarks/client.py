"""A small HTTP client for load from a process of its own: `python -m benchmarks.client <what> <port> …`, answers JSON.

read <port> <cookies> <connections> <seconds> <pause>     GET /me, each connection after a pause of about so long
sign-in <port> <clients> <seconds>                        POST /auth/sign-in, without pause
"""

import asyncio
import itertools
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.people import BROWSER, PASSWORD, PEOPLE, address


async def answer(reader: asyncio.StreamReader) -> int:
    """Read one answer and return its status."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = head.partition("content-length:")[2].partition("\r\n")[0]
    await reader.readexactly(int(length or 0))
    while "transfer-encoding: chunked" in head:
        size = int(await reader.readuntil(b"\r\n"), 16)
        await reader.readexactly(size + 2)
        if size == 0:
            break
    return int(head.split(maxsplit=2)[1])


async def ask(port: int, requests: Iterator[bytes], until: float, pause: Callable[[], float]) -> list[float]:
    """Send requests one after the other on one connection; return how long each took, in seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    took: list[float] = []
    while time.monotonic() < until:
        began = time.perf_counter()
        writer.write(next(requests))
        status = await answer(reader)
        took.append(time.perf_counter() - began)
        if status != 200:
            raise RuntimeError(f"the server answered {status}")
        await asyncio.sleep(pause())
    writer.close()
    return took


def reading(port: int, cookies: list[str]) -> Iterator[bytes]:
    heads = "".join(f"{name}: {value}\r\n" for name, value in BROWSER.items())
    start = f"GET /me HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n{heads}"
    return itertools.cycle([f"{start}cookie: {cookie}\r\n\r\n".encode() for cookie in cookies])


def signing_in(port: int) -> Iterator[bytes]:
    """Everybody in turn, each from a network of their own, as limits count by that."""
    for turn in itertools.count():
        body = json.dumps({"email": address(turn % PEOPLE), "password": PASSWORD})
        client = f"10.{turn >> 16 & 255}.{turn >> 8 & 255}.{turn & 255}"
        head = f"POST /auth/sign-in HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nx-forwarded-for: {client}\r\n"
        json_head = f"accept: application/json\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        yield f"{head}{json_head}{body}".encode()


async def load(
    port: int, requests: Iterator[bytes], connections: int, seconds: float, pause: float
) -> dict[str, object]:
    """Return how long each request took, and how long all of it: the last answers come when the time is over."""

    def pauses() -> float:
        return random.uniform(0.5, 1.5) * pause

    began = time.monotonic()
    until = began + seconds
    asked = await asyncio.gather(*(ask(port, requests, until, pauses) for _ in range(connections)))
    return {"took": [took for each in asked for took in each], "seconds": time.monotonic() - began}


def main(what: str, port: str, *rest: str) -> None:
    if what == "read":
        cookies, connections, seconds, pause = rest
        requests = reading(int(port), Path(cookies).read_text().splitlines())
        said = asyncio.run(load(int(port), requests, int(connections), float(seconds), float(pause)))
    else:
        clients, seconds = rest
        said = asyncio.run(load(int(port), signing_in(int(port)), int(clients), float(seconds), 0))
    print(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
