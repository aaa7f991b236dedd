"""Caller: brings commands to the server that holds a key, and tells what was not done from what nobody knows."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence

from redis.exceptions import AskError, MovedError, NoScriptError, ResponseError

from powauth.errors import StoreUnavailable
from powauth.redis.failures import PASSING, Lost, NotSent, Refused, code
from powauth.redis.pool import Answer, Command, Pool, now
from powauth.redis.routes import Route
from powauth.redis.scripts import Script

logger = logging.getLogger("powauth.redis")

ATTEMPTS = 4
PAUSE = 0.05
"""Seconds, times the attempt: enough to be told of a new primary, and apart from what other processes do."""
SAY_AGAIN = 60.0
"""Seconds after which a refusal that goes on is logged again."""

Watcher = Callable[[bool], None]


class Caller:
    """Calls that have an answer within some time, or raise `StoreUnavailable`.

    What was certainly not done is tried again. What may have been done is tried again only if it only reads: of a write
    whose answer was lost, nothing is known.
    """

    def __init__(self, route: Route, watchers: Sequence[Watcher], *, patience: float) -> None:
        self._route = route
        self._watchers = watchers
        self._patience = patience
        self._is_reached = True
        self._said: dict[str, float] = {}

    async def read(self, key: bytes, command: Command) -> Answer:
        """Return the answer to a command that changes nothing."""
        return (await self._call(key, [command], repeatable=True))[0]

    async def run(self, script: Script, key: bytes, *values: bytes | int) -> Answer:
        """Return what a script returns."""
        return (await self.run_and(script, key, *values, then=()))[0]

    async def run_and(
        self, script: Script, key: bytes, *values: bytes | int, then: Sequence[Command]
    ) -> Sequence[Answer]:
        """Return what a script returns, and what is answered to commands that follow on the same connection."""
        answers = await self._call(key, [("EVALSHA", script.sha, 1, key, *values), *then])
        if isinstance(answers[0], NoScriptError):  # a server that is new, or was emptied: nothing was done
            answers = await self._call(key, [("EVAL", script.text, 1, key, *values), *then])
        return answers

    async def servers(self) -> Sequence[Pool]:
        """Return every server that holds keys. Raises `StoreUnavailable`."""
        try:
            async with asyncio.timeout(self._patience):
                return await self._route.primaries()
        except (NotSent, TimeoutError) as error:
            raise self._unreached(error) from error

    async def ask(self, server: Pool, command: Command) -> Answer:
        """Return the answer of one certain server, or its refusal. Raises `StoreUnavailable`."""
        try:
            async with asyncio.timeout(self._patience):
                (answer,) = await server.exchange([command])
        except (NotSent, Lost, TimeoutError) as error:
            await self._route.doubt(server)
            raise self._unreached(error) from error
        return answer

    def complain(self, about: str) -> None:
        """Log this, and not again for a while."""
        if now() > self._said.get(about, -SAY_AGAIN) + SAY_AGAIN:
            self._said[about] = now()
            logger.warning("the Redis store refuses: %s", about)

    async def _call(self, key: bytes, commands: Sequence[Command], *, repeatable: bool = False) -> Sequence[Answer]:
        try:
            async with asyncio.timeout(self._patience):
                return await self._persist(key, commands, repeatable=repeatable)
        except TimeoutError as error:
            await self._route.doubt(None)
            raise self._unreached(error) from error

    async def _persist(self, key: bytes, commands: Sequence[Command], *, repeatable: bool) -> Sequence[Answer]:
        detour: tuple[Pool, Sequence[Command]] | None = None
        problem: Exception | None = None
        may_be_another = False
        for attempt in range(1, ATTEMPTS + 1):
            pool: Pool | None = None
            try:
                pool, first = detour or (await self._route.pool(key), ())
                answers = (await pool.exchange([*first, *commands]))[len(first) :]
            except (NotSent, Lost) as error:
                problem, may_be_another = error, True
                if isinstance(error, Lost) and not repeatable:
                    await self._route.doubt(pool)
                    break
            else:
                if is_answer(answers[0]):
                    self._reached(anew=may_be_another or pool.has_broken)
                    pool.has_broken = False
                    return answers
                problem = self._refused(answers[0])
                may_be_another = may_be_another or not is_passed_on(answers[0])
                if detour := await self._detour(answers[0], pool):
                    continue
                if problem.code not in PASSING:
                    raise StoreUnavailable from problem
            detour = None
            await self._route.doubt(pool)
            await asyncio.sleep(random.uniform(0, PAUSE) * attempt)  # noqa: S311  so that processes do not meet again
        raise self._unreached(problem) from problem

    async def _detour(self, refusal: Answer, asked: Pool) -> tuple[Pool, Sequence[Command]] | None:
        """Return whom to ask instead, and what to say first, if this is what the server said."""
        pool = self._route.redirected(refusal, asked) if isinstance(refusal, AskError) else None
        if pool is None:
            return None
        if not isinstance(refusal, MovedError):  # for this time only
            return pool, (("ASKING",),)
        await self._route.doubt(None)
        return pool, ()

    def _unreached(self, problem: Exception | None) -> StoreUnavailable:
        if self._is_reached:
            self._is_reached = False
            logger.warning("the Redis store does not answer: %s", said(problem))
            self._tell(is_reached=False)
        return StoreUnavailable()

    def _refused(self, refusal: ResponseError) -> Refused:
        problem = Refused(refusal)
        if not isinstance(refusal, AskError):  # a cluster at work, or another primary: nothing to complain of
            self.complain(problem.code)
        return problem

    def _reached(self, *, anew: bool) -> None:
        if not self._is_reached:
            self._is_reached = True
            logger.info("the Redis store answers again")
            self._tell(is_reached=True)
        elif anew:
            self._tell(is_reached=True)

    def _tell(self, *, is_reached: bool) -> None:
        for watcher in tuple(self._watchers):
            try:
                watcher(is_reached)
            except Exception:
                logger.exception("a watcher of the Redis store failed")


def is_answer(answer: Answer) -> bool:
    """Say whether this is no refusal, or one that the caller knows what to do about."""
    return not isinstance(answer, ResponseError) or isinstance(answer, NoScriptError)


def is_passed_on(refusal: Answer) -> bool:
    """Say whether the server that holds a key for now only passes it on, as it does while slots move."""
    return isinstance(refusal, AskError) and not isinstance(refusal, MovedError)


def said(problem: BaseException | None) -> str:
    """Return why, in words without anything that was asked or stored."""
    words: list[str] = []
    while problem is not None:
        words.append(str(problem) if isinstance(problem, NotSent) and str(problem) else code(problem))
        problem = problem.__cause__
    return ", ".join(words)
