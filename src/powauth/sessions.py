"""Session: being signed in. Its secret is derived, not stored: the store alone opens nothing, nor does the key alone.

A cookie holds the account's handle, the session's id, a generation and a signature over all of them. Time raises the
generation: whoever comes with the newest one gets the next, everybody the same, and nothing is written until it is
used. The one before is served for a minute more; an older one, correctly signed, is held by two: theft.
"""

import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from powauth.accounts import Account, Handle
from powauth.clock import Clock
from powauth.errors import NotSignedIn, StoreUnavailable
from powauth.revocations import Revocations
from powauth.session import Proof, Session, Transport, decode_session, encode_session
from powauth.signing import Signer
from powauth.stores import Entry, Key, Store
from powauth.tickets import Found, Ticket, Tickets

GRACE = timedelta(seconds=60)
"""How long the former of two cookies is still served: parallel tabs, slow networks, a lost answer."""

AAL2 = timedelta(hours=24)  # SP 800-63B-4 §2.2.3
AAL2_IDLE = timedelta(hours=1)  # the same

SOONEST = timedelta(seconds=1)  # five looks into the database within it are enough for any
_TOUCH = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """How long sessions live. ASVS 7.3.1, 7.3.2; SP 800-63B §2.1.3, §2.2.3."""

    idle: timedelta = timedelta(minutes=30)
    """Without a request for so long, it is over."""
    absolute: timedelta = timedelta(hours=24)
    """After so long it is over, whatever happens."""
    renew_every: timedelta = timedelta(minutes=15)
    """How old a cookie gets before the next generation is handed out."""
    most_per_account: int = 100
    """With one more, the one that was used least recently ends."""
    ends_known_within: timedelta = timedelta(seconds=10)
    """How soon every process knows of an end that stands in the database, where the store may lose it; a process that
    cannot ask the database for so long answers 503 to whoever is signed in."""

    def strict(self) -> "SessionSettings":
        """Return these settings as the strict profile has them: no longer than AAL2 recommends."""
        absolute = min(self.absolute, AAL2)
        return replace(self, absolute=absolute, idle=min(self.idle, AAL2_IDLE, absolute))

    def problems(self) -> tuple[str, ...]:
        """Return what contradicts itself, a sentence each."""
        found: list[str] = []
        if not timedelta(0) < self.idle <= self.absolute:
            found.append("sessions: idle must be longer than nothing and not longer than absolute")
        if self.renew_every <= GRACE:
            found.append(f"sessions: renew_every must be longer than {GRACE.seconds} seconds")
        if self.most_per_account < 1:
            found.append("sessions: most_per_account must be at least 1")
        if self.ends_known_within < SOONEST:
            found.append("sessions: ends_known_within must be at least a second")
        return tuple(found)


