"""Signing in with a provider by the protocol alone: no accounts, no sessions of Powauth's, any framework.

OPENID_ISSUER=https://accounts.example.com OPENID_CLIENT_ID=… OPENID_CLIENT_SECRET=… uvicorn app:app
"""

import os
import secrets

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from powauth.oauth import Callback, Flow, Network, OpenIDConnect, ProviderError
from powauth.oauth.standard import tools

PROVIDER = OpenIDConnect(
    name="example",
    issuer=os.environ["OPENID_ISSUER"],
    client_id=os.environ["OPENID_CLIENT_ID"],
    client_secret=os.environ["OPENID_CLIENT_SECRET"],
    scopes=("email", "profile"),
    network=Network(os.environ.get("OPENID_NETWORK", "public")),  # `loopback` for a provider on this machine
)
BASE_URL = os.environ.get("BASE_URL", "http://localhost:8000")
TOOLS = tools()  # one for the application: it remembers what providers publish
FLOWS: dict[str, Flow] = {}  # where several processes serve, a store that all of them see, and that forgets


async def home(_request: Request) -> Response:
    return HTMLResponse('<form method="post" action="/start"><button>Sign in</button></form>')


async def start(_request: Request) -> Response:
    begun = await PROVIDER.begin(TOOLS, redirect_uri=f"{BASE_URL}/callback")
    key = secrets.token_urlsafe(32)  # binds the flow to this browser; the state is in addresses, this is not
    FLOWS[key] = begun.flow
    answer = RedirectResponse(begun.url, 303)
    answer.set_cookie("flow", key, max_age=900, httponly=True, samesite="lax", secure=BASE_URL.startswith("https"))
    return answer


async def callback(request: Request) -> Response:
    flow = FLOWS.pop(request.cookies.get("flow", ""), None)  # good once, whatever comes of it
    if flow is None:
        return PlainTextResponse("Start again.", 400)
    try:
        person = await PROVIDER.complete(TOOLS, flow, Callback.from_query(request.url.query))
    except ProviderError as error:
        return PlainTextResponse(f"That did not work: {error.code}.", 400)
    return PlainTextResponse(f"Hello {person.claims.email}, who is {person.subject} at {person.issuer}.")


app = Starlette(routes=[Route("/", home), Route("/start", start, methods=["POST"]), Route("/callback", callback)])
