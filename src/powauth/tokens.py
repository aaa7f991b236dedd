"""Tokens: mailed secrets with a purpose, stored as hashes beside what they authorise, used once."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from powauth.accounts import Account, Accounts, Change, Handle
from powauth.clock import Clock
from powauth.errors import InvalidToken, Stale
from powauth.events import Event, TokenMinted, TokenRefused, TokenTaken
from powauth.records import Index, Key, Owner, Record, Records, Text, new_id

_SECRET_BYTES = 32
_HANDLE_BYTES = 16


@dataclass(frozen=True, slots=True)
class Subject:
    """Something of an extension's own that tokens and mails are about, and that is no account: an invitation, say."""

    handle: Handle
    """Its own 16 random bytes in hexadecimal, never used again, like an account's."""
    epoch: int = 0


Holder = Account | Subject
"""Whom or what a token is about."""


@dataclass(frozen=True, slots=True)
class TokenKind:
    """What a token is for. One of another kind is refused."""

    name: str
    lifetime: timedelta
    proves: str | None = None
    """The factor that taking it shows, such as `mailbox`."""
    survives: tuple[Change, ...] = ()
    """The changes of the account that leave it valid."""
    about: str = ""
    """What it is about where that is no account, such as `invitation`: whoever takes one asks whether that stands."""

    def is_good_for(self, holder: Holder) -> bool:
        """Say whether an account in this state may have one: open, or in a state that the kind survives."""
        return bool(self.about) if isinstance(holder, Subject) else not self.about and self._is_good_for(holder)

    def _is_good_for(self, account: Account) -> bool:
        is_locked = account.is_locked and not account.is_guarded
        return (not account.is_closed or "close" in self.survives) and (not is_locked or "lock" in self.survives)


class TokenRecord(Record, table="tokens"):
    """A token, as it is stored."""

    id: Annotated[str, Key(), Text(32)]
    owner: Annotated[Handle, Owner(), Index(), Text(32)]
    kind: Annotated[str, Text(80)]
    digest: Annotated[str, Text(64)]
    epoch: int
    created_at: datetime
    expires_at: Annotated[datetime, Index()]
    data: Annotated[str, Text(2000)] = "{}"
    mail: Annotated[str, Text(32)] = ""
    """The row of the outbox that it was minted for: a mail that was sent twice holds two of them."""


@dataclass(frozen=True, slots=True)
class Token:
    """Whom a token is about, what for, and what was bound to it."""

    kind: TokenKind
    holder: Holder
    data: Mapping[str, str]
    record: TokenRecord

    @property
    def account(self) -> Account:
        """Whose token this is. Raises `InvalidToken` for one that is about something else."""
        if isinstance(self.holder, Subject):
            raise InvalidToken
        return self.holder


