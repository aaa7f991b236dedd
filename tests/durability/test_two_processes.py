"""Two processes behind one store on Redis: what is done in one holds in the other, and nothing is done twice."""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import pytest

from tests import servers
from tests.durability.shop import Folder, shop
from tests.house import BASE_URL, PASSWORD

ADA = "ada@example.com"


class Branch:
    """One process, asked by programs that show what a browser would."""

    def __init__(self, port: int) -> None:
        self._client = httpx2.Client(
            base_url=f"http://127.0.0.1:{port}/auth",
            headers={"accept": "application/json", "origin": BASE_URL.rpartition("/")[0]},
            timeout=10,
        )

    def get(self, path: str, cookies: Mapping[str, str]) -> int:
        return self._client.get(path, headers={"cookie": header(cookies)}).status_code

    def post(self, path: str, cookies: Mapping[str, str] | None = None, **fields: str) -> httpx2.Response:
        answer = self._client.post(path, headers={"cookie": header(cookies or {})}, json=fields)
        self._client.cookies.clear()
        return answer

    def close(self) -> None:
        self._client.close()


def header(cookies: Mapping[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


@contextmanager
def branch(url: str, store: str, folder: Path) -> Generator[Branch]:
    command = [sys.executable, str(Path(__file__).with_name("branch.py")), url, store, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        found = Branch(int(process.stdout.readline()))
        try:
            yield found
        finally:
            found.close()
            process.kill()


@pytest.fixture(params=[pytest.param(True, id="redis"), pytest.param(False, id="memory")])
def is_shared(request: pytest.FixtureRequest) -> bool:
    """With a store in each process's own memory all of it goes wrong: that is the twin."""
    return bool(request.param)


@pytest.fixture
def mails(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "mails")


@pytest.fixture
def database(tmp_path: Path) -> str:
    url = f"sqlite+aiosqlite:///{tmp_path}/app.db"

    async def create() -> None:
        async with shop(url):
            pass

    asyncio.run(create())
    return url


@pytest.fixture
def branches(database: str, valkey_url: str, tmp_path: Path, *, is_shared: bool) -> Iterator[tuple[Branch, Branch]]:
    with ExitStack() as stack:
        store = valkey_url if is_shared else "memory"
        one, other = (stack.enter_context(branch(database, store, tmp_path)) for _ in range(2))
        yield one, other


def test_who_signs_out_in_one_process_is_refused_in_the_other(
    branches: tuple[Branch, Branch], *, is_shared: bool
) -> None:
    one, other = branches
    cookies = dict(one.post("/sign-up", email=ADA, password=PASSWORD).cookies)
    assert one.get("/account", cookies) == 200
    assert (other.get("/account", cookies) == 200) == is_shared
    if is_shared:
        assert other.post("/sign-out", cookies).status_code < 300
        assert (one.get("/account", cookies), other.get("/account", cookies)) == (401, 401)


def failures_until_told_to_wait(*branches: Branch) -> int:
    for count in range(100):
        status = branches[count % len(branches)].post("/sign-in", email=ADA, password="wrong horse").status_code
        if status == 429:
            return count
        assert status == 401
    raise AssertionError("never told to wait")


def test_a_limit_counts_across_processes(branches: tuple[Branch, Branch], *, is_shared: bool) -> None:
    together = failures_until_told_to_wait(*branches)
    alone = 5  # the failures that are free, by default
    assert (together == alone) == is_shared
    assert together <= 2 * alone


def test_one_mail_is_sent_once(branches: tuple[Branch, Branch], mails: Folder) -> None:
    one, other = branches
    for number in range(10):
        answer = (one, other)[number % 2].post("/sign-up", email=f"p{number}@example.com", password=PASSWORD)
        assert answer.status_code == 201
    servers.wait_until(
        lambda: len({(to, kind) for _, to, kind, _ in mails.mails()}) >= 20, "a link and a gift for each"
    )
    assert set(Counter((to, kind) for _, to, kind, _ in mails.mails()).values()) == {1}
