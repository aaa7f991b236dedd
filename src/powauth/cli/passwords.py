"""Passwords on a command line: asked for unseen or read from standard input, and never an argument."""

import sys
import warnings
from getpass import GetPassWarning

import click

from powauth.cli.failures import Failure
from powauth.passwords.text import MAX_BYTES


def asked(prompt: str = "Password", *, confirm: bool = True) -> str:
    """Return what somebody types unseen, twice. Raises `Failure` when nobody can be asked."""
    if sys.stdin is None or sys.stdin.closed:  # pyright: ignore[reportUnnecessaryComparison]  None where there is none
        raise _nobody()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", GetPassWarning)  # no terminal that could hide what is typed
            typed: str = click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True)
    except (click.Abort, GetPassWarning) as error:
        click.echo(err=True)  # the question has no end of line yet
        raise _nobody() from error
    return typed


def piped() -> str:
    """Return what standard input holds, less the end of its line. Raises `Failure` when it holds nothing."""
    if sys.stdin is None or sys.stdin.closed:  # pyright: ignore[reportUnnecessaryComparison]  None where there is none
        raise _nothing()
    try:
        text = sys.stdin.read(2 * MAX_BYTES)  # a longer one is refused as it is
    except UnicodeDecodeError as error:
        raise Failure("standard input is no text in UTF-8", code="unreadable") from error
    password = text.removesuffix("\n").removesuffix("\r")
    if not password:
        raise _nothing()
    if "\n" in password:
        raise Failure("standard input has several lines: a password is one", code="several_lines")
    return password


def _nobody() -> Failure:
    return Failure(
        "no password was given: there is nobody to ask; pipe it in with --password-stdin", code="no_password"
    )


def _nothing() -> Failure:
    return Failure("no password was given: standard input is empty", code="no_password")
