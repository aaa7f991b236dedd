"""The command line: `powauth`. A command's module is imported when the command is asked for, and no other."""

import click

from powauth.cli.group import Lazy, LazyGroup

COMMANDS = (
    Lazy("secret", "Print one good secret."),
    Lazy("demo", "Run the demo application on this machine, until Ctrl-C.", extra="demo"),
    Lazy("init", "Put sign-up and sign-in into an existing FastAPI or Starlette project.", extra="sqlalchemy"),
    Lazy("add", "Add extensions to an application: import, list and migration, shown before they are written."),
    Lazy("remove", "Take extensions out of an application again: what `powauth add` did, backwards."),
    Lazy(
        "new-extension",
        "Write a new extension of your own: a folder with everything in it, and its first tests.",
        module="new_extension",
    ),
    Lazy("check", "Tell what of an application is unsafe, and which requirements it meets."),
    Lazy("routes", "List every page, what it asks of a session, and how often it may be used."),
    Lazy("tables", "List every table, and what becomes of its rows when an account is erased.", extra="sqlalchemy"),
    Lazy("explain", "Explain in order what an application does."),
    Lazy("eject", "Copy templates into the application, to change them.", extra="jinja"),
    Lazy("messages", "List an application's messages and their words in each language; write catalogues."),
    Lazy("accounts", "List, show, create, lock, unlock and close accounts."),
    Lazy("import", "Take over the accounts of another system.", extra="sqlalchemy", module="importing"),
    Lazy("sessions", "List and end the sessions of an account."),
    Lazy("mail", "Send the mails that are owed, and list them.", extra="jinja"),
)

HELP = """User authentication and user management for Python web applications.

Most commands need an application: --app module:name names an Auth, or an application that has one. Modules are looked
for in the current folder, too. With --app there are also the commands of its extensions.
"""


@click.group(
    "powauth",
    cls=LazyGroup,
    lazy=COMMANDS,
    help=HELP,
    epilog="Exit status: 0 good, 1 failed or found something, 2 not understood.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--app",
    metavar="MODULE:NAME",
    is_eager=True,  # read before --help, which then lists the commands of its extensions
    help="The application, as behind each command. [env: POWAUTH_APP]",
)
@click.version_option(package_name="powauth", prog_name="powauth")
def main(app: str | None) -> None:
    """Nothing: the commands do the work, and ask the context for `app`."""


__all__ = ["main"]
