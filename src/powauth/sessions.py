"""Session: being signed in. Its secret is derived, not stored: the store alone opens nothing, nor does the key alone.

A cookie holds the account's handle, the session's id, a generation and a signature over all of them. Time raises the
generation: whoever comes with the newest one gets the next, everybody the same, and nothing is written until it is
used. The one before is served for a minute more; an older one, correctly signed, is held by two: theft.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from powauth.accounts import Account, Handle
from powauth.clock import Clock
from powauth.errors import NotSignedIn
from powauth.session import Proof, Session, Transport, decode_session, encode_session
from powauth.signing import Signer, decode, encode
from powauth.stores import EPOCH, Entry, Key, Store

GRACE = timedelta(seconds=60)
"""How long the former of two cookies is still served: parallel tabs, slow networks, a lost answer."""

AAL2 = timedelta(hours=24)  # SP 800-63B-4 §2.2.3
AAL2_IDLE = timedelta(hours=1)  # the same

_FORMAT = 1
_COOKIE_BYTES = 1 + 16 + 16 + 4 + 32
_KEPT = 10_000
"""How many cookies are kept read. What one says never changes; whether it still counts, the store is asked anew."""
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
        return tuple(found)


class Found(NamedTuple):
    """What a cookie or token led to."""

    session: Session | None = None
    stolen: Session | None = None
    """The session that this one ended, because two held its cookie."""
    next_generation: int | None = None
    """The generation to hand out with the answer."""
    at: datetime | None = None
    """When it was asked for, where a generation may be handed out."""


@dataclass(slots=True, kw_only=True)
class Ticket:
    """What a cookie says, once its signature held; and what it led to, which is so until the record changes."""

    key: Key = field(repr=False)
    """Where the session stands in the store."""
    generation: int
    found: Found = Found()  # noqa: RUF009  a tuple
    transport: Transport = "cookie"
    version: int = 0
    """The version of the record that led to it."""
    until: datetime = EPOCH
    """From then on there is something to write or to hand out, or it is over."""

    @property
    def handle(self) -> Handle:
        """Whose session it is."""
        return Handle(self.key.owner)


class Sessions:
    """The sessions of one tenant of one `Auth`."""

    def __init__(
        self, store: Store, signer: Signer, clock: Clock, settings: SessionSettings, *, name: str, tenant: str
    ) -> None:
        self._store = store
        self._signer = signer
        self._clock = clock
        self._settings = settings
        self._kind = f"{name}:{tenant}:session"
        self._tenant = tenant.encode()
        self._tickets: dict[str, Ticket] = {}

    def secret(self, session: Session, generation: int | None = None) -> str:
        """Return the cookie or token of a session: the only thing that opens it."""
        number = session.generation if generation is None else generation
        body = bytes([_FORMAT]) + bytes.fromhex(session.handle + session.id) + number.to_bytes(4, "big")
        return encode(body + self._signer.sign("session", body + self._tenant))

    def next_secret(self, session: Session) -> str:
        """Return the token that follows, for a program that asks; the same to whoever asks until it is used.

        In the first minute of a generation it is the current one: whoever comes late must not overtake.
        """
        is_young = self._clock.now() - session.generation_at <= GRACE
        return self.secret(session, session.generation if is_young else session.generation + 1)

    def read(self, secret: str) -> Ticket | None:
        """Return what a cookie or token says; a forged one never reaches the store."""
        ticket = self._tickets.get(secret)
        if ticket is None:
            ticket = self._read(secret)
            if ticket is not None:
                self._keep(secret, ticket)
        return ticket

    def _read(self, secret: str) -> Ticket | None:
        data = decode(secret)
        if data is None or len(data) != _COOKIE_BYTES or data[0] != _FORMAT:
            return None
        body, signature = data[:-32], data[-32:]
        if not self._signer.verify("session", body + self._tenant, signature):
            return None
        key = self._key(Handle(body[1:17].hex()), body[17:33].hex())
        return Ticket(key=key, generation=int.from_bytes(body[33:37], "big"))

    def _keep(self, secret: str, ticket: Ticket) -> None:
        if len(self._tickets) >= _KEPT:
            self._tickets.clear()
        self._tickets[secret] = ticket

    async def find(self, secret: str, transport: Transport, *, may_write: Callable[[], bool] = lambda: True) -> Found:
        """Return the session that a cookie or token opens. Where `may_write` says no, nothing is touched or renewed."""
        ticket = self._tickets.get(secret) or self.read(secret)
        if ticket is None:
            return Found()
        for _ in range(5):  # as often as parallel requests may come first
            entry = await self._store.get(ticket.key)
            if entry is None:
                return Found()
            now = self._clock.now()
            if entry.version == ticket.version and now < ticket.until and ticket.transport == transport:
                return ticket.found
            session = _alive(ticket.key, entry, now)
            if session is None or session.transport != transport:
                return Found()
            found = await self._judge(session, ticket.generation, now, may_write=may_write())
            if found is not None:
                self._note(ticket, session)
                return found
        return Found()

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
        sessions = [decode_session(handle, id, entry) for id, entry in entries]
        return tuple(session for session in sessions if session is not None and session.ends_at > now)

    async def _end_surplus(self, handle: Handle, *, keep: str) -> None:
        sessions = [session for session in await self.list(handle) if session.actor is None]
        for session in sessions[self._settings.most_per_account :]:
            if session.id != keep:
                await self.end(session)

    async def _get(self, handle: Handle, id: str, now: datetime) -> Session | None:
        key = self._key(handle, id)
        entry = await self._store.get(key)
        return _alive(key, entry, now) if entry else None

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
