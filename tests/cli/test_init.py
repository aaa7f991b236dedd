"""`powauth init`: sign-in comes into a project that does not know it yet, and a second run changes nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.project import ENV, Project

FASTAPI = '''"""My kiosk."""
from fastapi import FastAPI

app = FastAPI(title="Café")  # the kiosk


@app.get("/")
async def home() -> dict[str, str]:
    return {"hello": "world"}
'''
STARLETTE = """from starlette.applications import Starlette

app = Starlette()
"""
MODELS = """from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
class Base(DeclarativeBase):
    pass


class User(Base):  # people
    __tablename__ = "people"
    id: Mapped[int] = mapped_column(primary_key=True)
    age: Mapped[int | None]
"""
DB = """from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
engine = create_async_engine("sqlite+aiosqlite:///kiosk.db")
Session = async_sessionmaker(engine)
"""
GET_SESSION = """

async def get_session():
    async with Session() as db:
        yield db
"""
FACTORY = """from contextlib import asynccontextmanager
from fastapi import FastAPI
from . import models


@asynccontextmanager
async def lifespan(app):
    yield


def create_app() -> FastAPI:
\tif models:
\t\tpass
\tapp = FastAPI(
\t\tlifespan=lifespan,
\t)
\treturn app
"""
SIGNS_IN = """
import asyncio
from main import app
from auth import auth
from powauth.testing import Site

async def main():
    async with app.router.lifespan_context(app):
        site = Site(auth, app)
        assert "Sign in" in (await site.get("/sign-in")).text
        answer = await site.post("/sign-up", email="ada@example.com", password="four quiet green owls")
        assert answer.status == 303
        assert (await site.get(answer.location)).status == 200
        print((await site.get("/")).status)

