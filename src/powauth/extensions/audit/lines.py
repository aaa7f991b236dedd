"""The event log: every event as a line of JSON, without a table. It tells what a row of `Audit` tells, and no more."""

import json
import logging
from typing import Any

from powauth.context import Context, Hook, on
from powauth.events import (
    AuthenticationFailed,
    BreachLookupFailed,
    Event,
    LimitReached,
    MailFailed,
    SessionStolen,
    TokenRefused,
)
from powauth.extensions.audit.operations import plain, told
from powauth.extensions.audit.settings import Clients

WARNS = (AuthenticationFailed, BreachLookupFailed, LimitReached, MailFailed, SessionStolen, TokenRefused)
"""What somebody was refused, or what failed: lines of the level WARNING. All others are INFO."""


def event_log(
    *, clients: Clients = "whole", leaves_out: tuple[type[Event], ...] = (), logger: str = "powauth.events"
) -> tuple[Hook[Any], ...]:
    """Return what logs every event that happened, once it is committed: `Auth(hooks=event_log())`.

    The message is one line of JSON; the same fields stand on the log record as `record.powauth`, for formatters that
    write JSON themselves. No secret, no address and no user name is in them: accounts are told by their handles.
    """
    log = logging.getLogger(logger)

    async def hear(event: Event, ctx: Context) -> None:
        if not event.is_fact or isinstance(event, leaves_out):
            return
        level = logging.WARNING if isinstance(event, WARNS) else logging.INFO
        if not log.isEnabledFor(level):
            return
        fields = {"auth": ctx.plan.name, "tenant": ctx.tenant.id, **plain(told(event, ctx, clients))}

        async def write() -> None:
            log.log(level, "%s", json.dumps(fields, ensure_ascii=False), extra={"powauth": fields})

        ctx.after_commit(write)

    return (on(Event, hear),)
