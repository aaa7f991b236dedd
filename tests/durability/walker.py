"""A process that does one thing and is killed at its n-th await, for every n: URL, FLOW, FOLDER, STEP.

It does the thing once, whole; each attempt is then a fork of it, which opens connections of its own. An await counts
when what it waited for is done: up to the next one nothing happens that lasts. The store, which never waits on SQLite,
stops after each of its calls, so those count as well. What each attempt found stands in FOLDER/facts; the output is the
number of the attempt that got through alive.
"""

import asyncio
import json
import os
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from powauth.accounts import NewAccount
from powauth.extensions.invitation import Invitation, InvitationForm, invite
from powauth.extensions.remember_me.families import Families, mint
from powauth.extensions.reset_password import ResetPassword
from powauth.passwords import Hasher
from powauth.session import Proof
from powauth.testing import Site
from tests.durability.shop import LASTING, NEW_PASSWORD, VOUCHER, Folder, extensions_of, shop, stepwise
from tests.house import PASSWORD, House

MOST = 150
BATCH = 50


@dataclass(frozen=True)
class Facts:
    """What was there before the kill."""

    email: str
    handle: str = ""
    mine: str = ""
    other: str = ""
    voucher: str = ""
    lasting: str = ""
    remembered: str = ""
    reset: str = ""
    invitation: str = ""


@dataclass
class Countdown:
    """How many awaits are left before this process is killed, of all its tasks together."""

    left: int

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **settings: Any) -> Any:
        """Make a task whose awaits count as well."""
        return asyncio.Task(Killed(coroutine, self).run(), loop=loop, **settings)


class Killed:
    """Awaits a coroutine and kills this process when the last await of the countdown is done."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], countdown: Countdown) -> None:
        self._coroutine = coroutine
        self._countdown = countdown

    async def run(self) -> Any:
        return await self

    def __await__(self) -> Generator[Any, Any, Any]:
        value: Any = None
        error: BaseException | None = None
        while True:
            try:
                waits = self._coroutine.throw(error) if error else self._coroutine.send(value)
            except StopIteration as end:
                return end.value
            value, error = None, None
            try:
                value = yield waits
            except BaseException as caught:  # noqa: BLE001  handed on
                error = caught
            self._countdown.step()


class DirectHasher:
    """The hasher without threads, which would not come along into a fork."""

    def __init__(self, hasher: Hasher) -> None:
        self._hasher = hasher

    async def hash(self, password: str, *, client: str) -> str:
        await asyncio.sleep(0)
        return self._hasher._make(password)

    async def verify(self, password: str, hash: str | None, *, client: str) -> Any:
        await asyncio.sleep(0)
        return self._hasher._judge(password, hash)

    def close(self) -> None: ...


class Walker:
    """One flow in one shop, and the accounts that are made for it."""

    def __init__(self, home: House, flow: str, folder: Path) -> None:
        self.home = home
        self.flow = flow
        self.folder = folder
        self.site = home.site(accept="application/json")
        self.needs_account, self.run = FLOWS[flow]
        self.hash = home.auth.plan.hasher._make(PASSWORD)
        object.__setattr__(home.auth.plan, "hasher", DirectHasher(home.auth.plan.hasher))

    async def opened(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do work on connections that are closed afterwards: none may come along into a fork."""
        store = self.home.auth.plan.store
        await store.open()
        try:
            await work()
        finally:
            await store.close()
            await self.home.engine.dispose()

    async def prepare(self, first: int) -> None:
        """Make accounts with two sessions and two tokens each."""
        for number in range(first, first + BATCH):
            facts = await self._account(number) if self.needs_account else Facts(email=f"p{number}@example.com")
            facts = replace(facts, invitation=await self._invitation(facts)) if self.flow == "accept" else facts
            (self.folder / "facts" / f"{number:03}").write_text(json.dumps(asdict(facts)))

    async def _invitation(self, facts: Facts) -> str:
        async with self.home.auth.begin() as ctx:
            made = await invite(ctx, None, InvitationForm(email=facts.email))
            return await ctx.tokens.mint(Invitation().token, made.invitation.subject)

    async def _account(self, number: int) -> Facts:
        async with self.home.auth.begin() as ctx:
            new = NewAccount(email=f"p{number}@example.com", password_hash=self.hash)
            account = await ctx.accounts.add(new, now=ctx.now)
            kinds = (VOUCHER, LASTING, ResetPassword().token)
            voucher, lasting, reset = [await ctx.tokens.mint(kind, account) for kind in kinds]
            proofs = (Proof(account.handle, account.epoch, "password", ctx.now),)
            sessions = [ctx.sessions.new(account, proofs, transport="cookie") for _ in range(2)]
            for session in sessions:
                await ctx.sessions.start(session)
            mine, other = [ctx.sessions.secret(session) for session in sessions]
            families = Families(ctx.plan, ctx.tenant)
            family = mint(sessions[0], epoch=account.epoch, lifetime=timedelta(days=30))
            await families.put(family)
        return Facts(new.email or "", account.handle, mine, other, voucher, lasting, families.secret(family), reset)

    async def walk(self, number: int, kill_at: int) -> None:
        facts = Facts(**json.loads((self.folder / "facts" / f"{number:03}").read_text()))
        self.site.client = f"10.0.0.{number}"
        self.site.jar = {self.home.auth.plan.cookie_name("session"): facts.mine} if facts.mine else {}
        countdown = Countdown(kill_at)
        asyncio.get_running_loop().set_task_factory(countdown.watch)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  as 3.11 and 3.13 call it
        await Killed(self.run(self.site, facts), countdown)
        asyncio.get_running_loop().set_task_factory(None)

    async def clear_up(self) -> None:
        """Send what is owed once every lease is over, so that the next attempt has nothing else to send."""
        self.home.clock.move(timedelta(minutes=5))
        await self.home.auth.sender().send_due()


