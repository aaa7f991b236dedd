"""`--app`: how an application is found, and what is said when it is not."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from powauth.cli import main
from tests.cli.shop import SECRET, Shop, write

INSTALLED = """
from fastapi import FastAPI
from powauth.fastapi import install

app = FastAPI()
install(app, auth)

def make_app():
    return app

class Container:
    auth = auth

container = Container()
"""


def routes(app: str | None, *more: str) -> Result:
    return CliRunner().invoke(main, ["routes", *(["--app", app] if app else []), *more])


def test_without_an_application_a_command_says_how_to_name_one() -> None:
    result = routes(None)
    assert result.exit_code == 2
    assert "--app module:name" in result.output
    assert "POWAUTH_APP" in result.output


@pytest.mark.parametrize("name", ["auth", "app", "make_app", "container.auth"])
def test_an_application_is_an_auth_or_what_has_or_makes_one(folder: Path, name: str) -> None:
    shop = write(folder, after=INSTALLED)
    assert "/auth/sign-in" in routes(f"{shop.module}:{name}").output


def test_the_environment_may_name_the_application(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWAUTH_APP", shop.app)
    assert routes(None).exit_code == 0


def test_the_application_may_stand_before_the_command(shop: Shop) -> None:
    assert CliRunner().invoke(main, ["--app", shop.app, "routes"]).exit_code == 0


def test_an_application_behind_the_command_counts_more_than_one_before_it(shop: Shop) -> None:
    assert CliRunner().invoke(main, ["--app", "nothing:here", "routes", "--app", shop.app]).exit_code == 0


def test_a_module_that_is_not_there_is_named() -> None:
    result = routes("nothing_here:auth")
    assert result.exit_code == 2
    assert "there is no module nothing_here" in result.output


def test_a_module_alone_is_answered_with_what_it_has(shop: Shop) -> None:
    result = routes(shop.module)
    assert result.exit_code == 2
    assert f"--app {shop.app}" in result.output


def test_a_name_that_is_not_there_is_answered_with_what_is(shop: Shop) -> None:
    result = routes(f"{shop.module}:nothing")
    assert result.exit_code == 2
    assert f"--app {shop.app}" in result.output


@pytest.mark.parametrize("named", ["", ":", "a b:c", "shop:", ":auth", "../shop:auth", "shop:auth:more"])
def test_nonsense_is_not_understood(named: str) -> None:
    result = routes(named)
    assert result.exit_code == 2
    assert not isinstance(result.exception, (ValueError, ImportError))


def test_something_without_an_auth_is_refused(shop: Shop) -> None:
    result = routes(f"{shop.module}:User")
    assert result.exit_code == 2
    assert "without an Auth" in result.output


def test_an_application_with_two_auths_has_to_be_told_which(folder: Path) -> None:
    after = "admin = Auth(**{**settings, 'name': 'admin'})\nclass Both: pass\nboth = Both()\n"
    shop = write(folder, after=after + "both.one, both.two = auth, admin")
    result = routes(f"{shop.module}:both")
    assert result.exit_code == 2
    assert "admin, powauth" in result.output


def test_an_application_that_cannot_be_imported_says_where_and_why(folder: Path) -> None:
    (folder / "broken_shop.py").write_text("import os\n\nos.environ['NOT_SET_HERE']\n")
    result = routes("broken_shop:auth")
    assert result.exit_code == 2
    assert "KeyError: 'NOT_SET_HERE'" in result.output
    assert "line 3" in result.output


def test_a_factory_that_fails_says_why(folder: Path) -> None:
    shop = write(folder, after="def make():\n    raise ValueError('no such region')")
    result = routes(f"{shop.module}:make")
    assert result.exit_code == 2
    assert "no such region" in result.output


def test_settings_that_are_refused_are_told_all_at_once(folder: Path) -> None:
    shop = write(folder, secret="'short'", name="'Not A Name'")
    result = routes(shop.app)
    assert result.exit_code == 1
    assert "secret is shorter" in result.output
    assert "'Not A Name'" in result.output
    assert SECRET not in result.output


@pytest.mark.parametrize("options", [("--json",), ("--json", "--app", "nothing:here")])
def test_errors_are_json_where_json_was_asked_for(options: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, ["routes", *options])
    assert result.exit_code == 2
    assert json.loads(result.stderr)["error"]["code"] == "no_app"
    assert result.stdout == ""
