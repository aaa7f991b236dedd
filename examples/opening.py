"""How a test opens the program of a guide: as a server would, with a database of its own."""

import importlib
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from powauth import Auth, ConsoleMailer
from powauth.testing import Outbox

SECRET = "7c1e0f5a9d3b8264e2f7a1c09b5d3e86"


class Opener:
    """Opens programs of guides: `async with program("tokens") as made: made.app, made.auth`."""

    def __init__(self, url: str, environment: pytest.MonkeyPatch) -> None:
        self._url = url
        self._environment = environment

    @asynccontextmanager
    async def __call__(self, name: str, **variables: str) -> AsyncGenerator[Any]:
        """Run a program between start and stop; it reads its variables as it starts, so it is imported anew."""
        made = self.load(name, **variables)
        async with made.app.router.lifespan_context(made.app):
            yield made

    def load(self, name: str, **variables: str) -> Any:
        """Import a program anew, without starting it."""
        for variable, value in {"AUTH_SECRET": SECRET, "DATABASE_URL": self._url, **variables}.items():
            self._environment.setenv(variable, value)
        for module in [module for module in sys.modules if module.startswith(f"examples.{name}.")]:
            del sys.modules[module]
        made = importlib.import_module(f"examples.{name}.app")
        for value in vars(made).values():
            if isinstance(value, Auth):
                _keep_mails(cast("Auth[Any]", value))  # type: ignore[redundant-cast]  # pyright sees an unknown one
        return made


def _keep_mails(auth: Auth[Any]) -> None:
    """Let mails that would be printed be kept, and sent when the test's browser says so."""
    if isinstance(auth.plan.mailer, ConsoleMailer):
        object.__setattr__(auth.plan, "mailer", Outbox())
        object.__setattr__(auth, "sends_mail", False)
