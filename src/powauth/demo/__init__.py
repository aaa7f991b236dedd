"""The demo: a complete application on FastAPI and SQLite that needs no server, no mail account and no settings."""

from powauth.demo.app import create_app
from powauth.demo.serve import run

__all__ = ["create_app", "run"]
