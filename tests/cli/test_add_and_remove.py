"""`powauth add` and `powauth remove`: an extension comes into an application, and goes again."""

import json
import sys
from pathlib import Path

import pytest

from tests.cli.project import APP, Project, copied, project


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return project(tmp_path / "shop")


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return project(tmp_path_factory.mktemp("original")).with_alembic()


@pytest.fixture
def shop_with_alembic(migrated: Project, tmp_path: Path) -> Project:
    return copied(migrated, tmp_path / "shop")


# ---- the application's file ----


def test_an_extension_is_imported_and_listed_and_nothing_else_changes(shop: Project) -> None:
    done = shop.data("add", "reset_password", "--app", "app:app", "--yes")
    assert done["written"]
    assert done["files"] == ["app.py"]
    line = "from powauth.extensions.sign_in"
    expected = APP.replace(line, f"from powauth.extensions.reset_password import ResetPassword\n{line}")
    expected = expected.replace("        SignIn(),\n", "        SignIn(),\n        ResetPassword(),\n")
    assert shop.path("app.py").read_text() == expected
    assert shop.enabled() == ["sign_up", "sign_in", "reset_password"]


def test_what_was_added_is_taken_out_to_the_last_byte(shop: Project) -> None:
    shop.write("app.py", APP.replace("\n", "\r\n").replace("A shop", "Ein Café"))
    before = shop.files()
    shop.done("add", "reset_password", "lock", "reopen", "--app", "app:app", "--yes")
    assert shop.enabled() == ["sign_up", "sign_in", "reset_password", "lock", "reopen"]
    shop.done("remove", "reopen", "lock", "reset_password", "--app", "app:app", "--yes")
    assert shop.files() == before


def test_adding_twice_changes_nothing(shop: Project) -> None:
    shop.done("add", "reset_password", "--app", "app:app", "--yes")
    before = shop.files()
    assert "nothing to change" in shop.done("add", "reset_password", "--app", "app:app")
    assert shop.files() == before


def test_nothing_is_written_before_somebody_agrees(shop: Project) -> None:
    before = shop.files()
    shown = shop.done("add", "reset_password", "--app", "app:app", "--diff")
    assert "+        ResetPassword(),\n" in shown
    assert shop.powauth("add", "reset_password", "--app", "app:app", typed="n\n").returncode == 1
    assert shop.powauth("add", "reset_password", "--app", "app:app").returncode == 1  # nobody is there
    unanswered = shop.powauth("add", "reset_password", "--app", "app:app", "--json")
    assert unanswered.returncode == 2
    assert json.loads(unanswered.stderr)["error"]["code"] == "unanswered"
    assert shop.files() == before
    assert shop.powauth("add", "reset_password", "--app", "app:app", typed="y\n").returncode == 0
    assert "reset_password" in shop.enabled()


def test_settings_are_written_as_they_were_given(shop: Project) -> None:
    settings = ("--setting", "lifetime=timedelta(hours=1)", "--setting", "confirms=False")
    shop.done("add", "reset_password", *settings, "--app", "app:auth", "--yes")
    assert "ResetPassword(lifetime=timedelta(hours=1), confirms=False)," in shop.path("app.py").read_text()
    assert "from datetime import timedelta\n" in shop.path("app.py").read_text()
    assert shop.enabled()[-1] == "reset_password"


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("lifetime", "name=value"),
        ("nonsense=1", "lifetime"),
        ("lifetime=1)+(", "as in Python"),
        ("lifetime=import os", "as in Python"),
        ("lifetime=unheard_of(1)", "unheard_of"),
        ("lifetime=timedelta(days=9)", "at most 24 hours"),
    ],
)
def test_a_setting_that_is_refused_changes_nothing(shop: Project, setting: str, says: str) -> None:
    before = shop.files()
    result = shop.powauth("add", "reset_password", "--setting", setting, "--app", "app:app", "--yes")
    assert result.returncode in {1, 2}
    assert says in result.stderr
    assert shop.files() == before


