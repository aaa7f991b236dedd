"""A process that does one thing and is killed at its n-th await, for every n: URL, FLOW, FOLDER, STEP.

Each attempt is a fork of this process, which never opens anything itself. An await counts twice: when what it waits for
is under way, and when that is done. The store stops before and after each of its calls, so those count as well.
What each attempt prepared stands in FOLDER/facts; the last line of the output is the number of the attempt that got
through alive.
"""

import asyncio
import json
import os
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from powauth.testing import FrozenClock
from tests.durability.shop import (
    LASTING,
    NEW_PASSWORD,
    VOUCHER,
    Folder,
    account_of,
    extensions,
    mint,
    shop,
    signed_in,
    signed_up,
    stepwise,
)
from tests.house import PASSWORD, House

MOST = 400


@dataclass
class Facts:
    """What was there before the kill."""

    email: str
    handle: str = ""
    account_id: str = ""
    mine: str = ""
    other: str = ""
    voucher: str = ""
    lasting: str = ""


class Killed:
    """Awaits a coroutine and kills this process at its n-th step."""

    def __init__(self, coroutine: Any, at: int) -> None:
        self._coroutine = coroutine
        self._left = at

    def __await__(self) -> Any:
        value: Any = None
        error: BaseException | None = None
        while True:
            try:
                waits = self._coroutine.throw(error) if error else self._coroutine.send(value)
            except StopIteration as stop:
                return stop.value
            error, value = None, None
            self._step()
            try:
                value = yield waits
            except BaseException as caught:  # noqa: BLE001  handed on
                error = caught
            self._step()

    def _step(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def address(email: str) -> str:
    """Return a network address of everybody's own: a limit by address counts them apart."""
    number = int(email.partition("@")[0].lstrip("p"))
    return f"10.0.{number // 250}.{number % 250}"


def opened(url: str, folder: Path, *, gifts: bool = False, clock: FrozenClock | None = None, create: bool = False) -> Any:
    return shop(
        url,
        wrap=stepwise,
        create=create,
        mailer=Folder(folder / "mails"),
        extensions=extensions(gifts=gifts),
        clock=clock or FrozenClock(),
    )


async def nothing(home: House, number: int) -> Facts:
    return Facts(email=f"p{number}@example.com")


async def an_account(home: House, number: int) -> Facts:
    """Prepare an account with two sessions and two tokens, its first mail sent."""
    email = f"p{number}@example.com"
    client = address(email)
    mine = await signed_up(home, email, client=client)
    other = await signed_in(home, email, client=client)
    await home.auth.sender().send_due()
    account = await account_of(home, email)
    assert account
    return Facts(
        email=email,
        handle=account.handle,
        account_id=account.id,
        mine=str(mine.cookie),
        other=str(other.cookie),
        voucher=await mint(home, VOUCHER, email),
        lasting=await mint(home, LASTING, email),
    )


async def an_owed_mail(home: House, number: int) -> Facts:
    email = f"p{number}@example.com"
    await signed_up(home, email, client=address(email))
    return Facts(email=email)


async def post(home: House, facts: Facts, path: str, *statuses: int, mine: bool = True, **fields: object) -> None:
    site = home.site(accept="application/json", client=address(facts.email))
    if mine:
        site.jar[home.auth.plan.cookie_name("session")] = facts.mine
    answer = await site.post(path, **fields)
    assert answer.status in statuses, answer.text


async def sign_up(home: House, facts: Facts) -> None:
    await post(home, facts, "/sign-up", 201, mine=False, email=facts.email, password=PASSWORD)


async def sign_in(home: House, facts: Facts) -> None:
    await post(home, facts, "/sign-in", 200, mine=False, email=facts.email, password=PASSWORD)


async def change_password(home: House, facts: Facts) -> None:
    await post(home, facts, "/account/password", 200, current_password=PASSWORD, new_password=NEW_PASSWORD)


async def change_email(home: House, facts: Facts) -> None:
    await post(home, facts, "/account/email", 200, email=f"new-{facts.email}", current_password=PASSWORD)


async def close(home: House, facts: Facts) -> None:
    await post(home, facts, "/account/close", 204, current_password=PASSWORD)


async def redeem(home: House, facts: Facts) -> None:
    await post(home, facts, "/redeem", 200, voucher=facts.voucher)


async def send(home: House, facts: Facts) -> None:
    await home.auth.sender().send_due()


Prepare = Callable[[House, int], Awaitable[Facts]]
Flow = Callable[[House, Facts], Awaitable[None]]

FLOWS: dict[str, tuple[Prepare, Flow]] = {
    "sign_up": (nothing, sign_up),
    "sign_in": (an_account, sign_in),
    "change_password": (an_account, change_password),
    "change_email": (an_account, change_email),
    "close": (an_account, close),
    "redeem": (an_account, redeem),
    "send": (an_owed_mail, send),
}


async def attempt(url: str, flow: str, folder: Path, number: int) -> None:
    """Prepare, write down what was there, and be killed at that step, unless all is done before."""
    prepare, run = FLOWS[flow]
    async with opened(url, folder, gifts=flow == "send") as home:
        facts = await prepare(home, number)
        (folder / "facts" / f"{number:03}").write_text(json.dumps(asdict(facts)))
        await Killed(run(home, facts), number)


async def clear_up(url: str, folder: Path) -> None:
    """Send what is owed once every lease is over, so that the next attempt has one mail to send."""
    clock = FrozenClock()
    clock.move(timedelta(minutes=5))
    async with opened(url, folder, gifts=True, clock=clock) as home:
        await home.auth.sender().send_due()


async def create(url: str, folder: Path) -> None:
    async with opened(url, folder, create=True):
        return


def forked(work: Callable[[], Any]) -> int:
    """Do the work in a fork of this process; return 0 when it was done, else the signal that ended it."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            asyncio.run(work())
            status = 0
        except BaseException:  # noqa: BLE001  told to the test
            traceback.print_exc()
        finally:
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    if os.WIFSIGNALED(ended):
        return os.WTERMSIG(ended)
    if os.WEXITSTATUS(ended):
        sys.exit("an attempt failed")
    return 0


def main(url: str, flow: str, folder: Path, step: int) -> None:
    (folder / "facts").mkdir()
    forked(lambda: create(url, folder))
    for number in range(1, MOST, step):
        if not forked(lambda number=number: attempt(url, flow, folder, number)):  # type: ignore[misc]
            print(number)
            return
        if flow == "send":
            forked(lambda: clear_up(url, folder))
    sys.exit("it never came to its end")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
