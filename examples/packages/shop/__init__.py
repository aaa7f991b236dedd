"""A package with pages for signed-in people. It is handed the `Auth`, and so serves any application's users."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from powauth import Account, Auth
from powauth.fastapi import current_account


def shop(auth: Auth[Any]) -> APIRouter:
    """Return the routes of the shop, for whoever signs in with this `Auth`."""
    router = APIRouter(prefix="/shop")

    @router.get("/basket")
    async def basket(account: Annotated[Account, Depends(current_account(auth))]) -> dict[str, str]:
        return {"basket_of": account.label}

    return router
