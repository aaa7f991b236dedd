"""Sender: takes mails out of the outbox, mints their links, sends them, and marks them as sent."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from powauth.accounts import Account, Handle, email_key
from powauth.context import NOBODY, Context
from powauth.errors import AuthError, Stale, TooManyAttempts
from powauth.events import MailFailed
from powauth.limits import Limit
from powauth.mail import Mail, MailKind, NotSent, Undeliverable
from powauth.operations import find_account
from powauth.outbox import GIVE_UP_AFTER, LEASE, OutboxRecord, next_try
from powauth.plan import Plan
from powauth.templates import MailView, Templates
from powauth.tenants import Tenant
from powauth.tokens import Holder, Subject
from powauth.units import announce, begin, carefully

log = logging.getLogger("powauth.mail")

BATCH = 20
LONGEST = LEASE / 2
"""How long a mailer may take: one that hangs must neither keep other mails waiting nor outlast its lease."""
PAUSE = 2.0
"""Seconds between two looks into the outbox when nobody rang."""
PATIENCE = 0.25
"""Seconds after which a mail that is still on its way is overtaken by the next."""
AT_ONCE = 8
"""How many mails may be on their way: a server that takes none is asked for no more."""
GRACE = 5.0
"""Seconds for mails on their way when sending has to stop: what was taken and not marked would be sent again."""
PER_ADDRESS = Limit(30, per=timedelta(hours=1))
"""Mails to one mailbox, of all kinds together: whoever causes more of them fills it on purpose."""
MOST_ATTEMPTS = 64
"""Twice as many as two days have room for: only a mail whose worker dies of it is tried so often."""


class Sender:
    """Sends what one `Auth` owes. Several may run: a row is leased before it is sent."""

    def __init__(self, plan: Plan, templates: Templates | None) -> None:
        self._plan = plan
        self._templates = templates
        self.sent = 0
        """How many mails it handed to the mailer."""

    async def run(self, *, told: Callable[[int], object] = bool) -> None:
        """Send what is due and what comes to be due, until it is cancelled; `told` hears how many were sent at once."""
        bell = self._plan.bell()
        try:
            while True:
                bell.clear()
                told(await carefully(self.send_due()) or 0)
                # Not wait_for: on Python 3.11 it loses a cancellation that comes as the bell rings, and never ends.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(PAUSE):
                        await bell.wait()
        finally:
            self._plan.bells.remove(bell)

    async def send_due(self) -> int:
        """Send every mail that is due, of every tenant; say how many were handed to the mailer.

        One after the other, a few of each tenant in turn. One that takes long is overtaken.
        """
        underway = Underway()
        try:
            while True:
                found = 0
                for tenant in self._plan.all_tenants():
                    for row in await self._due(tenant):
                        found += 1
                        await underway.add(self._send(tenant, row))
                underway.check()
                if not found and not underway.tasks:
                    return underway.sent
                if not found:
                    await underway.wait(PAUSE)
        finally:
            await underway.end()

    async def _due(self, tenant: Tenant) -> list[OutboxRecord]:
        async with begin(self._plan, tenant, writes=False) as ctx:
            soon = {"due_at": ctx.now + timedelta(microseconds=1)}
            return list(await ctx.records(OutboxRecord).find(below=soon, order=("due_at",), limit=BATCH))

    async def _send(self, tenant: Tenant, row: OutboxRecord) -> bool:
        """Lease one mail, make it, send it, forget it. Twice only if this worker dies or stalls past its lease."""
        leased = await self._lease(tenant, row)
        if leased is None:
            return False
        if leased.attempts > MOST_ATTEMPTS:
            log.error("mail %s (%s) was never sent to its end", row.id, row.kind)
            await self._give_up(tenant, leased)
            return False
        try:
            is_sent = await self._deliver(tenant, leased)
        except TooManyAttempts as late:
            await self._hold_back(tenant, leased, late.retry_after)
            return False
        except Undeliverable as error:
            log.warning("mail %s (%s) will never be taken: %s", row.id, row.kind, error)
            await self._give_up(tenant, leased)
            return False
        except NotSent as error:
            log.warning("mail %s (%s) was not sent, attempt %s: %s", row.id, row.kind, leased.attempts, error)
            await self._postpone(tenant, leased)
            return False
        except Exception:
            log.warning("mail %s (%s) was not sent, attempt %s", row.id, row.kind, leased.attempts, exc_info=True)
            await self._postpone(tenant, leased)
            return False
        await self._forget(tenant, leased)
        self.sent += is_sent
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
                # At least as long as after a failure: a mail that kills its worker comes back ever later.
                until = ctx.now + max(LEASE, next_try(row.attempts))
                return await ctx.records(OutboxRecord).update(row, due_at=until, attempts=row.attempts + 1)
        except Stale:  # another worker was first, or the mail is no longer owed
            return None

    async def _make(self, tenant: Tenant, row: OutboxRecord) -> Mail | None:
        """Return the mail; `None` if it is no longer owed: its account gone, its cause over."""
        kind = self._plan.mail_kinds.get(row.kind)
        if kind is None:  # of a release that another process runs already: it may send it
            raise LookupError(row.kind)
        async with begin(self._plan, tenant) as ctx:
            # Locked: a change of the account that carries the mail into its new epoch comes before or after, not amid.
            holder = await self._holder(ctx, kind, row)
            account = holder if isinstance(holder, Account) else None
            current = await ctx.records(OutboxRecord).get(row.id)
            is_owed = current is not None and await self._is_owed(ctx, kind, current, holder)
            to = (row.owner and row.to) or (account.email if account else row.to)
            if is_owed and to and row.attempts == 1:
                await ctx.limits.claim("mail", PER_ADDRESS, email_key(to))
            if is_owed and account is not None and kind.choose is not None:
                kind = await kind.choose(ctx, account)
            parts = await self._parts(ctx, kind, current, holder) if current and is_owed else None
        await announce(self._plan, tenant, NOBODY, ctx.traces)
        if parts is None or not to:
            return None
        return self._render(replace(row, kind=self._plan.mail_names[kind]), to, parts)

    async def _holder(self, ctx: Context, kind: MailKind, row: OutboxRecord) -> Holder | None:
        """Return the account that the mail concerns, locked: the row names it, or holds what somebody typed.

        Of a mail about something else, that, if the mail is owed still.
        """
        if kind.still is not None:
            return Subject(Handle(row.owner)) if await kind.still(ctx, Handle(row.owner)) else None
        if row.owner:
            return await ctx.accounts.lock(Handle(row.owner))
        found = await find_account(ctx.accounts, row.to)
        return await ctx.accounts.lock(found.handle) if found else None

    async def _is_owed(self, ctx: Context, kind: MailKind, row: OutboxRecord, holder: Holder | None) -> bool:
        """Say whether the mail still is for anybody, and not more than its kind allows one account and one address."""
        if holder is None:
            return kind.token is None and kind.still is None and bool(row.owner)
        if isinstance(holder, Account) and not kind.for_whom(holder):
            return False
        if kind.token is not None and not kind.token.is_good_for(holder):
            return False
        if kind.limit is None or row.attempts > 1:
            return True
        try:
            if not row.owner:  # strangers may ask for it; what an operation owes is not theirs to use up
                await ctx.limit(f"mail:{row.kind}", kind.limit, holder.handle)
            elif row.to:  # to somebody who is not the account's owner, or not yet: many may send there
                await ctx.limit(f"mail:{row.kind}", kind.limit, email_key(row.to))
        except TooManyAttempts:
            return False
        return True

    async def _parts(
        self, ctx: Context, kind: MailKind, row: OutboxRecord, holder: Holder | None
    ) -> Mapping[str, str] | None:
        parts = {**json.loads(row.parts), "application": self._plan.application}
        if kind.page is None:
            return parts
        if kind.token is None:
            return {**parts, "url": ctx.url(kind.page)}
        is_over = row.created_at + kind.token.lifetime <= ctx.now
        is_of_now = holder is not None and (not row.owner or holder.epoch == row.epoch)
        if holder is None or not is_of_now or not kind.token.is_good_for(holder) or is_over:
            return None
        secret = await ctx.tokens.mint(kind.token, holder, data=json.loads(row.parts), mail=row.id)
        return {**parts, "url": ctx.url(kind.page, token=secret)}

    def _render(self, row: OutboxRecord, to: str, parts: Mapping[str, str]) -> Mail:
        words = self._plan.words(row.language)
        subject = " ".join(words(f"{row.kind}.subject", **parts).split())  # no line break may reach a header
        text, html = f"{words(f'{row.kind}.body', **parts)}\n\n{parts.get('url', '')}".strip() + "\n", ""
        if self._templates is not None:
            view = MailView(
                kind=row.kind,
                subject=subject,
                parts=parts,
                language=words.language,
                application=self._plan.application,
                words=words,
            )
            text, html = self._templates.mail(view)
        return Mail(row.kind, to, subject, text, html, parts, id=row.id, language=words.language)

    async def _postpone(self, tenant: Tenant, row: OutboxRecord) -> None:
        if row.created_at + GIVE_UP_AFTER <= self._plan.clock.now():
            await self._give_up(tenant, row)
        else:
            await self._try_later(tenant, row)

    async def _hold_back(self, tenant: Tenant, row: OutboxRecord, span: timedelta) -> None:
        """Let a mail wait whose mailbox had very many: it is late, and not lost."""
        log.warning("mail %s (%s) waits: its mailbox had %s within an hour", row.id, row.kind, PER_ADDRESS.times)
        with contextlib.suppress(Stale):
            async with begin(self._plan, tenant) as ctx:
                await ctx.records(OutboxRecord).update(row, due_at=ctx.now + span, attempts=0)

    async def _try_later(self, tenant: Tenant, row: OutboxRecord) -> None:
        try:
            async with begin(self._plan, tenant) as ctx:
                await ctx.records(OutboxRecord).update(row, due_at=ctx.now + next_try(row.attempts))
        except Stale:  # its lease was over and another worker has it
            return

    async def _give_up(self, tenant: Tenant, row: OutboxRecord) -> None:
        """Forget a mail and announce that; together, or it stays."""
        try:
            async with begin(self._plan, tenant) as ctx:
                if await ctx.records(OutboxRecord).delete_all(where={"id": row.id}):
                    await ctx.emit(
                        MailFailed(
                            kind=row.kind,
                            to=row.to,
                            parts=json.loads(row.parts),
                            handle=Handle(row.owner) if row.owner else None,
                        )
                    )
        except AuthError:
            raise
        except Exception:
            log.exception("a hook of MailFailed failed: mail %s (%s) is tried again", row.id, row.kind)
            await self._try_later(tenant, row)

    async def _forget(self, tenant: Tenant, row: OutboxRecord) -> None:
        async with begin(self._plan, tenant) as ctx:
            await ctx.records(OutboxRecord).delete_all(where={"id": row.id})


class Underway:
    """The mails that are on their way: each has a moment of its own, and those that take longer run beside."""

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[bool]] = set()
        self.sent = 0
        self._errors: list[BaseException] = []

    async def add(self, sending: Coroutine[Any, Any, bool]) -> None:
        """Begin to send; return when it is sent, or has had its moment and there is room for others."""
        task = asyncio.create_task(sending)
        self.tasks.add(task)
        await self._wait({task}, PATIENCE)
        while len(self.tasks) >= AT_ONCE:
            await self.wait(PAUSE)

    async def wait(self, seconds: float) -> None:
        """Wait until one is done, and at most so long."""
        await self._wait(self.tasks, seconds)

    async def _wait(self, tasks: Collection[asyncio.Task[bool]], seconds: float) -> None:
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            self.tasks.discard(task)
            error = task.exception()
            if error is None:
                self.sent += task.result()
            else:
                self._errors.append(error)

    def check(self) -> None:
        """Raise what went wrong first, if anything did."""
        if self._errors:
            raise self._errors[0]

    async def end(self) -> None:
        """Let those on their way arrive, unless that takes too long."""
        try:
            if self.tasks:
                await asyncio.wait(self.tasks, timeout=GRACE)
        finally:
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
