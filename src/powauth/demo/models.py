"""What the demo keeps: its users, and every mail that was sent."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlalchemy import JSON, DateTime, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from powauth.sqlalchemy import AccountColumns


class Base(DeclarativeBase):
    """The tables of this application; Powauth adds its own to the same metadata."""


class User(AccountColumns, Base):
    """A user: the columns of an account, and those that are this application's own."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(String(80), default="")
    newsletter: Mapped[bool] = mapped_column(default=False)


class SentMail(Base):
    """A mail that would have left if this were no demo."""

    __tablename__ = "sent_mails"

    number: Mapped[int] = mapped_column(primary_key=True)
    """Grows, so that mails of the same moment keep their order."""
    message: Mapped[str] = mapped_column(String(64), unique=True)
    """The same however often the mail is handed over."""
    kind: Mapped[str] = mapped_column(String(190))
    to: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    parts: Mapped[dict[str, str]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=lambda: datetime.now(UTC))

    @property
    def sent_at(self) -> datetime:
        """When it was sent; SQLite and MariaDB give a time back without its zone."""
        return self.at.replace(tzinfo=UTC)
