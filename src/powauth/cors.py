"""CORS: what a front end on one of the `origins` may read (Fetch Standard §3.2)."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from powauth.http import Empty, RawRequest, Response

REMEMBERED = timedelta(minutes=10)


def preflight(raw: RawRequest, origins: Collection[str]) -> Response | None:
    """Return the answer to a browser that asks before it sends; `None` if it does not ask, or may not."""
    origin = _listed(raw, origins)
    if raw.method != "OPTIONS" or origin is None or raw.header("access-control-request-method") is None:
        return None
    headers = {
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": "authorization, content-type",
        "access-control-max-age": str(int(REMEMBERED.total_seconds())),
    }
    return Empty(headers=headers)


def readable(raw: RawRequest, origins: Collection[str], response: Response) -> Response:
    """Return the answer so that the front end that asked may read it, if its origin is listed."""
    if not origins:
        return response
    headers = {**response.headers, "vary": ", ".join(filter(None, (response.headers.get("vary"), "Origin")))}
    origin = _listed(raw, origins)
    if origin is not None:
        headers |= {
            "access-control-allow-origin": origin,
            "access-control-allow-credentials": "true",
            "access-control-expose-headers": "retry-after, www-authenticate",
        }
    return replace(response, headers=headers)


def _listed(raw: RawRequest, origins: Collection[str]) -> str | None:
    origin = raw.header("origin")
    return origin if origin in origins else None
