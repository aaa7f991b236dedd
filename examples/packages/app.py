"""Three packages of one repository in one application: customers, a shop that shares them, and staff apart."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from examples.packages.people import auth, database, engine, sessions
from examples.packages.shop import shop
from examples.packages.staff import Employee, office, staff_auth
from powauth.fastapi import install
from powauth.sqlalchemy import SQLAlchemyDatabase

employees = SQLAlchemyDatabase(sessions, Employee)
staff = staff_auth(employees, secret=os.environ["AUTH_SECRET"], base_url="http://127.0.0.1:8000/office/auth")


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
    await database.create_tables()
    await employees.create_tables()
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
install(app, auth)
install(app, staff)
app.include_router(shop(auth))
app.include_router(office(staff))
