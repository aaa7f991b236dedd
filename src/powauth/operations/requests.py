"""Mails that somebody asks for by typing whose they are."""

from datetime import timedelta

from powauth.context import Context
from powauth.errors import FieldError, InvalidForm
from powauth.limits import Limit
from powauth.mail import MailKind
from powauth.operations.attempts import identifier_key
from powauth.watching import operation

ASKED_BY_ADDRESS = Limit(30, per=timedelta(minutes=10))
ASKED_BY_IDENTIFIER = Limit(5, per=timedelta(hours=1))
"""Mails that strangers can order for one person; each of them holds a link that works."""


@operation
async def request_mail(
    ctx: Context, kind: MailKind, typed: str, *, limit: Limit = ASKED_BY_IDENTIFIER, field: str = ""
) -> None:
    """Owe a mail to whoever was typed, known or not: the same row by the same work, the sender looks who it is (S11).

    Raises `InvalidForm` when nothing was typed, and `TooManyAttempts`.
    """
    if not typed:
        raise InvalidForm({field or ctx.plan.identifiers[0]: [FieldError("required")]})
    key = identifier_key(typed)
    await ctx.limit(f"request:{ctx.plan.mail_names[kind]}", limit, key)
    await ctx.send_on_request(kind, key)
