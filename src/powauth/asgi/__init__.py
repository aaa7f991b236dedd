"""ASGI: one middleware that keeps a visit per request and writes its cookies, and an application with all pages."""

from powauth.asgi.app import AuthApp
from powauth.asgi.guarded import Guarded
from powauth.asgi.middleware import AuthMiddleware
from powauth.asgi.raw import raw_request
from powauth.asgi.visiting import visit_of

__all__ = ["AuthApp", "AuthMiddleware", "Guarded", "raw_request", "visit_of"]