async def post(site: Site, path: str, status: int, **fields: object) -> None:
    answer = await site.post(path, **fields)
    assert answer.status == status, answer.text


async def sign_up(site: Site, facts: Facts) -> None:
    await post(site, "/sign-up", 201, email=facts.email, password=PASSWORD)


async def come_back(site: Site, facts: Facts) -> None:
    site.jar = {site.auth.plan.cookie_name("remember"): facts.remembered}
    headers = {"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    answer = await site.get("/account", headers=headers)
    assert answer.status == 200, answer.text


async def sign_in(site: Site, facts: Facts) -> None:
    site.jar = {}
    await post(site, "/sign-in", 200, email=facts.email, password=PASSWORD)


async def change_password(site: Site, facts: Facts) -> None:
    await post(site, "/account/password", 200, current_password=PASSWORD, new_password=NEW_PASSWORD)


async def change_email(site: Site, facts: Facts) -> None:
    await post(site, "/account/email", 200, email=f"new-{facts.email}", current_password=PASSWORD)


async def close(site: Site, facts: Facts) -> None:
    await post(site, "/account/close", 204, current_password=PASSWORD)


async def reset_password(site: Site, facts: Facts) -> None:
    site.jar = {}
    await post(site, f"/reset-password/{facts.reset}", 204, password=NEW_PASSWORD)


async def accept(site: Site, facts: Facts) -> None:
    await post(site, f"/invitations/{facts.invitation}", 201, email=facts.email, password=PASSWORD)


async def redeem(site: Site, facts: Facts) -> None:
    await post(site, "/redeem", 200, voucher=facts.voucher)


async def send(site: Site, facts: Facts) -> None:
    await site.auth.sender().send_due()


FLOWS: dict[str, tuple[bool, Callable[[Site, Facts], Coroutine[Any, Any, None]]]] = {
    "sign_up": (False, sign_up),
    "sign_in": (True, sign_in),
    "come_back": (True, come_back),
    "change_password": (True, change_password),
    "change_email": (True, change_email),
    "close": (True, close),
    "redeem": (True, redeem),
    "reset": (True, reset_password),
    "accept": (False, accept),
    "send": (False, send),
}


async def owe(walker: Walker, number: int) -> None:
    walker.site.client = f"10.1.0.{number}"
    await sign_up(walker.site, Facts(email=f"p{number}@example.com"))
    walker.site.jar = {}


def forked(work: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """Do the work in a fork of this process; return 0 when it was done, else the signal that ended it."""
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(work())
        except BaseException:  # noqa: BLE001  told to the test
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, ended = os.waitpid(child, 0)
    if os.WIFEXITED(ended) and os.WEXITSTATUS(ended):
        sys.exit("an attempt failed")
    return os.WTERMSIG(ended) if os.WIFSIGNALED(ended) else 0


def main(url: str, flow: str, folder: Path, step: int) -> None:
    (folder / "facts").mkdir()
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        settings: dict[str, Any] = {"mailer": Folder(folder / "mails"), "extensions": extensions_of(flow)}
        home: House = runner.run(stack.enter_async_context(shop(url, wrap=stepwise, open_it=False, **settings)))
        walker = Walker(home, flow, folder)

        async def rehearse() -> None:
            await walker.prepare(0)
            await owe(walker, 0) if flow == "send" else None
            await walker.walk(0, 0)

        runner.run(walker.opened(rehearse))
    print(attempts(walker, flow, step))


def attempts(walker: Walker, flow: str, step: int) -> int:
    """Kill one attempt after the other until one gets through; return its number."""

    async def attempt(number: int) -> None:
        if flow == "send":
            await owe(walker, number)
        await walker.walk(number, number)

    for number in range(1, MOST, step):
        if number // BATCH > max(number - step, 0) // BATCH:
            forked(lambda number=number: walker.opened(lambda: walker.prepare(number // BATCH * BATCH)))  # type: ignore[misc]
        if not forked(lambda number=number: walker.opened(lambda: attempt(number))):  # type: ignore[misc]
            return number
        if flow == "send":
            forked(lambda: walker.opened(walker.clear_up))
    sys.exit("it never came to its end")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
