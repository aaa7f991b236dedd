"""Hashing and verifying: one verification for everybody, peppers, limits, and an event loop that goes on."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from powauth.errors import ConfigurationError, HashingBusy
from powauth.passwords import Hasher, Passwords, Pepper, Verdict, argon

pytestmark = pytest.mark.anyio

TINY = Passwords(memory=8, time=1, threads=1)
OLDER = replace(TINY, memory=16)
PASSWORD = "correct horse battery"
HERE = "192.0.2.1"
FIRST = Pepper("first", "1" * 32)
SECOND = Pepper("second", "2" * 32)


@pytest.fixture
def hasher() -> Iterator[Hasher]:
    with closing(Hasher(TINY)) as hasher:
        yield hasher


async def made(settings: Passwords, password: str = PASSWORD) -> str:
    with closing(Hasher(settings)) as hasher:
        return await hasher.hash(password, client=HERE)


async def judged(settings: Passwords, password: str, hash: str | None) -> tuple[Verdict, int]:
    """The verdict, and how many verifications with current parameters it took."""
    with closing(Hasher(settings)) as hasher:
        return await hasher.verify(password, hash, client=HERE), hasher.verifications


async def test_the_default_is_argon2id_as_owasp_asks_for_it_first() -> None:
    hash = await made(Passwords())

    assert hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await judged(Passwords(), PASSWORD, hash) == (Verdict(ok=True), 1)


async def test_a_password_verifies_and_another_does_not(hasher: Hasher) -> None:
    hash = await hasher.hash(PASSWORD, client=HERE)

    assert await hasher.verify(PASSWORD, hash, client=HERE) == Verdict(ok=True, rehash=False)
    assert await hasher.verify(PASSWORD + " ", hash, client=HERE) == Verdict(ok=False)


async def test_two_hashes_of_one_password_differ(hasher: Hasher) -> None:
    assert await hasher.hash(PASSWORD, client=HERE) != await hasher.hash(PASSWORD, client=HERE)


async def test_a_hash_made_by_another_argon2_library_is_current_when_its_parameters_are(hasher: Hasher) -> None:
    hash = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQxMjM0NTY3OA$MYhkh5J5Xbql/RTJN+G+edMDOCm+Mgj8HtuNSL1YsrE"

    assert await hasher.verify(PASSWORD, hash, client=HERE) == Verdict(ok=True, rehash=False)


async def test_the_same_letters_are_the_same_password_on_every_keyboard(hasher: Hasher) -> None:
    composed, taken_apart = "caf\u00e9 au lait", "cafe\u0301 au lait"
    hash = await hasher.hash(composed, client=HERE)

    assert (await hasher.verify(taken_apart, hash, client=HERE)).ok


# ---- the same work for everybody ----


@pytest.mark.parametrize("password", [PASSWORD, "wrong", "", "nul\0byte", "é" * 2049, "half a \ud800 pair"])
async def test_unknown_and_password_less_accounts_cost_one_verification(password: str) -> None:
    """S10: counted on the hasher."""
    assert await judged(TINY, password, None) == (Verdict(ok=False), 1)


@pytest.mark.parametrize("password", [PASSWORD, "wrong", "", "nul\0byte", "é" * 2049, "half a \ud800 pair"])
async def test_a_current_account_costs_one_verification(password: str) -> None:
    """S10: counted on the hasher."""
    verdict, verifications = await judged(TINY, password, await made(TINY))

    assert verdict == Verdict(ok=password == PASSWORD)
    assert verifications == 1


@pytest.mark.parametrize(
    "hash",
    ["", "x", "$argon2id$", "$pepper=gone$argon2id$", "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$x", "💥" * 3000],
)
async def test_a_malformed_hash_is_a_wrong_password_and_costs_one_verification(hash: str) -> None:
    """S10: nobody sees which rows are broken."""
    assert await judged(TINY, PASSWORD, hash) == (Verdict(ok=False), 1)


async def test_an_outdated_hash_costs_its_own_verification_and_on_failure_one_current_one() -> None:
    """S10: documented; it can be told by time until its next sign-in."""
    outdated = await made(OLDER)

    assert await judged(TINY, PASSWORD, outdated) == (Verdict(ok=True, rehash=True), 0)
    assert await judged(TINY, "wrong", outdated) == (Verdict(ok=False), 1)


async def test_an_outdated_hash_is_replaced_once_and_only_after_success() -> None:
    """S5: the verdict asks for it only beside the right password, and not for what replaced it."""
    outdated = await made(OLDER)
    wrong, _ = await judged(TINY, "wrong", outdated)
    right, _ = await judged(TINY, PASSWORD, outdated)
    again, _ = await judged(TINY, PASSWORD, await made(TINY))

    assert (wrong.rehash, right.rehash, again.rehash) == (False, True, False)


@pytest.mark.parametrize("cost", ["m=262145,t=1,p=1", "m=262144,t=5,p=1", "m=8,t=999999999,p=1", "m=4096,t=1,p=17"])
async def test_a_stored_hash_cannot_ask_for_more_than_may_be_spent_on_it(cost: str) -> None:
    hash = f"$argon2id$v=19${cost}$c29tZXNhbHQxMjM0NTY3OA$MYhkh5J5Xbql/RTJN+G+edMDOCm+Mgj8HtuNSL1YsrE"

    assert await judged(TINY, PASSWORD, hash) == (Verdict(ok=False), 1)
    assert argon.parse(hash) is None


# ---- what is no password ----


async def test_a_long_password_counts_to_its_last_byte(hasher: Hasher) -> None:
    """S3: never truncated."""
    longest = "é" * 2048
    hash = await hasher.hash(longest, client=HERE)

    assert (await hasher.verify(longest, hash, client=HERE)).ok
    assert not (await hasher.verify(longest[:-1] + "e", hash, client=HERE)).ok
    assert not (await hasher.verify(longest + "e", hash, client=HERE)).ok


@pytest.mark.parametrize("password", ["nul\0byte", "é" * 2049, "x" * 100_000, "half a \ud800 pair", "\u0301" * 31])
async def test_what_the_policy_refuses_is_never_hashed(hasher: Hasher, password: str) -> None:
    """S3, S4: refused, never truncated, should anybody forget to ask the policy."""
    with pytest.raises(ValueError, match="not a password"):
        await hasher.hash(password, client=HERE)


# ---- peppers ----


async def test_a_pepper_is_named_by_the_hash_and_one_verification_suffices() -> None:
    """S6, S10."""
    peppered = replace(TINY, peppers=[FIRST])
    hash = await made(peppered)

    assert hash.startswith("$pepper=first$argon2id$v=19$")
    assert await judged(peppered, PASSWORD, hash) == (Verdict(ok=True, rehash=False), 1)
    assert await judged(peppered, "wrong", hash) == (Verdict(ok=False), 1)


async def test_a_new_pepper_keeps_everybody_and_is_put_on_at_the_next_sign_in() -> None:
    """S6."""
    hash = await made(replace(TINY, peppers=[FIRST]))
    rotated = replace(TINY, peppers=[SECOND, FIRST])

    assert await judged(rotated, PASSWORD, hash) == (Verdict(ok=True, rehash=True), 1)
    assert (await made(rotated)).startswith("$pepper=second$")


async def test_the_first_pepper_is_put_on_hashes_that_had_none() -> None:
    """S6."""
    peppered = replace(TINY, peppers=[FIRST])
    assert await judged(peppered, PASSWORD, await made(TINY)) == (Verdict(ok=True, rehash=True), 1)


@pytest.mark.parametrize("peppers", [[], [SECOND]])
async def test_a_removed_pepper_locks_its_users_out_and_nothing_else(peppers: list[Pepper]) -> None:
    """S6."""
    of_a_removed_pepper = await made(replace(TINY, peppers=[FIRST]))
    without_pepper = await made(TINY)
    settings = replace(TINY, peppers=peppers)

    assert await judged(settings, PASSWORD, of_a_removed_pepper) == (Verdict(ok=False), 1)
    assert (await judged(settings, PASSWORD, without_pepper))[0].ok


async def test_another_secret_under_the_same_id_opens_nothing() -> None:
    hash = await made(replace(TINY, peppers=[FIRST]))
    assert await judged(replace(TINY, peppers=[Pepper("first", "3" * 32)]), PASSWORD, hash) == (Verdict(ok=False), 1)


def test_no_secret_is_in_a_repr() -> None:
    assert FIRST.secret not in repr(Passwords(peppers=[FIRST]))


# ---- the event loop ----


@dataclass(frozen=True)
class WaitsForTheLoop:
    """A hash that is verified once the event loop has said so: on the loop's own thread it would wait for ever."""

    begun: asyncio.Event
    loop: asyncio.AbstractEventLoop
    said: threading.Event = field(default_factory=threading.Event)
    threads: list[str] = field(default_factory=list[str])

    def recognises(self, hash: str) -> bool:
        return hash == "waits"

    def verify(self, password: bytes, hash: str) -> bool:
        self.threads.append(threading.current_thread().name)
        self.loop.call_soon_threadsafe(self.begun.set)
        return self.said.wait(timeout=30)


