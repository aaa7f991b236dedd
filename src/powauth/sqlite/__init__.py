"""The embedded store: a file of its own, with nothing but the standard library."""

from powauth.sqlite.store import SQLiteStore

__all__ = ["SQLiteStore"]
