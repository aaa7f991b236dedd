"""Packages that share an `Auth`, and one that brings its own: nobody of one side is anybody on the other."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from fastapi import FastAPI

from examples.opening import Opener
from examples.packages.shop import shop
from powauth import ConfigurationError, NewAccount, sign_up
from powauth.fastapi import install
from powauth.testing import Site

pytestmark = pytest.mark.anyio
ADA, PASSWORD = "ada@example.com", "four quiet green owls"


@pytest.fixture
async def made(program: Opener) -> AsyncGenerator[Any]:
    async with program("packages") as opened:
        async with opened.staff.begin() as ctx:
            await sign_up(ctx, NewAccount(email=ADA), "five loud red foxes")
        yield opened


@pytest.fixture
async def customer(made: Any) -> Site:
    site = Site(made.auth, made.app)
    assert (await site.post("/sign-up", email=ADA, password=PASSWORD)).status == 303
    return site


@pytest.fixture
async def employee(made: Any) -> Site:
    site = Site(made.staff, made.app)
    assert (await site.post("/sign-in", email=ADA, password="five loud red foxes")).status == 303
    return site


async def test_each_side_has_its_own_people_under_the_same_address(customer: Site, employee: Site) -> None:
    assert (await customer.get("/shop/basket")).json == {"basket_of": ADA}
    assert (await employee.get("/office/desk")).json == {"desk_of": ADA}


async def test_nobody_of_one_side_is_anybody_on_the_other(customer: Site, employee: Site) -> None:
    """S16: with the same secret and the same database, even if a cookie is renamed."""
    for site, door, former, later in (
        (customer, "/office/desk", "people", "staff"),
        (employee, "/shop/basket", "staff", "people"),
    ):
        refused = await site.get(door)
        assert (refused.status, refused.location.startswith(f"/{'office/' * (later == 'staff')}auth")) == (303, True)
        site.jar |= {name.replace(former, later): value for name, value in site.jar.items()}
        assert (await site.get(door)).status == 303


async def test_one_browser_may_be_both_at_once(customer: Site, employee: Site) -> None:
    customer.jar |= employee.jar
    assert (await customer.get("/shop/basket")).status == 200
    assert (await customer.get("/office/desk")).status == 200
    assert (await customer.post("/sign-out")).status == 303
    assert (await customer.get("/shop/basket")).status == 303
    assert (await customer.get("/office/desk")).status == 200


async def test_the_shop_serves_another_applications_people_as_well(made: Any, employee: Site) -> None:
    app = FastAPI()
    install(app, made.staff)
    app.include_router(shop(made.staff))
    other = Site(made.staff, app)
    other.jar = employee.jar
    assert (await other.get("/shop/basket")).json == {"basket_of": ADA}


async def test_two_of_one_name_are_refused(made: Any) -> None:
    """S57."""
    app = FastAPI()
    install(app, made.auth)
    with pytest.raises(ConfigurationError):
        install(app, made.auth)


async def test_the_tables_of_each_stand_in_its_own_metadata(made: Any) -> None:
    customers, employees = (set(user.metadata.tables) for user in (made.database._layout.user, made.Employee))
    assert {"customers", "people_tokens"} <= customers
    assert {"employees", "staff_tokens"} <= employees
    assert not customers & employees
