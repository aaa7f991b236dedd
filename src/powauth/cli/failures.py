"""Failures: what a command could not do, in sentences that say what to do."""

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import IO, Any

import click

from powauth.errors import (
    AuthError,
    ConfigurationError,
    Conflict,
    InvalidForm,
    NotSignedIn,
    PowauthError,
    TooManyAttempts,
)
from powauth.messages import Words

JSON = "powauth.json"
"""Where a context remembers that `--json` was given."""


class Failure(click.ClickException):
    """What a command could not do. The process exits with 1."""

    def __init__(self, *sentences: str, code: str = "failed", more: Mapping[str, object] | None = None) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences
        self.code = code
        self.more = more or {}
        ctx = click.get_current_context(silent=True)
        self.as_json = bool(ctx and ctx.meta.get(JSON))

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the sentences to standard error, as JSON if that was asked for."""
        if self.as_json:
            error = {"code": self.code, "messages": list(self.sentences), **self.more}
            click.echo(json.dumps({"error": error}, ensure_ascii=False), file=file, err=True)
            return
        for sentence in self.sentences:
            click.echo(f"Error: {sentence}", file=file, err=True)


class Misused(Failure):
    """A command that was not understood. The process exits with 2."""

    exit_code = 2


@contextmanager
def answered(words: Words) -> Generator[None]:
    """Turn what Powauth raises into a `Failure`, in the application's words."""
    try:
        yield
    except ConfigurationError as error:
        raise Failure(*error.problems, code="configuration") from error
    except InvalidForm as error:
        raise _refused(error, words) from error
    except NotSignedIn as error:
        raise Failure(
            "the account is gone, or was changed at the same moment: look at it again", code="gone"
        ) from error
    except Conflict as error:
        message = "rows of the application refer to the account: delete them, or let the database do so, and try again"
        raise Failure(message, code=error.code) from error
    except TooManyAttempts as error:
        raise Failure(f"too many attempts: try again in {error.retry_after}", code=error.code) from error
    except AuthError as error:
        raise Failure(words(f"problem.{error.code}"), code=error.code) from error
    except PowauthError as error:
        raise Failure(f"{type(error).__name__}: {error}") from error


def _refused(error: InvalidForm, words: Words) -> Failure:
    found = {
        name: [{"code": one.code, "message": words.error(one.code, **one.values)} for one in all_]
        for name, all_ in error.errors.items()
    }
    sentences = [
        f"{name}: {one['message']}" if name else one["message"] for name, all_ in found.items() for one in all_
    ]
    return Failure(*sentences, code=error.code, more={"errors": found})
