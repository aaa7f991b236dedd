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
from powauth.starlette.pages import page_context
from powauth.starlette.signing_in import begin, sign_in
from powauth.starlette.sockets import CurrentSocket, SocketRefused, current_socket

__all__ = [
    "CurrentAccount",
    "CurrentSession",
    "CurrentSocket",
    "CurrentUser",
    "SocketRefused",
    "begin",
    "current_account",
    "current_session",
    "current_socket",
    "current_user",
    "install",
    "page_context",
    "sign_in",
]
