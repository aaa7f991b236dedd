"""Pages of the application's own: what to try, who one is, and something that needs a fresh proof."""

from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from powauth import Auth
from powauth.demo.models import User
from powauth.demo.theme import Theme, wants_html
from powauth.extensions.prove import recent
from powauth.extensions.roles import role, roles_of
from powauth.fastapi import current_user

GetDb = Callable[[], AsyncGenerator[AsyncSession]]

ADA = "ada@example.com"
ADA_PASSWORD = "four quiet green owls"
"""Shown on the start page: whoever runs the demo may be her."""

ADMIN = "admin@example.com"
ADMIN_PASSWORD = "nine slow silver trains"
"""Made an administrator at the first start, as `powauth roles grant` would."""

FRESH = timedelta(minutes=1)
"""How old a proof may be that opens the vault."""


def own_pages(auth: Auth[User], theme: Theme, get_db: GetDb, *, has_provider: bool) -> APIRouter:
    """Return the pages; what stands in a handler's arguments is all that they know of sign-in."""
    router = APIRouter(tags=["demo"])
    somebody = current_user(auth, db=get_db, optional=True)
    signed_in = current_user(auth, db=get_db)
    proved = current_user(auth, db=get_db, require=recent(FRESH))
    administrator = current_user(auth, db=get_db, require=role("admin"))

    @router.get("/", response_class=HTMLResponse)
    async def start(request: Request, user: Annotated[User | None, Depends(somebody)]) -> Response:
        """Say what there is to try, at the one address where a provider finds this browser's cookies again."""
        origin = auth.base_url.removesuffix("/auth")
        if request.headers.get("host") == _twin(origin):
            return RedirectResponse(f"{origin}/")
        return await theme.page(
            request,
            "start",
            "What to try",
            user,
            user=user,
            ada=ADA,
            password=ADA_PASSWORD,
            admin=ADMIN,
            admin_password=ADMIN_PASSWORD,
            origin=origin,
            has_provider=has_provider,
        )

    @router.get("/me")
    async def me(request: Request, user: Annotated[User, Depends(signed_in)]) -> Response:
        """Say who is signed in."""
        if wants_html(request):
            return await theme.page(request, "me", "You", user, user=user)
        return JSONResponse({"id": str(user.id), "email": user.email})

    @router.get("/vault")
    async def vault(request: Request, user: Annotated[User, Depends(proved)]) -> Response:
        """Show what only somebody may see who gave the password within the last minute."""
        secret = f"The vault is open, {user.name}."
        if wants_html(request):
            return await theme.page(request, "vault", "Vault", user, secret=secret)
        return JSONResponse({"secret": secret})

    @router.get("/people")
    async def people(request: Request, user: Annotated[User, Depends(administrator)]) -> Response:
        """List everybody, for administrators."""
        async with auth.begin(writes=False) as ctx:
            accounts = await ctx.accounts.find()
            found = [(account, await roles_of(ctx, account)) for account in accounts]
        if wants_html(request):
            return await theme.page(request, "people", "People", user, people=found)
        return JSONResponse([{"email": account.email, "roles": roles} for account, roles in found])

    @router.get("/api", response_class=HTMLResponse)
    async def api(request: Request, user: Annotated[User | None, Depends(somebody)]) -> Response:
        """List every route, as the OpenAPI document does."""
        return await theme.page(request, "api", "API", user, operations=_operations(request.app.openapi()))

    return router


def _twin(origin: str) -> str | None:
    """Return the other name of this machine that somebody may have typed."""
    host, _, port = urlsplit(origin).netloc.partition(":")
    return f"localhost:{port}" if host == "127.0.0.1" else None


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "method": method.upper(),
            "path": path,
            "says": operation.get("description") or operation["summary"],
            "asks": _asks(operation),
        }
        for path, operations in sorted(document["paths"].items())
        for method, operation in operations.items()
    ]


def _asks(operation: dict[str, Any]) -> list[str]:
    content = operation.get("requestBody", {}).get("content", {})
    return list(content.get("application/json", {}).get("schema", {}).get("properties", ()))
