"""Sender: takes mails out of the outbox, mints their links, sends them, and marks them as sent."""

import asyncio
import json
import logging
from collections.abc import Mapping
from datetime import timedelta

from powauth.accounts import Account, Handle
from powauth.context import Context
from powauth.errors import Stale
from powauth.events import MailFailed
from powauth.mail import Mail, MailKind
from powauth.outbox import GIVE_UP_AFTER, LEASE, OutboxRecord, next_try
from powauth.plan import Plan
from powauth.templates import MailView, Templates
from powauth.tenants import Tenant
from powauth.units import begin

log = logging.getLogger("powauth.mail")

BATCH = 20
LONGEST = LEASE / 2
"""How long a mailer may take: one that hangs must neither keep other mails waiting nor outlast its lease."""


class Sender:
    """Sends what one `Auth` owes. Several may run: a row is leased before it is sent."""

    def __init__(self, plan: Plan, templates: Templates | None) -> None:
        self._plan = plan
        self._templates = templates

    async def send_due(self) -> int:
        """Send every mail that is due, of every tenant; say how many were handed to the mailer."""
        sent = 0
        for tenant in self._plan.all_tenants():
            while rows := await self._due(tenant):
                for row in rows:
                    sent += await self._send(tenant, row)
        return sent

    async def _due(self, tenant: Tenant) -> list[OutboxRecord]:
        async with begin(self._plan, tenant, writes=False) as ctx:
            soon = {"due_at": ctx.now + timedelta(microseconds=1)}
            return list(await ctx.records(OutboxRecord).find(below=soon, order=("due_at",), limit=BATCH))

    async def _send(self, tenant: Tenant, row: OutboxRecord) -> bool:
        """Lease one mail, make it, send it, forget it. Twice only if this worker dies or stalls past its lease."""
        leased = await self._lease(tenant, row)
        if leased is None:
            return False
        try:
            is_sent = await self._deliver(tenant, leased)
        except Exception:
            log.warning("mail %s (%s) was not sent, attempt %s", row.id, row.kind, leased.attempts, exc_info=True)
            await self._postpone(tenant, leased)
            return False
        await self._forget(tenant, leased)
        return is_sent

    async def _deliver(self, tenant: Tenant, row: OutboxRecord) -> bool:
        """Make a mail and hand it to the mailer; say whether it still was owed."""
        mail = await self._make(tenant, row)
        if mail is None:
            return False
        async with asyncio.timeout(LONGEST.total_seconds()):
            await self._plan.mailer(mail)
        return True

    async def _lease(self, tenant: Tenant, row: OutboxRecord) -> OutboxRecord | None:
        try:
            async with begin(self._plan, tenant) as ctx:
                return await ctx.records(OutboxRecord).update(row, due_at=ctx.now + LEASE, attempts=row.attempts + 1)
        except Stale:  # another worker was first, or the mail is no longer owed
            return None

    async def _make(self, tenant: Tenant, row: OutboxRecord) -> Mail | None:
        """Return the mail; `None` if it is no longer owed: its account gone, its cause over."""
        kind = self._plan.mail_kinds.get(row.kind)
        if kind is None:  # of a release that another process runs already: it may send it
            raise LookupError(row.kind)
        async with begin(self._plan, tenant) as ctx:
            # Locked: a change of the account that carries the mail into its new epoch comes before or after, not amid.
            account = await ctx.accounts.lock(Handle(row.owner)) if row.owner else None
            current = await ctx.records(OutboxRecord).get(row.id)
            parts = await self._parts(ctx, kind, current, account) if current else None
        to = row.to or (account.email if account else None)
        if parts is None or not to:
            return None
        return self._render(row, to, parts)

    async def _parts(
        self, ctx: Context, kind: MailKind, row: OutboxRecord, account: Account | None
    ) -> Mapping[str, str] | None:
        parts = {**json.loads(row.parts), "application": self._plan.application}
        if kind.page is None:
            return parts
        if kind.token is None:
            return {**parts, "url": ctx.url(kind.page)}
        is_over = row.created_at + kind.token.lifetime <= ctx.now
        if account is None or not account.is_open or account.epoch != row.epoch or is_over:
            return None
        secret = await ctx.tokens.mint(kind.token, account, data=json.loads(row.parts), mail=row.id)
        return {**parts, "url": ctx.url(kind.page, token=secret)}

    def _render(self, row: OutboxRecord, to: str, parts: Mapping[str, str]) -> Mail:
        words = self._plan.words
        subject = " ".join(words(f"{row.kind}.subject", **parts).split())  # no line break may reach a header
        text, html = f"{words(f'{row.kind}.body', **parts)}\n\n{parts.get('url', '')}".strip() + "\n", ""
        if self._templates is not None:
            view = MailView(
                kind=row.kind,
                subject=subject,
                parts=parts,
                language=row.language,
                application=self._plan.application,
                words=words,
            )
            text, html = self._templates.mail(view)
        return Mail(row.kind, to, subject, text, html, parts, id=row.id, language=row.language)

    async def _postpone(self, tenant: Tenant, row: OutboxRecord) -> None:
        if row.created_at + GIVE_UP_AFTER <= self._plan.clock.now():
            await self._forget(tenant, row)
            async with begin(self._plan, tenant) as ctx:
                await ctx.emit(MailFailed(kind=row.kind, to=row.to))
            return
        try:
            async with begin(self._plan, tenant) as ctx:
                await ctx.records(OutboxRecord).update(row, due_at=ctx.now + next_try(row.attempts))
        except Stale:  # its lease was over and another worker has it
            return

    async def _forget(self, tenant: Tenant, row: OutboxRecord) -> None:
        async with begin(self._plan, tenant) as ctx:
            await ctx.records(OutboxRecord).delete_all(where={"id": row.id})