async def test_the_event_loop_goes_on_while_a_hash_is_computed_on_a_thread_of_its_own() -> None:
    waits = WaitsForTheLoop(asyncio.Event(), asyncio.get_running_loop())
    with closing(Hasher(replace(TINY, foreign=[waits]))) as hasher:
        verifying = asyncio.create_task(hasher.verify(PASSWORD, "waits", client=HERE))
        await waits.begun.wait()
        waits.said.set()

        assert (await verifying).ok
    assert waits.threads == ["powauth-hashing"]


async def test_making_a_hasher_computes_nothing_and_starts_no_thread() -> None:
    before = threading.active_count()
    hasher = Hasher(Passwords())

    assert (hasher.verifications, threading.active_count()) == (0, before)


async def test_a_closed_hasher_is_busy_for_ever() -> None:
    hasher = Hasher(TINY)
    await hasher.hash(PASSWORD, client=HERE)
    hasher.close()

    with pytest.raises(HashingBusy):
        await hasher.verify(PASSWORD, None, client=HERE)


# ---- settings ----


def test_everything_impossible_or_unsafe_in_the_settings_is_told_at_once() -> None:
    settings = Passwords(
        memory=7,
        min_length=7,
        peppers=[Pepper("a$b", "short"), Pepper("a$b", "short")],
        threads=0,
        worker_processes=0,
        max_wait=timedelta(0),
    )

    with pytest.raises(ConfigurationError) as caught:
        Hasher(settings)
    assert len(caught.value.problems) == 10


def test_more_than_may_be_verified_may_not_be_asked_for() -> None:
    with pytest.raises(ConfigurationError, match="cost too much"):
        Hasher(Passwords(memory=512 * 1024))


def test_settings_are_values_whatever_sequences_they_were_made_of() -> None:
    assert hash(Passwords(peppers=[FIRST])) == hash(Passwords(peppers=(FIRST,)))


def test_cores_are_shared_among_worker_processes() -> None:
    cores = Passwords().thread_count()

    assert Passwords(worker_processes=cores).thread_count() == 1
    assert Passwords(worker_processes=cores + 1).thread_count() == 1
    assert Passwords(threads=3, worker_processes=9).thread_count() == 3
