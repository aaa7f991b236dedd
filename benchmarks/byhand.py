"""The yardsticks: what a person would write by hand for one application, and nothing that it could do without."""

import hmac
import secrets
import sqlite3
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from benchmarks.served import Served, cpu

KEY = secrets.token_bytes(32)
DAY = 24 * 60 * 60


def sign(value: str) -> str:
    return f"{value}.{hmac.digest(KEY, value.encode(), 'sha256').hex()}"


def verified(cookie: str) -> str | None:
    value, _, signature = cookie.rpartition(".")
    expected = hmac.digest(KEY, value.encode(), "sha256").hex()
    return value if hmac.compare_digest(expected.encode(), signature.encode()) else None


def nothing(folder: Path, sessions: int) -> Served:
    """No authentication at all; the cookies come nevertheless."""

    async def me(_: Request) -> Response:
        return JSONResponse({"id": "1"})

    return Served(Starlette(routes=[Route("/me", me), cpu]), cookie(folder, sessions).cookies)


def cookie(_: Path, sessions: int) -> Served:
    """A signed cookie with the user's id and when it ends."""

    async def me(request: Request) -> Response:
        value = verified(request.cookies.get("session", ""))
        if value is None:
            return Response(status_code=401)
        user_id, ends_at = value.split(":")
        if int(ends_at) < time.time():
            return Response(status_code=401)
        return JSONResponse({"id": user_id})

    ends_at = int(time.time()) + DAY
    cookies = [f"session={sign(f'{number}:{ends_at}')}" for number in range(sessions)]
    return Served(Starlette(routes=[Route("/me", me), cpu]), cookies)


def cookie_and_sqlite(folder: Path, sessions: int) -> Served:
    """A signed cookie with a session's id, and one look-up of it on the event loop."""
    db = sqlite3.connect(folder / "byhand.db", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE sessions (id TEXT PRIMARY KEY, user_id TEXT, ends_at INTEGER) WITHOUT ROWID")

    async def me(request: Request) -> Response:
        session_id = verified(request.cookies.get("session", ""))
        if session_id is None:
            return Response(status_code=401)
        row = db.execute("SELECT user_id, ends_at FROM sessions WHERE id = ?", (session_id,)).fetchone()
        if row is None or row[1] < time.time():
            return Response(status_code=401)
        return JSONResponse({"id": row[0]})

    rows = [(secrets.token_hex(16), str(number), int(time.time()) + DAY) for number in range(sessions)]
    db.executemany("INSERT INTO sessions VALUES (?, ?, ?)", rows)
    return Served(Starlette(routes=[Route("/me", me), cpu]), [f"session={sign(row[0])}" for row in rows])


def cookie_and_postgres(_: Path, sessions: int, *, url: str) -> Served:
    """A signed cookie with a session's id, and one look-up of it through asyncpg's pool."""
    rows = [(secrets.token_hex(16), str(number), int(time.time()) + DAY) for number in range(sessions)]

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        async with asyncpg.create_pool(url, min_size=5, max_size=5) as pool:
            await pool.execute("CREATE TABLE sessions (id text PRIMARY KEY, user_id text, ends_at bigint)")
            await pool.executemany("INSERT INTO sessions VALUES ($1, $2, $3)", rows)
            app.state.pool = pool
            yield

    async def me(request: Request) -> Response:
        session_id = verified(request.cookies.get("session", ""))
        if session_id is None:
            return Response(status_code=401)
        row = await request.app.state.pool.fetchrow("SELECT user_id, ends_at FROM sessions WHERE id = $1", session_id)
        if row is None or row[1] < time.time():
            return Response(status_code=401)
        return JSONResponse({"id": row[0]})

    app = Starlette(routes=[Route("/me", me), cpu], lifespan=lifespan)
    return Served(app, [f"session={sign(row[0])}" for row in rows])


def cookie_and_redis(_: Path, sessions: int, *, url: str) -> Served:
    """A signed cookie with a session's id, and one look-up of it through redis-py; Redis forgets it in time."""
    rows = [(secrets.token_hex(16), str(number)) for number in range(sessions)]

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        async with Redis.from_url(url) as redis:
            for session_id, user_id in rows:
                await redis.set(session_id, user_id, ex=DAY)
            app.state.redis = redis
            yield

    async def me(request: Request) -> Response:
        session_id = verified(request.cookies.get("session", ""))
        if session_id is None:
            return Response(status_code=401)
        user_id = await request.app.state.redis.get(session_id)
        if user_id is None:
            return Response(status_code=401)
        return JSONResponse({"id": user_id.decode()})

    app = Starlette(routes=[Route("/me", me), cpu], lifespan=lifespan)
    return Served(app, [f"session={sign(row[0])}" for row in rows])
