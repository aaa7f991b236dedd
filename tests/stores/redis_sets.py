"""Servers that stand in for one another: a cluster of three primaries and three replicas, and a set with Sentinels."""

import dataclasses
import os
import signal
import socket
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from tests import servers
from tests.stores.network import Network

SLOTS = 16384
NODE_TIMEOUT = 1000  # milliseconds after which a node that says nothing is taken for dead


@dataclass(frozen=True)
class Node:
    """One server of a set."""

    server: servers.Server
    announced: int = 0
    """The port by which others know it, where that is another one."""

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def known_as(self) -> int:
        return self.announced or self.port

    @property
    def address(self) -> str:
        return f"{servers.HOST}:{self.known_as}"

    def ask(self, *words: object) -> Any:
        """Return what it answers."""
        with Redis(servers.HOST, self.port, socket_timeout=1, protocol=2) as client:
            client.response_callbacks.clear()  # as it says it
            return client.execute_command(*words)

    def says(self, section: str, line: str) -> bool:
        """Say whether INFO of this section, or CLUSTER INFO, has this line."""
        words = ("CLUSTER", "INFO") if section == "cluster" else ("INFO", section)
        try:
            return line.encode() in self.ask(*words).splitlines()
        except RedisError:
            return False

    def kill(self) -> None:
        """End it as a power cut would."""
        self.server.kill()

    def freeze(self) -> None:
        """Let it do nothing any more, and keep its connections."""
        os.kill(self.server.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on, as if no time had passed."""
        os.kill(self.server.pid, signal.SIGCONT)


@dataclass(frozen=True)
class Cluster:
    """Primaries, and as many replicas."""

    nodes: Sequence[Node]

    @property
    def url(self) -> str:
        return f"redis+cluster://{','.join(node.address for node in self.nodes)}"

    @property
    def primaries(self) -> Sequence[Node]:
        """Return those that are primaries as the first node that answers sees it."""
        lines = self._lines()
        ports = {_port(line) for line in lines if "master" in line.split()[2] and "fail" not in line.split()[2]}
        return [node for node in self.nodes if node.known_as in ports]

    def holder(self, key: bytes) -> Node:
        """Return the primary that holds a key."""
        slot = int(self.primaries[0].ask("CLUSTER", "KEYSLOT", key))
        for line in self._lines():
            ranges = [part.partition("-") for part in line.split()[8:] if not part.startswith("[")]
            if any(int(first) <= slot <= int(last or first) for first, _, last in ranges):
                return next(node for node in self.nodes if node.known_as == _port(line))
        raise LookupError(key)

    def empty(self) -> None:
        """Remove all keys."""
        for node in self.primaries:
            node.ask("FLUSHALL")

    def _lines(self) -> Sequence[str]:
        for node in self.nodes:
            try:
                return [*node.ask("CLUSTER", "NODES").decode().splitlines()]
            except RedisError:
                continue
        raise LookupError("no node answers")


@dataclass(frozen=True)
class Watched:
    """A primary, its replicas, and the Sentinels that watch it."""

    nodes: Sequence[Node]
    sentinels: Sequence[Node]

    @property
    def url(self) -> str:
        return f"redis+sentinel://{','.join(one.address for one in self.sentinels)}/main"

    @property
    def primary(self) -> Node:
        """Return the primary that the first Sentinel names."""
        port = int(self.sentinels[0].ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")[1])
        return next(node for node in self.nodes if node.port == port)


def _port(line: str) -> int:
    return int(line.split()[1].partition("@")[0].rpartition(":")[2])


def the_guide_s_user() -> list[str]:
    """Return the command that makes the user of docs/guides/redis.md."""
    guide = Path(__file__).parents[2] / "docs/guides/redis.md"
    return next(line for line in guide.read_text().splitlines() if line.startswith("ACL SETUSER")).split()


@contextmanager
def cluster(kind: str, network: Network | None = None) -> Generator[Cluster]:
    """Start a cluster on which all agree; with a network, all that nodes say to each other goes through it."""
    with ExitStack() as stack:
        options = [
            "--cluster-enabled", "yes", "--cluster-node-timeout", str(NODE_TIMEOUT),
            "--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay", "0",
            "--repl-ping-replica-period", "1",
        ]  # fmt: skip
        nodes = [stack.enter_context(node(kind, options, network=network)) for _ in range(6)]
        primaries, replicas = nodes[:3], nodes[3:]
        for place, primary in enumerate(primaries):
            primary.ask("CLUSTER", "ADDSLOTS", *range(place * SLOTS // 3, (place + 1) * SLOTS // 3))
            primary.ask("CLUSTER", "SET-CONFIG-EPOCH", place + 1)
        for other in nodes[1:]:
            bus = network.bus(nodes[0].announced) if network else nodes[0].port + 10000
            other.ask("CLUSTER", "MEET", servers.HOST, nodes[0].known_as, bus)
        for primary, replica in zip(primaries, replicas, strict=True):
            servers.wait_until(_replicates(replica, primary), "the replica to hear of its primary")
        for one in nodes:
            servers.wait_until(lambda one=one: one.says("cluster", "cluster_state:ok"), "the cluster")  # type: ignore[misc]
        for one in replicas:
            servers.wait_until(lambda one=one: one.says("replication", "master_link_status:up"), "the replicas")  # type: ignore[misc]
        found = Cluster(nodes)
        servers.wait_until(lambda: all(_agrees(one) for one in nodes), "all to know who is a replica")
        yield found


def _replicates(replica: Node, primary: Node) -> Any:
    def does() -> bool:
        try:
            replica.ask("CLUSTER", "REPLICATE", primary.ask("CLUSTER", "MYID"))
        except RedisError:
            return False
        return True

    return does


def _agrees(node: Node) -> bool:
    return sum("slave" in line.split()[2] for line in node.ask("CLUSTER", "NODES").decode().splitlines()) == 3


@contextmanager
def watched(kind: str) -> Generator[Watched]:
    """Start a primary with two replicas and three Sentinels that all know each other."""
    with ExitStack() as stack:
        options = ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"]
        primary = stack.enter_context(node(kind, options))
        follow = [*options, "--replicaof", servers.HOST, str(primary.port)]
        nodes = [primary, *(stack.enter_context(node(kind, follow)) for _ in range(2))]
        servers.wait_until(lambda: primary.says("replication", "connected_slaves:2"), "the replicas")
        sentinels = [stack.enter_context(sentinel(kind, primary)) for _ in range(3)]
        servers.wait_until(lambda: all(_knows_all(one) for one in sentinels), "the Sentinels to know each other")
        yield Watched(nodes, sentinels)


def _knows_all(sentinel: Node) -> bool:
    answer = sentinel.ask("SENTINEL", "MASTER", "main")
    said = dict(zip(answer[::2], answer[1::2], strict=True))
    return (said[b"num-other-sentinels"], said[b"num-slaves"]) == (b"2", b"2")


@contextmanager
def node(kind: str, options: Sequence[str], *, network: Network | None = None) -> Generator[Node]:
    """Start a server with more options."""
    plain, port = servers.ENGINES[kind], low_port()
    more = network.join(port) if network else []
    engine = dataclasses.replace(plain, command=lambda folder, port: [*plain.command(folder, port), *options, *more])
    announced = network.announced(port) if network else 0
    yield from _started(kind, engine, port=port, announced=announced)


@contextmanager
def sentinel(kind: str, primary: Node) -> Generator[Node]:
    """Start a Sentinel that watches this primary under the name of main."""
    plain = servers.ENGINES[kind]

    def command(folder: Path, port: int) -> list[str]:
        (folder / "sentinel.conf").write_text(
            f"port {port}\nbind {servers.HOST}\ndir {folder}\n"
            f"sentinel monitor main {servers.HOST} {primary.port} 2\n"
            f"sentinel down-after-milliseconds main {NODE_TIMEOUT}\nsentinel failover-timeout main 3000\n"
        )
        binary = str(servers.BINARIES[kind]())
        return [*servers.WITH_ITS_KEEPER, binary, str(folder / "sentinel.conf"), "--sentinel"]

    yield from _started(kind, dataclasses.replace(plain, command=command), port=low_port())


def _started(kind: str, engine: servers.Engine, *, port: int, announced: int = 0) -> Iterator[Node]:
    folder = Path(tempfile.mkdtemp(prefix="set-", dir=os.environ[servers.RUN]))
    server = servers.start(kind, folder, engine=engine, port=port)
    try:
        yield Node(server, announced)
    finally:
        server.stop()


def low_port() -> int:
    """Return a free port, with the one free that is 10,000 higher: there the nodes of a cluster talk."""
    while True:
        port = servers.free_port() % 20000 + 20000
        with socket.socket() as one, socket.socket() as other:
            try:
                one.bind((servers.HOST, port))
                other.bind((servers.HOST, port + 10000))
            except OSError:
                continue
        return port