class Sessions:
    """The sessions of one tenant of one `Auth`."""

    def __init__(
        self,
        store: Store,
        signer: Signer,
        clock: Clock,
        settings: SessionSettings,
        *,
        name: str,
        tenant: str,
        revocations: Revocations | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._kind = f"{name}:{tenant}:session"
        self._tickets = Tickets(signer, kind=self._kind, tenant=tenant)
        self._revocations = revocations

    def secret(self, session: Session, generation: int | None = None) -> str:
        """Return the cookie or token of a session: the only thing that opens it."""
        return self._tickets.secret(session, session.generation if generation is None else generation)

    def next_secret(self, session: Session) -> str:
        """Return the token that follows, for a program that asks; the same to whoever asks until it is used.

        In the first minute of a generation it is the current one: whoever comes late must not overtake.
        """
        is_young = self._clock.now() - session.generation_at <= GRACE
        return self.secret(session, session.generation if is_young else session.generation + 1)

    def read(self, secret: str) -> Ticket | None:
        """Return what a cookie or token says; a forged one never reaches the store."""
        return self._tickets.read(secret)

    async def find(self, secret: str, transport: Transport, *, may_write: Callable[[], bool] = lambda: True) -> Found:
        """Return the session that a cookie or token opens. Where `may_write` says no, nothing is touched or renewed."""
        ticket = self._tickets.read(secret)
        if ticket is None:
            return Found()
        for _ in range(5):  # as often as parallel requests may come first
            entry = await self._store.get(ticket.key)
            if entry is None:
                return Found()
            now = self._clock.now()
            revocations = self._revocations
            if revocations is not None and revocations.is_due(now):
                await revocations.look()
                now = self._clock.now()
            if entry.version == ticket.version and now < ticket.until and ticket.transport == transport:
                session = ticket.found.session
                if revocations is None or session is None or not revocations.has(session):
                    return ticket.found
            session = _alive(ticket.key, entry, now)
            if session is None or session.transport != transport:
                return Found()
            if revocations is not None and revocations.has(session):
                await self._end_again(session)
                return Found()
            found = await self._judge(session, ticket.generation, now, may_write=may_write())
            if found is not None:
                self._note(ticket, session)
                return found
        return Found()

    async def _end_again(self, session: Session) -> None:
        """End a session that lives again in the store; it is refused whether or not that can be done now."""
        with suppress(StoreUnavailable):
            await self.end(session)

    def _note(self, ticket: Ticket, session: Session) -> None:
        """Note what the record means for this ticket for as long as both stand and nothing is due."""
        if ticket.generation != session.generation or session.is_retired or session.is_due:
            return
        ticket.found, ticket.version, ticket.transport = Found(session), session.version, session.transport
        renewal = session.generation_at + self._settings.renew_every
        ticket.until = min(session.seen_at + _TOUCH, renewal, session.ends_at)

    async def _judge(self, session: Session, generation: int, now: datetime, *, may_write: bool) -> Found | None:
        """Return what the generation leads to; `None` if the record changed meanwhile."""
        if session.is_retired:
            return Found(session if generation == session.generation else None)
        is_former = generation == session.generation - 1 and now <= session.generation_at + GRACE
        if generation < session.generation and not is_former:
            ended = await self._store.delete(self._key(session.handle, session.id))
            return Found(stolen=session if ended else None)
        if not may_write:
            return Found(session)
        if generation > session.generation:
            changed = await self._replace(session, generation=generation, generation_at=now, seen_at=now, is_due=False)
            return self._served(changed, now) if changed else None
        if is_former:
            due = session.generation if session.transport == "cookie" else None
            return Found(session, next_generation=due, at=now)
        if now - session.seen_at >= _TOUCH:
            changed = await self._replace(session, seen_at=now)
            return self._served(changed, now) if changed else None
        return self._served(session, now)

    def _served(self, session: Session, now: datetime) -> Found:
        is_due = session.is_due or now - session.generation_at >= self._settings.renew_every
        due = session.generation + 1 if is_due and session.transport == "cookie" else None
        return Found(session, next_generation=due, at=now)

    def new(
        self,
        account: Account,
        proofs: tuple[Proof, ...],
        *,
        transport: Transport,
        client: str = "",
        device: str = "",
        meta: Mapping[str, str] | None = None,
        ends_by: datetime | None = None,
        actor: Handle | None = None,
    ) -> Session:
        """Return a session that is not stored yet. Only `sign_in` calls this."""
        now = self._clock.now()
        ends_at = now + self._settings.absolute
        return Session(
            handle=account.handle,
            account_id=account.id,
            id=secrets.token_hex(16),
            public_id=secrets.token_hex(8),
            transport=transport,
            epochs=(account.epoch,),
            proofs=proofs,
            created_at=now,
            seen_at=now,
            ends_at=ends_at if ends_by is None else min(ends_at, ends_by),
            generation_at=now,
            client=client,
            device=device,
            meta=meta or {},
            actor=actor,
        )

    async def start(self, session: Session) -> None:
        """Store a new session; where an account has too many, the one that was used least recently ends.

        Whoever acts as somebody ends none of theirs.
        """
        await self._put(session)
        if session.actor is None:
            await self._end_surplus(session.handle, keep=session.id)

    def raised(self, session: Session, proof: Proof) -> Session:
        """Return the session with one more proof, under a new id and the same public id; not stored yet."""
        proofs = (*(known for known in session.proofs if known.factor != proof.factor), proof)
        return replace(_renamed(session, self._clock.now()), proofs=proofs)

    async def raise_to(self, session: Session, raised: Session) -> None:
        """Store a raised session; the former is served a minute more, as it was.

        Raises `NotSignedIn` when somebody ended the session meanwhile.
        """
        if not await self._retire(session, self._clock.now()):
            raise NotSignedIn
        await self._put(raised)
        if await self._get(session.handle, session.id, self._clock.now()) is None:
            await self.end(raised)  # somebody ended it between the two writes: ending wins
            raise NotSignedIn

    async def _retire(self, session: Session, now: datetime) -> bool:
        for _ in range(5):
            current = await self._get(session.handle, session.id, now)
            if current is None or current.is_retired:
                return False
            expires_at = min(now + GRACE, self._expiry(current))
            key, value = self._key(session.handle, session.id), encode_session(replace(current, is_retired=True))
            if await self._store.replace(key, value, version=current.version, expires_at=expires_at):
                return True
        return False

    def renamed(self, session: Session, account: Account, *, epoch: int) -> Session:
        """Return the session under a new id, good for the account's epoch before and after a change; not stored yet."""
        return replace(_renamed(session, self._clock.now()), epochs=(account.epoch, epoch))

    async def restamp(self, session: Session, new: Session) -> None:
        """Store a renamed session and end all others of the account, the former first.

        Called under the account's row lock, as the last step before a commit. Raises `NotSignedIn` when somebody
        ended the session meanwhile. May be repeated with another new id when the engine undid the commit.
        """
        await self._put(new)
        if not await self.end(session) and not await self._was_renamed(session, new):
            await self._store.delete_all(self._kind, session.handle)
            raise NotSignedIn
        await self._store.delete_all(self._kind, session.handle, keep=(new.id,))

    async def _was_renamed(self, session: Session, new: Session) -> bool:
        """Say whether an earlier try put the session under a new id already."""
        others = [known for known in await self._all(session.handle) if known.id != new.id]
        return any(known.public_id == session.public_id for known in others)

    async def prove(self, session: Session) -> None:
        """Store a session that was just put under a new id once more, with a proof that its owner has shown since."""
        await self._put(session)

    async def annotate(self, session: Session, meta: Mapping[str, str]) -> bool:
        """Keep something of the application's own with a session; say whether the session still was."""
        for _ in range(5):
            current = await self._get(session.handle, session.id, self._clock.now())
            if current is None or current.is_retired:
                return False
            if await self._replace(current, meta={**current.meta, **meta}):
                return True
        return False

    async def rotate(self, handle: Handle) -> None:
        """Let every cookie of an account be replaced at its next request; tokens, which no answer replaces, end."""
        for session in await self._all(handle):
            if session.transport == "bearer":
                await self.end(session)
                continue
            current: Session | None = session
            while current is not None and not current.is_due and not await self._replace(current, is_due=True):
                current = await self._get(handle, session.id, self._clock.now())

    async def goes_on(self, handle: Handle, public_id: str, *, is_use: bool) -> bool:
        """Say whether the session with this public id goes on, and where that `is_use`, let it go on for longer."""
        for session in await self._all(handle):
            if session.public_id == public_id and not session.is_retired:
                now = self._clock.now()
                if is_use and now - session.seen_at >= _TOUCH:
                    await self._replace(session, seen_at=now)
                return True
        return False

    def moved(self, session: Session) -> Session:
        """Return the session under a new id and the same public id, for `raise_to`; not stored yet."""
        return _renamed(session, self._clock.now())

    async def is_on(self, session: Session) -> bool:
        """Say whether a session goes on, under this id or a later one."""
        return any(known.public_id == session.public_id for known in await self._all(session.handle))

    async def settle(self, session: Session, epoch: int) -> None:
        """Keep of two epochs the one that was committed."""
        await self._replace(session, epochs=(epoch,))

    async def end(self, session: Session) -> bool:
        """End a session; say whether it still was."""
        return await self._store.delete(self._key(session.handle, session.id))

    async def end_public(self, handle: Handle, public_id: str) -> Session | None:
        """End the session with this public id, under every id that it has; return it if it still was."""
        ended: Session | None = None
        for _ in range(10):  # a step-up in flight may just have put the same session under a new id
            mine = [session for session in await self._all(handle) if session.public_id == public_id]
            if not mine:
                break
            for session in mine:
                ended = session if await self.end(session) else ended
        return ended

    async def end_others(self, handle: Handle, *, keep: Session | None) -> int:
        """End all sessions of an account but one; say how many."""
        return await self._store.delete_all(self._kind, handle, keep=(keep.id,) if keep else ())

    async def end_all_but(self, session: Session) -> None:
        """End every other session of the account, under whatever id; this one keeps all that it has."""
        for other in await self._all(session.handle):
            if other.public_id != session.public_id:
                await self.end(other)

    async def list(self, handle: Handle) -> tuple[Session, ...]:
        """Return the sessions of an account, the one that was used last first."""
        found = [session for session in await self._all(handle) if not session.is_retired]
        return tuple(sorted(found, key=lambda session: session.seen_at, reverse=True))

    async def _all(self, handle: Handle) -> tuple[Session, ...]:
        now = self._clock.now()
        entries = await self._store.list(self._kind, handle)
        sessions = [_alive(self._key(handle, id), entry, now) for id, entry in entries]
        return tuple([session for session in sessions if session is not None and not await self._is_revoked(session)])

    async def _end_surplus(self, handle: Handle, *, keep: str) -> None:
        sessions = [session for session in await self.list(handle) if session.actor is None]
        for session in sessions[self._settings.most_per_account :]:
            if session.id != keep:
                await self.end(session)

    async def _get(self, handle: Handle, id: str, now: datetime) -> Session | None:
        key = self._key(handle, id)
        entry = await self._store.get(key)
        session = _alive(key, entry, now) if entry else None
        return None if session is None or await self._is_revoked(session) else session

    async def _is_revoked(self, session: Session) -> bool:
        if self._revocations is None:
            return False
        await self._revocations.look()
        return self._revocations.has(session)

    async def _put(self, session: Session) -> None:
        await self._store.put(
            self._key(session.handle, session.id), encode_session(session), expires_at=self._expiry(session)
        )

    async def _replace(self, session: Session, **changes: object) -> Session | None:
        fields: Any = changes  # of Session, by the callers above
        changed = replace(session, **fields)
        stored = await self._store.replace(
            self._key(session.handle, session.id),
            encode_session(changed),
            version=session.version,
            expires_at=self._expiry(changed),
        )
        return changed if stored else None

    def _expiry(self, session: Session) -> datetime:
        return min(session.seen_at + self._settings.idle, session.ends_at)

    def _key(self, handle: Handle, id: str) -> Key:
        return Key(self._kind, handle, id)


def _alive(key: Key, entry: Entry, now: datetime) -> Session | None:
    session = decode_session(Handle(key.owner), key.id, entry)
    return session if session is not None and session.ends_at > now else None


def _renamed(session: Session, now: datetime) -> Session:
    new = secrets.token_hex(16)
    return replace(
        session, id=new, generation=0, generation_at=now, seen_at=now, is_retired=False, is_due=False, version=0
    )
