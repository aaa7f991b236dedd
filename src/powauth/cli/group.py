"""LazyGroup: the group of all commands, which imports a command's module when the command is asked for."""

import importlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from powauth.cli.apps import ENVIRONMENT, load

ADDED = "powauth.cli.added"
"""The module that makes commands of what extensions add."""


@dataclass(frozen=True, slots=True)
class Lazy:
    """A command of that name, in the module of that name below this package."""

    name: str
    help: str
    extra: str = ""
    """What has to be installed with Powauth for it: `powauth[extra]`."""
    module: str = ""
    """Its module, where that cannot have the command's name."""

    def load(self) -> click.Command:
        """Import the command. Raises `click.UsageError` when something is not installed."""
        try:
            module = importlib.import_module(f"powauth.cli.{self.module or self.name}")
        except ModuleNotFoundError as error:
            if not self.extra or str(error.name).startswith("powauth"):
                raise
            message = f"{self.name} needs {error.name}: pip install 'powauth[{self.extra}]'"
            raise click.UsageError(message) from error
        command: click.Command = module.command
        return command


class LazyGroup(click.Group):
    """Commands of ours by name, and those that an application's extensions add."""

    lazy: Mapping[str, Lazy]
    app: str | None = None
    """The application that is named, before or behind the command."""

    def __init__(self, *, lazy: Sequence[Lazy], **settings: Any) -> None:  # noqa: ANN401  those of click.Group
        super().__init__(**settings)
        self.lazy = {known.name: known for known in lazy}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return [*self.lazy, *sorted(_added(ctx.params.get("app")))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name; one of an extension, if an application is named."""
        if cmd_name in self.lazy:
            return self.lazy[cmd_name].load()
        return _added(ctx.params.get("app")).get(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; `--app` may stand behind its name as well, or in the environment."""
        name = args[0]
        if name not in self.lazy:
            ctx.params["app"] = _behind(args) or ctx.params.get("app") or os.environ.get(ENVIRONMENT)
            if not ctx.params["app"] and not name.startswith("-"):
                ctx.fail(f"no command is called {name!r}: for one of an extension, name the application with --app")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands and what they do, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(known.name, known.help) for known in self.lazy.values()])
        added = _added(ctx.params.get("app"))
        if added:
            with formatter.section("Commands of extensions"):
                formatter.write_dl([(name, group.get_short_help_str(100)) for name, group in sorted(added.items())])


def _behind(args: Sequence[str]) -> str | None:
    """Return what `--app` says behind a command that is not known yet."""
    for place, text in enumerate(args):
        if text == "--app" and place + 1 < len(args):
            return args[place + 1]
        if text.startswith("--app="):
            return text.removeprefix("--app=")
    return None


def _added(app: str | None) -> Mapping[str, click.Command]:
    if not app:
        return {}
    groups: Mapping[str, click.Command] = importlib.import_module(ADDED).groups(load(app))
    return groups
