"""LazyGroup: the group of all commands, which imports a command's module when the command is asked for."""

import importlib
import os
from collections.abc import Sequence
from dataclasses import dataclass

import click

from powauth.cli.apps import ENVIRONMENT, load

ADDED = "powauth.cli.added"
"""The module that makes commands of what extensions add."""


@dataclass(frozen=True, slots=True)
class Lazy:
    """A command of that name in the module of that name below this package."""

    name: str
    help: str
    extra: str = ""
    """What has to be installed with Powauth for it: `powauth[extra]`."""

    def load(self) -> click.Command:
        """Import the command. Raises `click.UsageError` when something is not installed."""
        try:
            module = importlib.import_module(f"powauth.cli.{self.name}")
        except ModuleNotFoundError as error:
            if not self.extra or str(error.name).startswith("powauth"):
                raise
            message = f"{self.name} needs {error.name}: pip install 'powauth[{self.extra}]'"
            raise click.UsageError(message) from error
        command: click.Command = module.command
        return command


class LazyGroup(click.Group):
    """Commands of ours by name, and those that an application's extensions add."""

    def __init__(self, name: str, *, lazy: Sequence[Lazy], **settings: object) -> None:
        super().__init__(name, **settings)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  click's own
        self._lazy = {known.name: known for known in lazy}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        app = ctx.params.get("app")
        return [*self._lazy, *(sorted(_added(app, ctx)) if app else ())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name; one of an extension, if an application is named."""
        if cmd_name in self._lazy:
            return self._lazy[cmd_name].load()
        app = ctx.params.get("app") or ctx.meta.get(ENVIRONMENT) or os.environ.get(ENVIRONMENT)
        return _added(app, ctx).get(cmd_name) if app else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; `--app` may stand behind its name as well."""
        ctx.meta[ENVIRONMENT] = _named_behind(args)
        if args[0] not in self._lazy and self.get_command(ctx, args[0]) is None and args[0].isidentifier():
            ctx.fail(f"no command is called {args[0]!r}: if it is an extension with commands, name --app as well")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands and what they do, without importing them."""
        rows = [(known.name, known.help) for known in self._lazy.values()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
        app = ctx.params.get("app")
        added = [(name, command.get_short_help_str(100)) for name, command in sorted(_added(app, ctx).items())]
        if app and added:
            with formatter.section("Commands of extensions"):
                formatter.write_dl(added)


def _named_behind(args: Sequence[str]) -> str | None:
    for place, text in enumerate(args):
        if text == "--app" and place + 1 < len(args):
            return args[place + 1]
        if text.startswith("--app="):
            return text.removeprefix("--app=")
    return None


def _added(app: str | None, ctx: click.Context) -> dict[str, click.Command]:
    if app is None:
        return {}
    commands: dict[str, click.Command] = importlib.import_module(ADDED).groups(load(app, ctx))
    return commands