def test_what_an_extension_requires_comes_with_it_and_what_has_to_stand_before_does(shop: Project) -> None:
    shop.write("app.py", APP.replace("        SignUp(),  # everybody may\n        SignIn(),\n", ""))
    shop.done("add", "manage_account", "--app", "app:app", "--yes")
    assert shop.enabled()[-1] == "manage_account"
    assert "sign_in" in shop.enabled()


def test_a_list_under_a_name_a_tuple_and_no_list_at_all_are_added_to(shop: Project) -> None:
    start, end = APP.index("    extensions=["), APP.index("    ],\n)") + len("    ],\n")
    for mention, head in (
        ("    extensions=EXTENSIONS,\n", "EXTENSIONS = [SignIn()]\n"),
        ("    extensions=(SignIn(),),\n", ""),
        ("    extensions=[*[SignIn()]],\n", ""),
        ("", ""),
    ):
        shop.write("app.py", (APP[:start] + mention + APP[end:]).replace("auth = Auth(", f"{head}auth = Auth("))
        before = shop.files()
        shop.done("add", "sign_in", "session_list", "--app", "app:app", "--yes")
        assert shop.enabled() == ["sign_in", "session_list"]
        if mention and "*" not in mention:
            shop.done("remove", "session_list", "--app", "app:app", "--yes")
            assert shop.files() == before


def test_a_list_that_is_not_to_be_seen_is_left_to_its_owner(shop: Project) -> None:
    start, end = APP.index("    extensions=["), APP.index("    ],\n)") + len("    ],\n")
    for mention in ("    extensions=made(),\n", "    **settings(),\n"):
        made = "def made():\n    return [SignIn()]\ndef settings():\n    return {'extensions': [SignIn()]}\n"
        shop.write("app.py", (APP[:start] + mention + APP[end:]).replace("auth = Auth(", f"{made}auth = Auth("))
        before = shop.files()
        result = shop.powauth("add", "session_list", "--app", "app:app", "--yes")
        assert result.returncode == 1
        assert "app.py, line" in result.stderr
        assert shop.files() == before


def test_of_two_auths_the_one_that_was_named_is_changed(shop: Project) -> None:
    first = APP[APP.index("auth = Auth(") : APP.index("app = FastAPI()")]
    second = first.replace("auth = Auth(", "admin = Auth(\n    name='admin',")
    shop.write("app.py", APP.replace("app = FastAPI()", second + "app = FastAPI()"))
    shop.done("add", "session_list", "--app", "app:admin", "--yes")
    assert shop.enabled() == ["sign_up", "sign_in"]
    assert "session_list" in shop.enabled("admin")


def test_the_file_is_found_where_the_auth_is_made(shop: Project) -> None:
    shop.write("app.py", "from inner.auth import app\n")
    shop.write("inner/__init__.py", "")
    shop.write("inner/auth.py", APP)
    assert shop.data("add", "session_list", "--app", "app:app", "--yes")["files"] == ["inner/auth.py"]


def test_an_extension_of_somebody_else_is_named_by_its_module(shop: Project) -> None:
    theirs = "from powauth import Extension\nclass Theirs(Extension):\n    name = 'theirs'\n    size: int\n"
    shop.write("theirs.py", theirs)
    without = shop.powauth("add", "theirs:Theirs", "--app", "app:app", "--yes")
    assert "--setting size" in without.stderr
    shop.done("add", "theirs:Theirs", "--setting", "size=3", "--app", "app:app", "--yes")
    assert "from theirs import Theirs\n" in shop.path("app.py").read_text()
    shop.done("remove", "theirs", "--app", "app:app", "--yes")
    assert shop.path("app.py").read_text() == APP


NONE = ["nonsense", "class", "os.path:join", "../app", "powauth.extensions", "json:JSONDecoder", ""]


