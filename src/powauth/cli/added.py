"""The commands of an application's extensions, as `powauth <extension> <name>`."""

import inspect
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import click

from powauth.auth import Auth
from powauth.cli import passwords
from powauth.cli.failures import answered
from powauth.cli.output import Output, json_option
from powauth.cli.work import operator, run, tenant_of, tenant_option
from powauth.extension import Command, CommandResult
from powauth.forms import Choice, FormField, asked
from powauth.plan import Plan
from powauth.reading import read


def groups(auth: Auth[Any]) -> Mapping[str, click.Command]:
    """Return a group for each extension that has commands, by the extension's name."""
    found: dict[str, click.Command] = {}
    for extension in auth.extensions:
        commands = extension.manifest().commands
        if commands:
            made = {command.name: _command(auth, extension.name, command) for command in commands}
            found[extension.name] = click.Group(extension.name, commands=made, help=inspect.getdoc(type(extension)))
    return found


def _command(auth: Auth[Any], extension: str, command: Command[Any]) -> click.Command:
    fields = asked(command.form, auth.identifiers)

    def call(out: Output, tenant: str | None, **given: object) -> None:
        data = {known.name: _value(known, given) for known in fields}
        with answered(auth.plan.words()):
            form = read(command.form, data, fields)

        async def work() -> CommandResult:
            where = tenant_of(auth, tenant)
            async with auth.begin(tenant=where, caller=operator(), writes=command.writes) as ctx:
                result = await command.run(form, ctx)
                return await _written(result) if isinstance(result, AsyncIterator) else result

        _show(out, run(auth, work))

    made = click.command(command.name, help=command.help)(json_option(tenant_option(call)))
    made.params = [*(_option(auth.plan, extension, known) for known in fields), _APP, *made.params]
    return made


_APP = click.Option(["--app"], metavar="MODULE:NAME", expose_value=False, help="The application.")


def _option(plan: Plan, extension: str, known: FormField) -> click.Option:
    dashed = known.name.replace("_", "-")
    codes = (f"{extension}.field.{known.name}", f"field.{known.name}")
    words = plan.words()
    help_ = next((words(code) for code in codes if words.has(code)), None)
    if known.is_secret:
        return click.Option([f"--{dashed}-stdin", known.name], is_flag=True, help="Read it from standard input.")
    if known.value == "bool":
        names = f"--{dashed}/--no-{dashed}" if known.default else f"--{dashed}"
        return click.Option([names, known.name], is_flag=True, default=bool(known.default), help=help_)
    choice = known.mark(Choice)
    type_: object = click.Choice(choice.options) if choice else int if known.value == "int" else str
    return click.Option([f"--{dashed}", known.name], type=type_, required=known.required, help=help_)


def _value(known: FormField, given: Mapping[str, object]) -> object:
    value = given[known.name]
    if not known.is_secret:
        return value
    prompt: Callable[[], str] = passwords.piped if value else lambda: _ask(known)
    return prompt()


def _ask(known: FormField) -> str:
    return passwords.asked(known.name.replace("_", " ").capitalize(), confirm=known.is_new_password)


async def _written(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    """Write lines as they come: there may be more than fit into memory."""
    async for line in lines:
        click.echo(line)
    return lines


def _show(out: Output, result: CommandResult) -> None:
    if isinstance(result, AsyncIterator):
        return  # written as it came
    if result is None:
        out.done({}, "done")
    elif isinstance(result, Mapping):
        out.fields(result)
    else:
        rows = list(result)
        out.rows(rows, list(rows[0]) if rows else [])
