"""Starlette: `install` puts pages, middleware and lifespan into an application; guards say who is signed in."""

from powauth.starlette.guards import (
    CurrentAccount,
    CurrentSession,
    CurrentUser,
    current_account,
    current_session,
    current_user,
)
from powauth.starlette.installing import install
from powauth.starlette.signing_in import sign_in

__all__ = [
    "CurrentAccount",
    "CurrentSession",
    "CurrentUser",
    "current_account",
    "current_session",
    "current_user",
    "install",
    "sign_in",
]