@pytest.mark.parametrize("name", NONE)
def test_what_is_no_extension_is_not_understood(shop: Project, name: str) -> None:
    before = shop.files()
    result = shop.powauth("add", name, "--app", "app:app", "--yes")
    assert result.returncode == 2
    assert result.stderr.startswith("Error:")
    assert shop.files() == before


def test_what_auth_would_refuse_is_told_in_its_sentences_and_not_written(shop: Project) -> None:
    before = shop.files()
    result = shop.powauth("remove", "sign_in", "--app", "app:app", "--yes")
    assert result.returncode == 1
    assert "sign_up requires sign_in: add SignIn() to extensions" in result.stderr
    assert shop.powauth("remove", "lock", "--app", "app:app", "--yes").returncode == 2
    assert shop.files() == before


def test_a_read_only_file_and_a_link_that_leads_outside_are_left_alone(shop: Project) -> None:
    shop.path("app.py").chmod(0o444)
    assert "read-only" in shop.powauth("add", "lock", "--app", "app:app", "--yes").stderr
    outside = shop.folder.parent / "elsewhere.py"
    shop.path("app.py").rename(outside)
    outside.chmod(0o644)
    shop.path("app.py").symlink_to(outside)
    assert "outside" in shop.powauth("add", "lock", "--app", "app:app", "--yes").stderr
    assert outside.read_text() == APP


def test_an_application_that_says_much_while_it_is_imported_is_tried_all_the_same(shop: Project) -> None:
    shop.write("app.py", APP + "print('{\"problems\": []}' * 1000)\n")
    shop.done("add", "session_list", "--app", "app:app", "--yes")
    shop.write("app.py", APP + "if 'Lock' in globals():\n    raise SystemExit('gone')\n")
    result = shop.powauth("add", "lock", "--app", "app:app", "--yes")
    assert result.returncode == 1
    assert "gone" in result.stderr


def test_tables_without_migrations_are_named(shop: Project) -> None:
    assert "powauth_closures" in shop.done("add", "reopen", "--app", "app:app", "--yes")


# ---- migrations ----


def revisions(shop: Project) -> list[str]:
    return sorted(path.name.partition("_")[2] for path in shop.path("migrations/versions").glob("*.py"))


def test_a_migration_makes_the_tables_and_alembic_then_finds_no_difference(shop_with_alembic: Project) -> None:
    shop = shop_with_alembic
    done = shop.data("add", "reopen", "--app", "app:app", "--yes")
    assert [Path(name).parts[0] for name in done["files"]] == ["migrations", "app.py"]
    assert done["then"] == ["then: alembic upgrade head"]
    assert revisions(shop) == ["add_reopen.py", "first.py"]
    shop.alembic("upgrade", "head")
    assert "No new upgrade operations" in shop.alembic("check")
    shop.alembic("downgrade", "-1")
    shop.alembic("upgrade", "head")


def test_a_migration_is_written_without_a_database(shop_with_alembic: Project) -> None:
    shop = shop_with_alembic
    nowhere = {"DATABASE_URL": "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"}
    assert shop.powauth("add", "reopen", "--app", "app:app", "--yes", **nowhere).returncode == 0
    assert revisions(shop) == ["add_reopen.py", "first.py"]
    left = shop.powauth("remove", "reopen", "--app", "app:app", "--yes", **nowhere)
    assert left.returncode == 0
    assert "powauth_closures stay" in left.stdout  # nobody knows whether it was applied
    assert revisions(shop) == ["add_reopen.py", "first.py"]


def test_a_migration_that_no_database_has_seen_goes_with_its_extension(shop_with_alembic: Project) -> None:
    shop = shop_with_alembic
    before = shop.files()
    shop.done("add", "reopen", "--app", "app:app", "--yes")
    shop.done("remove", "reopen", "--app", "app:app", "--yes")
    assert shop.files() == before


