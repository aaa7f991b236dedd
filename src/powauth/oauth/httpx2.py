"""Httpx2: who asks over HTTP, on httpx2; needs `powauth[providers]`."""

import asyncio
import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

import httpx2

from powauth.oauth.errors import Malformed, TooBig, TooSlow, Unreachable
from powauth.oauth.guard import Admitted, Resolve, admit, resolve
from powauth.oauth.ports import HttpRequest, HttpResponse
from powauth.services import certificate_problem


@dataclass(frozen=True, kw_only=True)
class Httpx2:
    """Asks once, follows no redirects, keeps no cookies and takes nothing from the environment.

    The connection goes to what the guard resolved; the certificate has to be that of the name.
    """

    timeout: timedelta = timedelta(seconds=10)
    """How long an answer may take, from looking up the name to the last byte."""
    longest: int = 1_000_000
    """How many bytes an answer may have."""
    ssl_context: ssl.SSLContext | None = field(default=None, repr=False)
    """For a certificate of an authority of your own; it has to check certificate and name."""
    resolve: Resolve = field(default=resolve, repr=False)
    """Who knows the addresses of names."""

    def __post_init__(self) -> None:
        if problem := certificate_problem(self.ssl_context):
            raise ValueError(problem)

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Ask once and return the answer, whatever its status."""
        try:
            async with asyncio.timeout(self.timeout.total_seconds()):
                admitted = await admit(request.url, request.network, resolve=self.resolve)
                return await self._send(request, admitted)
        except TimeoutError:
            raise TooSlow(f"no whole answer within {self.timeout}") from None

    async def _send(self, request: HttpRequest, admitted: Admitted) -> HttpResponse:
        """Try each address until one takes the connection; never send the same twice."""
        for address in admitted.addresses:
            try:
                return await self._ask(request, admitted, address)
            except httpx2.ConnectError:
                continue
            except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as error:
                raise Unreachable(f"{admitted.host}: {type(error).__name__}") from None
        raise Unreachable(f"{admitted.host}: no connection")

    async def _ask(self, request: HttpRequest, admitted: Admitted, address: str) -> HttpResponse:
        async with (
            httpx2.AsyncClient(
                verify=self._context,
                timeout=None,
                trust_env=False,
                follow_redirects=False,
            ) as client,
            client.stream(
                request.method,
                _url(admitted, address),
                headers={"accept-encoding": "identity", **request.headers, "host": admitted.authority},
                content=request.body or None,
                extensions={"sni_hostname": admitted.host},
            ) as answer,
        ):
            body = await self._body(answer, admitted.host)
        return HttpResponse(status=answer.status_code, headers=_headers(answer), body=body)

    async def _body(self, answer: httpx2.Response, host: str) -> bytes:
        if answer.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise Malformed("content-encoding")  # nobody asked for one, and a small bomb makes a large answer
        body = bytearray()
        async for chunk in answer.aiter_raw():
            body += chunk
            if len(body) > self.longest:
                raise TooBig(f"{host}: more than {self.longest} bytes")
        return bytes(body)

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context() if self.ssl_context is None else self.ssl_context


def _url(admitted: Admitted, address: str) -> str:
    host = f"[{address}]" if ":" in address else address
    return f"{admitted.scheme}://{host}:{admitted.port}{admitted.target}"


def _headers(answer: httpx2.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items()}
