"""The usual tools, of httpx2 and joserfc; needs `powauth[providers]`."""

from datetime import timedelta

from powauth.clock import Clock, SystemClock
from powauth.oauth.documents import Documents
from powauth.oauth.httpx2 import Httpx2
from powauth.oauth.joserfc import Joserfc
from powauth.oauth.ports import Http
from powauth.oauth.tools import Tools


def tools(
    *,
    http: Http | None = None,
    clock: Clock | None = None,
    documents: Documents | None = None,
    leeway: timedelta = timedelta(seconds=60),
) -> Tools:
    """Return tools for all providers of an application: make them once, as they remember what providers publish."""
    return Tools(
        http=http or Httpx2(),
        jose=Joserfc(),
        clock=clock or SystemClock(),
        documents=documents or Documents(),
        leeway=leeway,
    )
