"""The command line: `powauth`. A command's module is imported when the command is asked for, and no other."""

import click

from powauth.cli.group import Lazy, LazyGroup

COMMANDS = (
    Lazy("secret", "Print one good secret."),
    Lazy("demo", "Run the demo application.", extra="demo"),
    Lazy("check", "Tell what of an application's settings is unsafe, and which requirements it meets."),
    Lazy("routes", "List every page, what it asks of a session, and how often it may be used."),
    Lazy("tables", "List every table, and what becomes of its rows when an account is erased.", extra="sqlalchemy"),
    Lazy("explain", "Explain what an application does, in order."),
    Lazy("eject", "Copy templates into the application, to change them.", extra="jinja"),
    Lazy("accounts", "List, show, create, lock, unlock and close accounts."),
    Lazy("sessions", "List and end the sessions of an account."),
)

main = LazyGroup(
    "powauth",
    lazy=COMMANDS,
    help="User authentication and user management for Python web applications.\n\n"
    "Most commands need an application: --app module:name names an Auth, or an application that has one. Modules are "
    "looked for in the current folder, too. With --app there are also the commands of its extensions.",
    epilog="Exit status: 0 good, 1 failed or something found, 2 not understood.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
main.params.append(
    click.Option(
        ["--app"],
        metavar="MODULE:NAME",
        is_eager=True,  # before --help, which then lists the commands of its extensions
        help="The application, as for each command; POWAUTH_APP in the environment says the same.",
    )
)
main = click.version_option(package_name="powauth", prog_name="powauth")(main)

__all__ = ["main"]