def test_a_migration_that_somebody_added_work_to_is_kept(shop_with_alembic: Project) -> None:
    shop = shop_with_alembic
    shop.done("add", "reopen", "--app", "app:app", "--yes")
    file = next(shop.path("migrations/versions").glob("*add_reopen.py"))
    head = "def upgrade() -> None:\n"
    file.write_text(file.read_text().replace(head, f"{head}    op.execute('SELECT 1')\n"))
    shop.done("remove", "reopen", "--app", "app:app", "--yes")
    assert revisions(shop) == ["add_reopen.py", "first.py"]


def test_applied_tables_stay_until_somebody_drops_them(shop_with_alembic: Project) -> None:
    shop = shop_with_alembic
    shop.done("add", "reopen", "--app", "app:app", "--yes")
    shop.alembic("upgrade", "head")
    assert "powauth_closures stay" in shop.done("remove", "reopen", "--app", "app:app", "--yes")
    assert revisions(shop) == ["add_reopen.py", "first.py"]
    shop.done("add", "reopen", "--app", "app:app", "--yes")  # goes on with the table that is there
    assert revisions(shop) == ["add_reopen.py", "first.py"]
    dropped = shop.powauth("remove", "reopen", "--drop-data", "--app", "app:app", "--yes")
    assert "all rows of powauth_closures will be lost" in dropped.stderr
    assert revisions(shop) == ["add_reopen.py", "first.py", "remove_reopen.py"]
    shop.alembic("upgrade", "head")
    assert "No new upgrade operations" in shop.alembic("check")
    shop.done("add", "reopen", "--app", "app:app", "--yes")
    shop.alembic("upgrade", "head")
    assert "No new upgrade operations" in shop.alembic("check")


def test_what_was_cut_off_is_finished_by_the_same_command(
    shop_with_alembic: Project,
) -> None:
    shop = shop_with_alembic
    shop.done("add", "reopen", "--app", "app:app", "--yes")
    next(shop.path("migrations/versions").glob("*add_reopen.py")).unlink()
    assert shop.data("add", "reopen", "--app", "app:app", "--yes")["written"]
    assert revisions(shop) == ["add_reopen.py", "first.py"]


def test_two_heads_are_for_the_person_to_merge_and_nothing_is_written(shop_with_alembic: Project) -> None:
    shop = shop_with_alembic
    first = next(shop.path("migrations/versions").glob("*first.py"))
    for name in ("aaaaaaaaaaaa", "bbbbbbbbbbbb"):
        revision = first.name.partition("_")[0]
        text = f"revision = '{name}'\ndown_revision = '{revision}'\ndef upgrade(): pass\ndef downgrade(): pass\n"
        shop.write(f"migrations/versions/{name}_more.py", text)
    before = shop.files()
    result = shop.powauth("add", "reopen", "--app", "app:app", "--yes")
    assert result.returncode == 1
    assert "heads" in result.stderr
    assert shop.files() == before


def test_settings_of_alembic_in_pyproject_are_found_and_files_in_folders_by_date(shop_with_alembic: Project) -> None:
    shop = shop_with_alembic
    shop.path("alembic.ini").unlink()
    shop.write(
        "pyproject.toml",
        '[tool.alembic]\nscript_location = "%(here)s/migrations"\nfile_template = "%%(year)d/%%(rev)s_%%(slug)s"\n'
        "recursive_version_locations = true\n",
    )
    files = shop.data("add", "reopen", "--app", "app:app", "--yes")["files"]
    assert len(Path(files[0]).parts) == 4
    shop.alembic("upgrade", "head")
    assert "No new upgrade operations" in shop.alembic("check")


def test_without_alembic_installed_a_project_with_migrations_is_told(shop: Project) -> None:
    shop.write("alembic.ini", "[alembic]\nscript_location = migrations\n")
    code = "import sys; sys.modules['alembic'] = None\nfrom powauth.cli import main; main()"
    result = shop.run(sys.executable, "-c", code, "add", "reopen", "--app", "app:app", "--yes")
    assert result.returncode == 1
    assert "pip install alembic" in result.stderr
    assert shop.path("app.py").read_text() == APP
