"""FastAPI: `install`, dependencies that say who is signed in, and every route in the OpenAPI document."""

from powauth.fastapi.dependencies import current_account, current_session, current_user
from powauth.fastapi.installing import install
from powauth.starlette import begin, current_socket, page_context, sign_in

__all__ = [
    "begin",
    "current_account",
    "current_session",
    "current_socket",
    "current_user",
    "install",
    "page_context",
    "sign_in",
]
