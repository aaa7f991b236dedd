"""Mailed links of an account or of something else, minted or still to be minted by the sender, end together."""

import json
from collections.abc import Callable, Mapping

from powauth.context import Context
from powauth.outbox import OutboxRecord
from powauth.tokens import Holder, TokenKind


async def end_links(
    ctx: Context,
    holder: Holder,
    *kinds: TokenKind,
    unless: Callable[[str, Mapping[str, str]], bool] | None = None,
) -> None:
    """End a holder's links of these kinds, all of them if none is named, and the mails that are to hold one.

    `unless` is given the token's kind and the data of each, and says which ones stay.
    """
    await ctx.tokens.revoke(holder, *kinds, unless=unless)
    outbox = ctx.records(OutboxRecord)
    for row in await outbox.find(where={"owner": holder.handle}):
        mail = ctx.plan.mail_kinds.get(row.kind)
        token = mail.token if mail else None
        if token is None or (kinds and token not in kinds):
            continue
        if unless is None or not unless(token.name, json.loads(row.parts)):
            await outbox.delete_all(where={"id": row.id})
