"""Two processes behind one store on Redis or PostgreSQL: what is done in one holds in the other, and nothing twice."""

import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path

import httpx2
import pytest

from tests import servers
from tests.durability.branch import make_store
from tests.durability.outage import mortal
from tests.durability.shop import Folder, extensions, shop
from tests.house import BASE_URL, PASSWORD

pytestmark = pytest.mark.servers

ADA, GRACE = "ada@example.com", "grace@example.com"
TOLD_WITHIN = 0.05
"""Seconds within which a near cache hears of it."""
OwnServer = Callable[[str], AbstractContextManager[servers.Server]]


class Branch:
    """One process, asked by programs that show what a browser would."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout
        port = int(process.stdout.readline())
        self._client = httpx2.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"accept": "application/json", "origin": BASE_URL.rpartition("/")[0]},
            timeout=10,
        )

    @property
    def runs(self) -> bool:
        """Whether it is still the process that was started."""
        return self._process.poll() is None

    def get(self, path: str, cookies: Mapping[str, str]) -> int:
        return self.ask(path, cookies).status_code

    def ask(self, path: str, cookies: Mapping[str, str]) -> httpx2.Response:
        return self._client.get(where(path), headers={"cookie": header(cookies)})

    def post(self, path: str, cookies: Mapping[str, str] | None = None, **fields: str) -> httpx2.Response:
        answer = self._client.post(where(path), headers={"cookie": header(cookies or {})}, json=fields)
        self._client.cookies.clear()
        return answer

    def close(self) -> None:
        self._client.close()


def where(path: str) -> str:
    """Return where a page is: Powauth's own are below /auth."""
    return path if path == "/of-session" else f"/auth{path}"


def header(cookies: Mapping[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


@contextmanager
def two_branches(url: str, store: str, folder: Path) -> Generator[tuple[Branch, Branch]]:
    """Start two processes at once."""
    command = [sys.executable, str(Path(__file__).with_name("branch.py")), url, store, str(folder)]
    with ExitStack() as stack:
        processes = [stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) for _ in "ab"]
        for process in processes:
            stack.callback(process.kill)
        one, other = (stack.enter_context(closing(Branch(process))) for process in processes)
        yield one, other


@pytest.fixture(scope="module", params=["redis", "postgresql", "memory"])
def kind(request: pytest.FixtureRequest) -> str:
    """Where sessions are. On PostgreSQL everything is there, and sessions also in the near cache of each process."""
    return str(request.param)


@pytest.fixture(scope="module")
def is_shared(kind: str) -> bool:
    """With a store in each process's own memory all of it goes wrong: that is the twin."""
    return kind != "memory"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, kind: str) -> Path:
    return tmp_path_factory.mktemp(kind)


@pytest.fixture(scope="module")
def mails(folder: Path) -> Folder:
    return Folder(folder / "mails")


@pytest.fixture(scope="module")
def branches(folder: Path, kind: str) -> Iterator[tuple[Branch, Branch]]:
    """Two processes for all that follows: their start takes longest."""
    with ExitStack() as stack:
        url = f"sqlite+aiosqlite:///{folder}/app.db"
        store = servers.empty_valkey() if kind == "redis" else "memory"
        if kind == "postgresql":
            url, store = stack.enter_context(servers.database("postgres")), "near"
        create(url, store)
        yield stack.enter_context(two_branches(url, store, folder))


def create(url: str, store: str) -> None:
    """Make the tables that the processes need with this store."""

    async def opened_once() -> None:
        async with shop(url, open_it=False, store=make_store(store, url), extensions=extensions(gifts=True)):
            pass

    asyncio.run(opened_once())


def test_who_signs_out_in_one_process_is_refused_in_the_other(
    branches: tuple[Branch, Branch], kind: str, *, is_shared: bool
) -> None:
    one, other = branches
    cookies = dict(one.post("/sign-up", email=ADA, password=PASSWORD).cookies)
    assert one.get("/account", cookies) == 200
    assert (other.get("/account", cookies) == 200) == is_shared
    if is_shared:
        assert other.post("/sign-out", cookies).status_code < 300
        ended_at = time.monotonic()
        while kind == "postgresql" and one.get("/of-session", cookies) == 200:
            assert time.monotonic() - ended_at < TOLD_WITHIN
        for path in ("/of-session", "/account"):
            assert (one.get(path, cookies), other.get(path, cookies)) == (401, 401)


def failures_until_told_to_wait(*branches: Branch) -> int:
    for count in range(100):
        status = branches[count % len(branches)].post("/sign-in", email=GRACE, password="wrong horse").status_code
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
        lambda: len({(to, what) for _, to, what, _ in mails.mails() if to != ADA}) >= 20, "a link and a gift for each"
    )
    assert set(Counter((to, what) for _, to, what, _ in mails.mails() if to != ADA).values()) == {1}


# ---- PostgreSQL is stopped and started meanwhile ----


def assert_unavailable(answer: httpx2.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) >= 1
    assert "set-cookie" not in answer.headers


def until_it_answers(ask: Callable[[], int], *expected: int, within: float) -> None:
    """Ask until it answers so; until then it may say that it does not know, and nothing else."""
    deadline = time.monotonic() + within
    while (status := ask()) not in expected:
        assert status in {200, 503}
        assert time.monotonic() < deadline, status


@pytest.mark.parametrize("sessions", ["redis", "postgresql"])
def test_processes_outlive_postgresql_and_lose_nothing_that_they_acknowledged(
    own_server: OwnServer, valkey_url: str, tmp_path: Path, sessions: str
) -> None:
    with own_server("postgres") as server, mortal(server) as found, ExitStack() as stack:
        store = valkey_url if sessions == "redis" else "near"
        create(found.url, store)
        one, other = both = stack.enter_context(two_branches(found.url, store, tmp_path))
        people = [f"p{number}@example.com" for number in range(4)]
        signed_in = [dict(one.post("/sign-up", email=email, password=PASSWORD).cookies) for email in people]
        out = signed_in.pop()
        assert other.post("/sign-out", out).status_code < 300
        assert [other.get("/of-session", cookies) for cookies in signed_in] == [200] * 3
        found.kill()
        for process in both:
            assert_unavailable(process.post("/sign-in", email=people[0], password=PASSWORD))
            assert_unavailable(process.post("/sign-up", email="eve@example.com", password=PASSWORD))
            assert_unavailable(process.ask("/account", signed_in[0]))
            for cookies in signed_in:
                if sessions == "redis":  # nothing of PostgreSQL is needed
                    assert process.get("/of-session", cookies) == 200
                else:  # what is remembered is good for two seconds, and then nobody knows
                    until_it_answers(lambda: process.get("/of-session", cookies), 503, within=2.5)  # noqa: B023  at once
                    assert_unavailable(process.ask("/of-session", cookies))
        found.revive()
        for process in both:
            for cookies in signed_in:
                until_it_answers(lambda: process.get("/account", cookies), 200, within=5)  # noqa: B023  at once
                assert process.get("/of-session", cookies) == 200
            assert process.get("/of-session", out) == 401
            for email in people:
                assert process.post("/sign-in", email=email, password=PASSWORD).status_code == 200
            assert process.post("/sign-in", email="eve@example.com", password=PASSWORD).status_code == 401
            assert process.runs
        arrived = Folder(tmp_path / "mails")
        servers.wait_until(lambda: {to for _, to, _, _ in arrived.mails()} >= set(people), "every mail that was owed")
