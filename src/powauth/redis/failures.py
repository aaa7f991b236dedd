"""What can go wrong on the way, and whether what was asked for may have been done."""

import re
import ssl
from collections.abc import Iterator

from redis.exceptions import (
    AskError,
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    MasterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)


class NotSent(Exception):
    """Nothing reached a server that would do it: it may be asked again."""


class Lost(Exception):
    """The answer was lost: it may have been done or not."""


class Refused(Exception):
    """The server said no: only the code of that is kept, as the rest may repeat what it was asked."""

    def __init__(self, refusal: BaseException) -> None:
        super().__init__(code(refusal))
        self.code = code(refusal)
        self.mend = mend(refusal)


PASSING = {"CLUSTERDOWN", "LOADING", "MASTERDOWN", "READONLY", "TRYAGAIN"}
"""Refusals that hold for a moment: nothing was done, and another server, or this one soon, will do it."""

CODES: dict[type[BaseException], str] = {
    BusyLoadingError: "LOADING",
    MasterDownError: "MASTERDOWN",
    ClusterDownError: "CLUSTERDOWN",
    NoPermissionError: "NOPERM",
    OutOfMemoryError: "OOM",
    ReadOnlyError: "READONLY",
    TryAgainError: "TRYAGAIN",
}
FIRST = re.compile(r"(?:ERR )?(?:Error running script \(call to \w+\): @user_script:.{1,30}?: -?)?([A-Z]{3,}) ")


def code(error: BaseException) -> str:
    """Return the code of a refusal, the name of any other error.

    >>> code(ResponseError("ERR Error running script (call to f_1): @user_script:9: @user_script: 9: -OOM command not"))
    'OOM'
    >>> code(ResponseError("MISCONF Redis is configured to save")), code(TimeoutError("after all"))
    ('MISCONF', 'TimeoutError')
    """
    if name := CODES.get(type(error)):
        return name
    found = FIRST.match(str(error)) if isinstance(error, ResponseError) else None
    return found[1] if found else type(error).__name__


def mend(error: BaseException) -> str | None:
    """Return what has to be changed for this to go away; `None` for what may pass by itself."""
    return next((why for reason in reasons(error) if (why := _mend(reason))), None)


def _mend(error: BaseException) -> str | None:
    if isinstance(error, Refused):
        return error.mend
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate does not hold ({error.verify_message}): name its authority, ?ca=/path/to/ca.pem"
    if isinstance(error, AuthenticationError):
        return "it does not accept the user and password of the URL"
    if isinstance(error, NoPermissionError):
        return "its user lacks a permission: the guide to Redis has the line that gives what is needed, and no more"
    if isinstance(error, AskError):
        return "it is part of a cluster: write redis+cluster:// or rediss+cluster://"
    said = str(error).lower() if isinstance(error, ResponseError) else ""
    return next((why for words, why in MENDS.items() if words in said), None)


MENDS = {
    "unknown command": "it does not know a command that Redis has from 6.0 on",
    "cluster support disabled": "it is no cluster: write redis:// or rediss://",
    "no such master": "its Sentinels watch no primary of this name",
    "db index is out of range": "it has no database of this number",
    "select is not allowed in cluster mode": "it is part of a cluster: write redis+cluster:// or rediss+cluster://",
}


def reasons(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, and what led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
