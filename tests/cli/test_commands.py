"""The group of all commands: what it lists, what it imports, what it does with names that nobody knows."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from powauth import Auth
from powauth.cli import COMMANDS, main
from powauth.cli.group import Lazy
from powauth.signing import secret_problems
from tests.cli.shop import Shop

LOADED = """
import sys
from powauth.cli import main
try:
    main(sys.argv[1:])
finally:
    print("loaded", *sorted(sys.modules))
"""


def loaded_by(*args: str) -> set[str]:
    """Return what a process has imported in the end."""
    run = subprocess.run([sys.executable, "-c", LOADED, *args], check=True, capture_output=True, text=True)
    return set(run.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("args", [("--help",), ("secret",)])
def test_a_command_imports_only_what_it_needs(args: tuple[str, ...]) -> None:
    assert loaded_by(*args).isdisjoint({"rich", "sqlalchemy", "jinja2", "fastapi", "powauth.cli.check"})


@pytest.mark.parametrize("lazy", COMMANDS, ids=lambda lazy: lazy.name)
def test_the_list_says_of_a_command_what_its_help_begins_with(lazy: Lazy) -> None:
    assert (lazy.load().help or "").splitlines()[0] == lazy.help


@pytest.mark.parametrize("lazy", COMMANDS, ids=lambda lazy: lazy.name)
def test_every_command_and_option_has_help(lazy: Lazy) -> None:
    command = lazy.load()
    commands = list(command.commands.values()) if isinstance(command, click.Group) else [command]
    for each in commands:
        assert each.help
        options = [param for param in each.params if isinstance(param, click.Option)]
        assert [option.name for option in options if not option.help] == []


def test_the_list_names_every_command() -> None:
    output = CliRunner().invoke(main, ["--help"]).output
    assert [lazy.name for lazy in COMMANDS if f"  {lazy.name} " not in output] == []


def test_the_version_is_told() -> None:
    result = CliRunner().invoke(main, ["--version"])
    assert result.exit_code == 0
    assert result.output.startswith("powauth")


def test_a_command_that_nobody_knows_is_not_understood(shop: Shop) -> None:
    assert CliRunner().invoke(main, ["nonsense"]).exit_code == 2
    assert shop.run("nonsense").exit_code == 2


def test_a_command_says_what_has_to_be_installed_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("powauth.jinja", "powauth.cli.eject"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "jinja2", None)  # as if it were not installed
    result = CliRunner().invoke(main, ["eject"])
    assert result.exit_code == 2
    assert "pip install 'powauth[jinja]'" in result.output


def test_a_secret_is_one_that_auth_accepts_and_each_is_another() -> None:
    first, second = (CliRunner().invoke(main, ["secret"]).output.strip() for _ in range(2))
    assert secret_problems([first, second]) == ()


def test_the_demo_is_run_with_what_was_asked(folder: Path) -> None:
    command = [sys.executable, "-c", "from powauth.cli import main; main()", "demo", "--port", "0", "--fresh"]
    env = {"XDG_DATA_HOME": str(folder), "PATH": ""}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as demo:
        assert demo.stdout
        assert "http://127.0.0.1:" in demo.stdout.readline()
        demo.terminate()
    assert (folder / "powauth-demo" / "secret").exists()


def test_a_setting_that_the_demo_refuses_is_told_in_a_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    result = CliRunner().invoke(main, ["demo", "--port", "0", "--store", "nonsense"])
    assert result.exit_code == 1
    assert "--store nonsense" in result.output


# ---- commands of extensions ----

GREETER = '''
from typing import Annotated

class GreetForm(Form):
    name: Annotated[str, Choice("ada", "bob")]
    times: Annotated[int, Between(1, 3)] = 1
    loudly: bool = False
    secret: Annotated[str, Password()]

async def greet(form: GreetForm, ctx: Context):
    if form.secret == "wrong":
        raise InvalidCredentials
    accounts = len(await ctx.accounts.find())
    return {"said": form.name.upper() if form.loudly else form.name, "times": form.times, "accounts": accounts}

async def everybody(form: NoForm, ctx: Context):
    return [{"email": account.email} for account in await ctx.accounts.find()]

class Greeter(Extension):
    """Greets people."""

    name = "greeter"

    def manifest(self) -> Manifest:
        return Manifest(commands=(
            Command(name="greet", help="Greet somebody.", form=GreetForm, run=greet),
            Command(name="everybody", help="List everybody.", form=NoForm, run=everybody),
        ))
'''

MakeShop = Callable[..., Shop]


@pytest.fixture
def greeting(make_shop: MakeShop) -> Shop:
    return make_shop(more=GREETER, extensions="(SignIn(), Greeter())")


def test_an_extensions_command_runs_under_the_extensions_name(greeting: Shop) -> None:
    said = greeting.data("greeter", "greet", "--name", "ada", "--loudly", "--times", "2", typed="right\n")
    assert said == {"said": "ADA", "times": 2, "accounts": 0}


def test_an_extensions_rows_are_a_table_for_people_and_a_list_for_programs(greeting: Shop) -> None:
    greeting.create()
    assert greeting.data("greeter", "everybody") == [{"email": "ada@example.com"}]
    assert "ada@example.com" in greeting.run("greeter", "everybody").output


def test_extensions_with_commands_are_listed_once_an_application_is_named(greeting: Shop) -> None:
    output = CliRunner().invoke(main, ["--app", greeting.app, "--help"]).output
    assert "greeter" in output
    assert "Greets people." in output
    assert "greeter" not in CliRunner().invoke(main, ["--help"]).output


def test_the_application_may_stand_before_an_extensions_command_or_in_the_environment(
    greeting: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert CliRunner().invoke(main, ["--app", greeting.app, "greeter", "everybody"]).exit_code == 0
    sys.modules.pop(greeting.module)
    monkeypatch.setenv("POWAUTH_APP", greeting.app)
    assert CliRunner().invoke(main, ["greeter", "everybody"]).exit_code == 0


def test_what_an_extensions_form_refuses_is_told_in_words(greeting: Shop) -> None:
    error = greeting.refusal("greeter", "greet", "--name", "ada", "--times", "9", typed="right\n")
    assert error["errors"]["times"][0]["code"] == "out_of_range"
    assert greeting.run("greeter", "greet", "--name", "eve", typed="right\n").exit_code == 2
    assert greeting.run("greeter", "greet", typed="right\n").exit_code == 2


def test_what_an_extensions_command_raises_is_told_in_words(greeting: Shop) -> None:
    error = greeting.refusal("greeter", "greet", "--name", "ada", "--secret-stdin", typed="wrong\n")
    assert error["code"] == "invalid_credentials"


def test_without_an_application_an_extensions_command_asks_for_one(greeting: Shop) -> None:
    result = CliRunner().invoke(main, ["greeter", "everybody"])
    assert result.exit_code == 2
    assert "--app" in result.output


def test_a_shop_without_commands_has_none(shop: Shop) -> None:
    assert shop.run("sign_in", "greet").exit_code == 2


def test_an_auth_is_made_of_a_secret_that_was_printed(make_shop: MakeShop) -> None:
    secret = CliRunner().invoke(main, ["secret"]).output.strip()

    async def name(auth: Auth[object]) -> str:
        return auth.name

    assert make_shop(secret=repr(secret)).work(name) == "powauth"
