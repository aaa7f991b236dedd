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
class TokenKind:
    """What a token is for. One of another kind is refused."""

    name: str
    lifetime: timedelta
    proves: str | None = None
    """The factor that taking it shows, such as `mailbox`."""
    survives: tuple[Change, ...] = ()
    """The changes of the account that leave it valid."""

    def is_good_for(self, account: Account) -> bool:
        """Say whether an account in this state may have one: open, or in a state that the kind survives."""
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
    """Whose token this is, what for, and what was bound to it."""

    kind: TokenKind
    account: Account
    data: Mapping[str, str]
    record: TokenRecord


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
        self, kind: TokenKind, account: Account, *, data: Mapping[str, str] | None = None, mail: str = ""
    ) -> str:
        """Store a new token and return its secret: 77 characters, lower-case base32, shown this once.

        Those of one `mail`, which may have been sent twice, are used up together.
        """
        secret = secrets.token_bytes(_SECRET_BYTES)
        now = self._clock.now()
        await self._records.add(
            TokenRecord(
                id=new_id(),
                owner=account.handle,
                kind=kind.name,
                digest=_digest(secret),
                epoch=account.epoch,
                created_at=now,
                expires_at=now + kind.lifetime,
                data=json.dumps(dict(data or {})),
                mail=mail,
            )
        )
        await self._emit(TokenMinted(kind=kind.name, handle=account.handle))
        return _write(bytes.fromhex(account.handle) + secret)

    async def peek(self, kind: TokenKind, secret: str) -> Token:
        """Return whose token this is and leave it usable. Raises `InvalidToken`, which leaves a trace."""
        try:
            return await self._peek(kind, secret)
        except InvalidToken:
            self._trace(TokenRefused(kind=kind.name))
            raise

    async def _peek(self, kind: TokenKind, secret: str) -> Token:
        handle, digest = _read(secret)
        # Found by owner and compared in constant time: a guess works against one account at most (S15).
        mine = await self._records.find(where={"owner": handle, "kind": kind.name})
        record = next((known for known in mine if hmac.compare_digest(known.digest, digest)), None)
        account = await self._accounts.by_handle(handle)
        if record is None or account is None or not kind.is_good_for(account):
            raise InvalidToken
        if record.expires_at <= self._clock.now() or record.epoch != account.epoch:
            raise InvalidToken
        return Token(kind, account, json.loads(record.data), record)

    async def take(self, kind: TokenKind, secret: str) -> Token:
        """Return whose token this is and use it up, atomically. Raises `InvalidToken`, which leaves a trace."""
        token = await self.peek(kind, secret)
        if not await self._records.delete(token.record):
            self._trace(TokenRefused(kind=kind.name))
            raise InvalidToken
        if token.record.mail:
            await self._records.delete_all(where={"owner": token.record.owner, "mail": token.record.mail})
            await self._settle(token.record.mail)  # a worker that died before it marked the mail would mint anew
        await self._emit(TokenTaken(kind=kind.name, handle=token.account.handle))
        return token

    async def revoke(
        self, account: Account, *kinds: TokenKind, unless: Callable[[str, Mapping[str, str]], bool] | None = None
    ) -> int:
        """Make the account's tokens of these kinds worthless, all of them if none is named; say how many.

        `unless` is given the kind and the data of each, and says which ones stay.
        """
        where: dict[str, object] = {"owner": account.handle}
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
