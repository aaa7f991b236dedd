"""The page on which people see what happened to their account."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qs

from powauth.context import Context
from powauth.extensions.audit.operations import Search, newest
from powauth.extensions.audit.records import AuditRecord
from powauth.forms import NoForm
from powauth.http import Request
from powauth.pages import Outcome, Shown
from powauth.routing import SIGNED_IN, Get

PAGE = 25
_ID = re.compile("[0-9a-f]{32}")
SAID = ".did."
"""In a message code: what follows is an event, what stands before is the extension that has the words for it."""


async def show(request: Request[NoForm], ctx: Context) -> Outcome:
    """Show what happened to the caller's account, the newest first: the events that there are words for."""
    words = events(ctx.plan.languages.codes)
    mine = {"account": ctx.session.handle, "event": tuple(words)}
    before = _before(request)
    rows = await newest(ctx, Search(where=mine), PAGE + 1, before=before)
    older = f"{ctx.path(ACTIVITY)}?before={rows[PAGE - 1].id}" if len(rows) > PAGE else ""
    return Shown(data={"activity": [describe(row, words, ctx) for row in rows[:PAGE]], "older_url": older})


def _before(request: Request[NoForm]) -> str:
    before = (parse_qs(request.raw.query, max_num_fields=10).get("before") or [""])[0]
    return before if _ID.fullmatch(before) else ""


def events(codes: tuple[str, ...]) -> Mapping[str, str]:
    """Return the message codes of the events that people are shown, by event."""
    split = ((code, *code.partition(SAID)) for code in codes)
    return {event if owner == "audit" else f"{owner}.{event}": code for code, owner, said, event in split if said}


def describe(row: AuditRecord, words: Mapping[str, str], ctx: Context) -> dict[str, object]:
    """Return a row as its owner may see it: where an administrator works from is not theirs to know."""
    is_others = bool(row.operator) or (row.actor not in {"", row.account})
    return {
        "event": row.event,
        "text": words[row.event],
        "at": row.at,
        "device": row.device,
        "client": "" if is_others else row.client,
        "is_this_session": row.session == ctx.session.public_id,
        "by_somebody_else": is_others,
    }


ACTIVITY = Get(name="activity", path="/activity", show=show, requires=SIGNED_IN, in_navigation=True)
