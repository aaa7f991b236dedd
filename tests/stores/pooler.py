"""PgBouncer before PostgreSQL, as many put it there."""

import os
import signal
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests import servers

SETTINGS = """\
[databases]
* = host={host} port={server} user=postgres
[pgbouncer]
listen_addr = {host}
listen_port = {port}
auth_type = any
pool_mode = {mode}
ignore_startup_parameters = extra_float_digits
unix_socket_dir =
"""


@contextmanager
def pooler(server: int, *, mode: str) -> Generator[int]:
    """Start PgBouncer before the server at this port, and give its own."""
    folder = Path(tempfile.mkdtemp(prefix="own-pgbouncer-", dir=os.environ[servers.RUN]))
    port = servers.free_port()
    engine = servers.Engine(
        prepare=partial(prepare, settings=SETTINGS.format(host=servers.HOST, server=server, port=port, mode=mode)),
        command=lambda folder, _port: [
            *servers.AS_NOBODY, *servers.WITH_ITS_KEEPER,
            str(servers.pgbouncer_root() / "usr/sbin/pgbouncer"), "-q", str(folder / "settings.ini"),
        ],
        client=servers.no_client,
        answers=servers.all_listen,
        stop=signal.SIGKILL,
        environment=environment,
    )  # fmt: skip
    started = servers.start("pgbouncer", folder, engine=engine, port=port)
    try:
        yield port
    finally:
        started.stop()


def environment() -> dict[str, str]:
    return servers.plain_environment() | {"LD_LIBRARY_PATH": servers.library_path(servers.pgbouncer_root())}


def prepare(folder: Path, *, settings: str) -> None:
    (folder / "settings.ini").write_text(settings)
