"""A server that is killed, and started again where its files lie."""

import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from tests import servers

# A killed server must not have kept what it acknowledged to itself.
HONEST = {
    "postgres": "ALTER ROLE postgres SET synchronous_commit = on",
    "mariadb": "SET GLOBAL innodb_flush_log_at_trx_commit = 2",
}


@dataclass
class Mortal:
    """A server of one test's own."""

    server: servers.Server

    @property
    def url(self) -> str:
        return servers.DATABASE_URL[self.server.kind].format(port=self.server.port, name="app")

    def kill(self) -> None:
        """End it as a power cut would, and keep its files: without its description its keeper leaves them."""
        (self.server.folder / "server.json").unlink()
        self.server.kill()
        servers.wait_until(lambda: not servers.alive(self.server.keeper), "the keeper to end")

    def revive(self) -> None:
        """Start it again on the same files and port."""
        kind, folder, port = self.server.kind, self.server.folder, self.server.port
        engine = servers.ENGINES[kind]
        deadline = time.monotonic() + servers.SLOW_START
        keeper = 0
        while not engine.answers(folder, port):
            if time.monotonic() > deadline:
                raise TimeoutError((folder / "log").read_text(errors="replace")[-2000:])
            if not keeper or not servers.alive(keeper):  # PostgreSQL waits for what is left of its last life
                (folder / "pid").unlink(missing_ok=True)
                keeper = servers.spawn_keeper(folder, engine.stop, engine.command(folder, port), engine.environment())
            time.sleep(0.05)
        pid = int((folder / "pid").read_text())
        (folder / "server.json").write_text("{}")
        self.server = servers.Server(kind=kind, port=port, folder=folder, keeper=keeper, pid=pid)


@contextmanager
def mortal(server: servers.Server) -> Generator[Mortal]:
    """Make the application's database on a server of one test's own, and let it be killed and revived."""
    server.run_sql(servers.CREATE_DATABASE[server.kind].format("app"))
    server.run_sql(HONEST[server.kind])
    found = Mortal(server)
    try:
        yield found
    finally:
        with suppress(TimeoutError):
            found.server.stop()
