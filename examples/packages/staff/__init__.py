"""A package that brings people of its own: employees, their tables, their sign-in, and pages for them alone."""

from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from powauth import Account, Auth
from powauth.extensions.sign_in import SignIn
from powauth.fastapi import current_account
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase


class Base(DeclarativeBase):
    """Metadata of its own: this package has its own migrations."""


class Employee(AccountColumns, Base):
    __tablename__ = "employees"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)


def staff_auth(database: SQLAlchemyDatabase[Employee], **settings: Any) -> Auth[Employee]:
    """Return the `Auth` of employees; the application says where: `secret=…, base_url=…`."""
    return Auth(name="staff", database=database, extensions=[SignIn()], **settings)


def office(auth: Auth[Employee]) -> APIRouter:
    """Return the pages for employees."""
    router = APIRouter(prefix="/office")

    @router.get("/desk")
    async def desk(account: Annotated[Account, Depends(current_account(auth))]) -> dict[str, str]:
        return {"desk_of": account.label}

    return router
