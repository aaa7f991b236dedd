"""`powauth secret`."""

import json
import secrets

import click

BYTES = 32  # as long as the keys that are derived from it


@click.command("secret")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(*, as_json: bool) -> None:
    """Print one good secret.

    256 random bits, for Auth(secret=...). Keep it out of the repository: in the environment, or where other secrets
    are. Whoever has it can sign what only the application should.
    """
    secret = secrets.token_urlsafe(BYTES)
    click.echo(json.dumps({"secret": secret}) if as_json else secret)
