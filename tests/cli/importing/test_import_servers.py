"""From PostgreSQL and MariaDB to PostgreSQL and MariaDB."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from powauth.cli.failures import Failure
from powauth.cli.importing.engines import connect
from tests.cli.importing.world import BCRYPT, move, people
from tests.cli.shop import Shop, with_tables, write
from tests.servers import database

pytestmark = pytest.mark.servers

ENGINES = ("postgres", "mariadb")
USERS = """
CREATE TABLE users (
    id INTEGER PRIMARY KEY, email VARCHAR(255), encrypted_password VARCHAR(255), confirmed_at TIMESTAMP NULL,
    locked_at TIMESTAMP NULL, created_at TIMESTAMP NULL, admin BOOLEAN
)
"""
PERSON = "INSERT INTO users VALUES (:id, :email, '', '2020-01-02 03:04:05', NULL, '2020-01-02 03:04:05', TRUE)"


def fill(url: str) -> None:
    async def filled() -> None:
        engine = create_async_engine(url)
        async with engine.begin() as connection:
            await connection.execute(text(USERS))
            await connection.execute(text(PERSON), [{"id": n, "email": f"u{n}@example.com"} for n in range(1, 41)])
        await engine.dispose()

    asyncio.run(filled())


def home_on(folder: Path, url: str) -> Shop:
    """Write an application on a server: there a text has a length."""
    shop = write(folder, more=f"{BCRYPT}\nfrom sqlalchemy import String", store="MemoryStore()")
    path = folder / f"{shop.module}.py"
    source = path.read_text().replace(f"sqlite+aiosqlite:///{folder}/app.db", url)
    path.write_text(source.replace("name: Mapped[str | None]", "name: Mapped[str | None] = mapped_column(String(9))"))
    return with_tables(shop)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_import_reads_from_and_writes_to_real_servers(folder: Path, engine: str) -> None:
    with database(engine) as theirs, database(engine) as ours:
        fill(theirs)
        home = home_on(folder, ours)
        home.create("u9@example.com")
        arguments = ("--batch", "7", "--map", "admin=name")
        dry = move(home, "devise", theirs, *arguments, "--dry-run")
        moved = move(home, "devise", theirs, *arguments)
        assert dry.codes("9") == moved.codes("9") == {"exists"}
        assert (dry.data["taken_over"], moved.data["taken_over"], moved.data["left_out"]) == (39, 39, 1)
        known = people(home)["u1@example.com"]
        assert (known.created_at.isoformat(), known.is_confirmed) == ("2020-01-02T03:04:05+00:00", True)
        again = move(home, "devise", theirs, *arguments)
        assert (again.data["taken_over"], again.data["already"]) == (0, 39)


def test_postgresql_is_read_by_the_driver_that_is_installed(folder: Path) -> None:
    with database("postgres") as theirs:
        fill(theirs)
        plain = make_url(theirs).set(drivername="postgres").render_as_string(hide_password=False)
        home = home_on(folder, f"sqlite+aiosqlite:///{folder}/app.db")
        assert move(home, "devise", plain).data["taken_over"] == 40


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_can_be_written_to_the_other_system(engine: str) -> None:
    with database(engine) as theirs:
        fill(theirs)

        async def written() -> int:
            origin = connect(theirs)
            with pytest.raises(Failure, match=r"(?i)read.only"):
                await origin.run(lambda connection: connection.execute(text("DELETE FROM users")))
            left = await origin.run(lambda connection: connection.execute(text("SELECT count(*) FROM users")).scalar())
            await origin.close()
            return int(left or 0)

        assert asyncio.run(written()) == 40


def test_nothing_can_be_written_to_a_file_of_sqlite(folder: Path) -> None:
    url = f"sqlite+aiosqlite:///{folder}/theirs.db"
    fill(url)

    async def written() -> None:
        for name in (url, f"sqlite:///{folder}/theirs.db"):
            origin = connect(name)
            with pytest.raises(Failure, match="readonly"):
                await origin.run(lambda connection: connection.execute(text("DELETE FROM users")))
            await origin.close()

    asyncio.run(written())