asyncio.run(main())
"""


@pytest.fixture
def empty(tmp_path: Path) -> Project:
    (tmp_path / "kiosk").mkdir()
    return Project(tmp_path / "kiosk", f"sqlite+aiosqlite:///{tmp_path}/app.db")


def unchanged_by_a_second_run(project: Project, *args: str) -> None:
    before = project.files()
    assert project.data("init", *args, "--yes")["written"] is False
    assert project.files() == before


@pytest.mark.parametrize(("program", "home"), [(FASTAPI, "200"), (STARLETTE, "404")], ids=["fastapi", "starlette"])
def test_somebody_can_sign_up_after_one_command(empty: Project, program: str, home: str) -> None:
    empty.write("main.py", program)
    done = empty.data("init", "--yes")
    assert done["files"] == ["auth.py", "main.py"]
    assert empty.python(SIGNS_IN).strip().endswith(home)
    unchanged_by_a_second_run(empty)


def test_what_was_there_keeps_every_byte_and_the_result_is_well_formed(empty: Project) -> None:
    empty.write("main.py", FASTAPI.replace("\n", "\r\n"))
    empty.done("init", "--yes")
    brought = "from powauth.fastapi import install\nfrom auth import auth, lifespan\n"
    expected = FASTAPI.replace("import FastAPI\n", f"import FastAPI\n{brought}")
    expected = expected.replace('é")  # the kiosk\n', 'é", lifespan=lifespan)  # the kiosk\ninstall(app, auth)\n')
    assert empty.path("main.py").read_bytes().decode() == expected.replace("\n", "\r\n")
    ruff = str(Path(sys.executable).parent / "ruff")
    for check in (["format", "--check"], ["check", "--select", "E,F,I,UP,B"]):
        command = [ruff, *check, "--isolated", "--no-cache", "--line-length", "100", "auth.py"]
        done = subprocess.run(command, cwd=empty.folder, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_no_secret_is_written(empty: Project) -> None:
    empty.write("main.py", FASTAPI)
    empty.done("init", "--yes")
    assert 'secret=os.environ["AUTH_SECRET"]' in empty.path("auth.py").read_text()
    assert os.environ.get("AUTH_SECRET", "d41f6c0a97b2e85316c04f7a9be2d853") not in empty.path("auth.py").read_text()
    told = empty.powauth("init", AUTH_SECRET="")
    assert "powauth secret" in told.stdout


def test_nothing_is_written_before_somebody_agrees(empty: Project) -> None:
    empty.write("main.py", FASTAPI)
    before = empty.files()
    assert "+install(app, auth)" in empty.done("init", "--diff")
    assert empty.powauth("init", typed="n\n").returncode == 1
    assert empty.powauth("init", "--json").returncode == 2
    assert empty.files() == before
    assert empty.powauth("init", typed="y\n").returncode == 0
    assert empty.path("auth.py").is_file()


def test_a_package_with_its_own_models_and_sessions_keeps_them(empty: Project) -> None:
    empty.write("kiosk/__init__.py", "")
    empty.write("kiosk/models.py", MODELS)
    empty.write("kiosk/db.py", DB)
    empty.write("kiosk/main.py", FACTORY)
    done = empty.data("init", "--yes")
    assert done["files"] == ["kiosk/auth.py", "kiosk/models.py", "kiosk/main.py"]
    written = empty.path("kiosk/auth.py").read_text()
    assert "from kiosk.db import Session\nfrom kiosk.models import User\n" in written
    assert "class User(AccountColumns, Base):  # people\n" in empty.path("kiosk/models.py").read_text()
    assert "\t)\n\tinstall(app, auth)\n\treturn app\n" in empty.path("kiosk/main.py").read_text()
    left = "\n".join(done["then"])  # what could not be placed, and nothing else
    assert "await database.create_tables()" in left
    assert "rows of User" in left
    assert "lifespan=lifespan" not in left
    assert empty.data("routes", "--app", "kiosk.main:create_app")
    unchanged_by_a_second_run(empty)


def test_a_dependency_that_gives_sessions_is_the_one_that_the_user_is_read_with(empty: Project) -> None:
    empty.write("main.py", FASTAPI)
    empty.write("db.py", DB + GET_SESSION)
    empty.data("init", "--yes")
    written = empty.path("auth.py").read_text()
    assert "from db import engine" not in written
    assert "current_user(auth, db=get_session)" in written
    assert "from db import Session, get_session\n" in written
    assert "def get_db" not in written
    assert "AsyncSession" not in written
    unchanged_by_a_second_run(empty)


@pytest.mark.parametrize("other", ["async def get_session(x):", "async def get_session(*, x):", "def get_session():"])
def test_what_only_looks_like_such_a_dependency_is_not_taken(empty: Project, other: str) -> None:
    looks_alike = GET_SESSION.replace("async def get_session():", other)
    if not other.startswith("async"):
        looks_alike = looks_alike.replace("async with Session() as db", "with Session() as db")
    empty.write("main.py", FASTAPI)
    empty.write("db.py", DB + looks_alike)
    empty.data("init", "--yes")
    assert "current_user(auth, db=get_db)" in empty.path("auth.py").read_text()


def test_with_alembic_its_env_learns_of_the_tables(empty: Project) -> None:
    empty.write("app.py", STARLETTE)
    empty.alembic("init", "migrations")
    assert "target_metadata = Base.metadata" in "\n".join(empty.data("init", "--yes")["then"])
    env = empty.path("migrations/env.py")
    assert "from auth import auth  # noqa: F401\n" in env.read_text()  # or a linter drops every table
    env.write_text(ENV.replace("from app import", "from auth import"))
    empty.data("init", "--yes")
    empty.alembic("revision", "--autogenerate", "-m", "accounts")
    empty.alembic("upgrade", "head")
    assert "No new upgrade operations" in empty.alembic("check")
    unchanged_by_a_second_run(empty)


def test_an_auth_that_is_there_is_installed_and_no_other_made(empty: Project) -> None:
    empty.write("main.py", FASTAPI)
    empty.done("init", "--yes")
    empty.write("main.py", FASTAPI)
    done = empty.data("init", "--yes")
    assert done["files"] == ["main.py"]
    assert "install(app, auth)" in empty.path("main.py").read_text()


def test_of_several_applications_one_has_to_be_named(empty: Project) -> None:
    empty.write("main.py", FASTAPI)
    empty.write("admin/main.py", STARLETTE)
    empty.write("tests/app.py", FASTAPI)
    empty.write(".venv/app.py", FASTAPI)
    before = empty.files()
    asked = empty.powauth("init", "--yes")
    assert asked.returncode == 2
    assert "main:app, admin.main:app" in asked.stderr
    assert empty.files() == before
    assert empty.data("init", "--app", "admin.main:app", "--yes")["files"] == ["admin/auth.py", "admin/main.py"]


@pytest.mark.parametrize("program", ["", "x = 1\n", "def FastAPI(): ...\napp = FastAPI()\n", "app = (\n", "\0"])
def test_where_there_is_no_application_nothing_is_written(empty: Project, program: str) -> None:
    empty.write("main.py", program)
    before = empty.files()
    assert empty.powauth("init", "--yes").returncode == 2
    assert empty.files() == before


@pytest.mark.parametrize("module", ["auth", "class", "../up", "a.b", "taken"])
def test_a_file_that_is_there_or_cannot_be_imported_is_not_written(empty: Project, module: str) -> None:
    empty.write("main.py", FASTAPI)
    empty.write("auth.py", "mine = True\n")
    empty.write("taken/__init__.py", "")
    before = empty.files()
    assert empty.powauth("init", "--module", module, "--yes").returncode == 2
    assert empty.files() == before
    assert empty.data("init", "--module", "signing", "--yes")["files"] == ["signing.py", "main.py"]


def test_columns_that_clash_are_for_their_owner_to_decide(empty: Project) -> None:
    empty.write("models.py", MODELS.replace("age:", "email:"))
    empty.write("main.py", FASTAPI)
    before = empty.files()
    refused = empty.powauth("init", "--yes")
    assert refused.returncode == 1
    assert "models.py, line 6: User has columns of its own that AccountColumns brings (email)" in refused.stderr
    assert empty.files() == before


def test_an_application_that_cannot_be_imported_is_only_changed_if_that_is_wanted(empty: Project) -> None:
    empty.write("main.py", FASTAPI + "import nowhere_to_be_found\n")
    before = empty.files()
    refused = empty.powauth("init", "--yes")
    assert refused.returncode == 1
    assert "nowhere_to_be_found" in refused.stderr
    assert empty.files() == before
    assert empty.data("init", "--untried", "--yes")["written"]


def test_a_link_out_of_the_project_is_not_followed(empty: Project) -> None:
    outside = empty.folder.parent / "elsewhere.py"
    outside.write_text(FASTAPI)
    empty.path("main.py").symlink_to(outside)
    assert empty.powauth("init", "--yes", "--untried").returncode == 1
    assert outside.read_text() == FASTAPI
    assert not empty.path("auth.py").exists()


def test_nothing_of_the_project_is_run_to_look_at_it(empty: Project) -> None:
    empty.write("main.py", FASTAPI)
    empty.write("other.py", "from fastapi import FastAPI\nopen('ran', 'w')\n")
    empty.done("init", "--diff")
    assert not empty.path("ran").exists()
