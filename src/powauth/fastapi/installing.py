"""`install` for FastAPI: as for Starlette, and every route in the OpenAPI document."""

from typing import Any

from fastapi import FastAPI

from powauth import openapi
from powauth.auth import Auth
from powauth.starlette import install as install_starlette
from powauth.templates import Templates


def install(app: FastAPI, auth: Auth[Any], *, templates: Templates | None = None) -> None:
    """Put an `Auth` into an application: pages, JSON API, OpenAPI, middleware, lifespan."""
    install_starlette(app, auth, templates=templates)
    own = app.openapi

    def document() -> dict[str, Any]:
        return openapi.merge(own(), auth.plan)

    vars(app)["openapi"] = document  # the way that FastAPI documents, in words that type checkers accept
