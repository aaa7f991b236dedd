"""Accounts and records in the application's own database, by SQLAlchemy's asyncio."""

from powauth.sqlalchemy.columns import AccountColumns
from powauth.sqlalchemy.database import SQLAlchemyDatabase
from powauth.sqlalchemy.encryption import Encryption
from powauth.sqlalchemy.notices import notice_statements
from powauth.sqlalchemy.store import SQLAlchemyStore

__all__ = ["AccountColumns", "Encryption", "SQLAlchemyDatabase", "SQLAlchemyStore", "notice_statements"]
