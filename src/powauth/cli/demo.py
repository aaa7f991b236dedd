"""`powauth demo`."""

import click

from powauth.cli.failures import Failure
from powauth.demo import run
from powauth.errors import ConfigurationError

PORT = 8000


@click.command("demo")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="The port, or the next free one."
)
@click.option("--database", metavar="URL", help="A SQLAlchemy URL with an asynchronous driver, instead of a file.")
@click.option(
    "--store", metavar="STORE", help="memory, sqlite, or the URL of a Redis or for SQLAlchemy, instead of a file."
)
@click.option(
    "--fresh",
    is_flag=True,
    help="Forget the accounts and sessions of earlier runs, where they are files.",
)
def command(port: int, database: str | None, store: str | None, *, fresh: bool) -> None:
    """Run the demo application on this machine, until Ctrl-C.

    It needs no server, no mail account and no settings: it serves 127.0.0.1 only, keeps its data in a folder of its
    own, shows the mails that it would send, and has a provider of its own to sign in with.
    """
    try:
        run(port=port, database=database, store=store, fresh=fresh)
    except ConfigurationError as error:
        raise Failure(*error.problems, code="configuration") from error