class Tokens:
    """The tokens of one tenant in one unit of work."""

    def __init__(
        self,
        records: Records[TokenRecord],
        accounts: Accounts,
        clock: Clock,
        *,
        emit: Callable[[Event], Awaitable[object]],
        trace: Callable[[Event], None],
        settle: Callable[[str], Awaitable[object]],
    ) -> None:
        self._records = records
        self._accounts = accounts
        self._clock = clock
        self._emit = emit
        self._trace = trace
        self._settle = settle

    async def mint(
        self, kind: TokenKind, holder: Holder, *, data: Mapping[str, str] | None = None, mail: str = ""
    ) -> str:
        """Store a new token and return its secret: 77 characters, lower-case base32, shown this once.

        Those of one `mail`, which may have been sent twice, are used up together.
        """
        if isinstance(holder, Subject) != bool(kind.about):
            msg = f"a token of kind {kind.name} is about {kind.about or 'an account'}, and about nothing else"
            raise TypeError(msg)
        secret = secrets.token_bytes(_SECRET_BYTES)
        now = self._clock.now()
        await self._records.add(
            TokenRecord(
                id=new_id(),
                owner=holder.handle,
                kind=kind.name,
                digest=_digest(secret),
                epoch=holder.epoch,
                created_at=now,
                expires_at=now + kind.lifetime,
                data=json.dumps(dict(data or {})),
                mail=mail,
            )
        )
        await self._emit(TokenMinted(kind=kind.name, handle=holder.handle))
        return _write(bytes.fromhex(holder.handle) + secret)

    async def peek(self, kind: TokenKind, secret: str) -> Token:
        """Return whose token this is and leave it usable. Raises `InvalidToken`, which leaves a trace."""
        try:
            return await self._peek(kind, secret)
        except InvalidToken:
            self._trace(TokenRefused(kind=kind.name))
            raise

    async def _peek(self, kind: TokenKind, secret: str) -> Token:
        handle, digest = _read(secret)
        # Found by owner and compared in constant time: a guess works against one of them at most (S15).
        mine = await self._records.find(where={"owner": handle, "kind": kind.name})
        record = next((known for known in mine if hmac.compare_digest(known.digest, digest)), None)
        holder = Subject(handle) if kind.about else await self._accounts.by_handle(handle)
        if record is None or holder is None or not kind.is_good_for(holder):
            raise InvalidToken
        if record.expires_at <= self._clock.now() or record.epoch != holder.epoch:
            raise InvalidToken
        return Token(kind, holder, json.loads(record.data), record)

    async def take(self, kind: TokenKind, secret: str) -> Token:
        """Return whose token this is and use it up, atomically. Raises `InvalidToken`, which leaves a trace."""
        token = await self.peek(kind, secret)
        if not await self._records.delete(token.record):
            self._trace(TokenRefused(kind=kind.name))
            raise InvalidToken
        if token.record.mail:
            await self._records.delete_all(where={"owner": token.record.owner, "mail": token.record.mail})
            await self._settle(token.record.mail)  # a worker that died before it marked the mail would mint anew
        await self._emit(TokenTaken(kind=kind.name, handle=token.holder.handle))
        return token

    async def revoke(
        self, holder: Holder, *kinds: TokenKind, unless: Callable[[str, Mapping[str, str]], bool] | None = None
    ) -> int:
        """Make the holder's tokens of these kinds worthless, all of them if none is named; say how many.

        `unless` is given the kind and the data of each, and says which ones stay.
        """
        where: dict[str, object] = {"owner": holder.handle}
        if kinds:
            where["kind"] = tuple(kind.name for kind in kinds)
        if unless is None:
            return await self._records.delete_all(where=where)
        found = await self._records.find(where=where)
        over = [record for record in found if not unless(record.kind, json.loads(record.data))]
        return sum([await self._records.delete(record) for record in over])

    async def outlive(self, account: Account, change: Change, kinds: Sequence[TokenKind], *, epoch: int) -> None:
        """Carry the tokens that survive a change into the new epoch and remove the others."""
        surviving = {kind.name for kind in kinds if change in kind.survives}
        for record in await self._records.find(where={"owner": account.handle}):
            if record.kind in surviving and record.epoch == account.epoch:
                with suppress(Stale):  # somebody just used it up
                    await self._records.update(record, epoch=epoch)
            else:
                await self._records.delete(record)


def _read(secret: str) -> tuple[Handle, str]:
    """Return owner and digest; case does not matter, for mail programs that change it."""
    if len(secret) != 77 or not secret.isascii():
        raise InvalidToken
    try:
        data = base64.b32decode(secret.upper() + "===")
    except ValueError:
        raise InvalidToken from None
    if _write(data) != secret.lower():  # the last letter has a bit to spare: one secret, one spelling
        raise InvalidToken
    return Handle(data[:_HANDLE_BYTES].hex()), _digest(data[_HANDLE_BYTES:])


def _write(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=").lower()


def _digest(secret: bytes) -> str:
    return hashlib.sha256(secret).hexdigest()
