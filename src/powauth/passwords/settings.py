"""Passwords: what an application decides about them."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal, Protocol, runtime_checkable

from powauth.passwords.argon import MAX_MEMORY, MAX_PARALLELISM, MAX_WORK, Parameters
from powauth.passwords.breach import BreachLookup
from powauth.passwords.foreign import ForeignHash

SHORTEST = 8  # NIST SP 800-63B-4 §3.1.1.2, beside another factor
SHORTEST_ALONE = 15  # the same, as the only factor
LONGEST_MINIMUM = 64  # the same: at least 64 have to be allowed
PEPPER_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")
PEPPER_BYTES = 32


@runtime_checkable
class Checked(Protocol):
    """Something with settings of its own."""

    def problems(self) -> Sequence[str]:
        """Return what is wrong with them, a sentence each."""
        ...


@dataclass(frozen=True, slots=True)
class Pepper:
    """A secret that every hash needs besides its row: a stolen database alone cannot be guessed at.

    The id is written into each hash. It must never be reused for another secret.
    """

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passwords:
    """How passwords are hashed and which are refused."""

    memory: int = 19 * 1024
    """KiB for one hash. With `time` and `parallelism`: OWASP's first choice for argon2id, 2 × 19 MiB."""

    time: int = 2
    """Passes over the memory."""

    parallelism: int = 1
    """Lanes of one hash. More make one hash faster and no server faster."""

    min_length: int = SHORTEST
    """Code points after NFC; the strict profile asks for at least 15."""

    peppers: Sequence[Pepper] = ()
    """Newest first. The first is put on; the others are replaced at sign-in; removing one locks its users out."""

    foreign: Sequence[ForeignHash] = ()
    """Hashes of the application's past, asked before the ones that are recognised anyway."""

    context_words: Sequence[str] = ()
    """Words that make a poor password here: names of the company, its products, its town."""

    breach: BreachLookup | None = None
    """A list of breached passwords to ask when one is set."""

    breach_least: int = 1
    """How often a password must have been breached to be refused."""

    breach_failure: Literal["pass", "refuse"] = "pass"
    """What becomes of a password while the list does not answer: it is taken, or the visitor is told to come back
    later (503). `BreachLookupFailed` is announced either way; the strict profile refuses."""

    threads: int | None = None
    """Threads that hash. `None`: the cores that this process may use, divided by `worker_processes`."""

    worker_processes: int = 1
    """Processes that share this machine's cores and hash."""

    max_wait: timedelta = timedelta(seconds=5)
    """How long a request may wait for a thread; one that would wait longer is refused with 503."""

    def __post_init__(self) -> None:
        for name in ("peppers", "foreign", "context_words"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    def strict(self) -> "Passwords":
        """Return these settings as the strict profile has them."""
        return replace(self, min_length=max(self.min_length, SHORTEST_ALONE), breach_failure="refuse")

    @property
    def parameters(self) -> Parameters:
        """What a hash made now costs."""
        return Parameters(self.memory, self.time, self.parallelism)

    def thread_count(self) -> int:
        """Return how many threads hash in this process."""
        return self.threads or max(1, usable_cores() // self.worker_processes)

    def problems(self) -> tuple[str, ...]:
        """Return what is impossible or unsafe, a sentence each."""
        cost = cost_problems(self.parameters)
        return (*cost, *length_problems(self), *breach_problems(self), *pepper_problems(self), *pool_problems(self))


def usable_cores() -> int:
    """Return the cores that this process may run on, where the system tells, or else all there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cost_problems(parameters: Parameters) -> Iterator[str]:
    """Yield what is wrong with the cost of one hash."""
    if not parameters.is_possible:
        yield "Passwords: time and parallelism must be 1 or more, and memory at least 8 KiB per lane"
    if not parameters.is_affordable:
        limits = f"memory at most {MAX_MEMORY} KiB, memory × time at most {MAX_WORK}, parallelism {MAX_PARALLELISM}"
        yield f"Passwords: one hash would cost too much: {limits}"


def length_problems(settings: Passwords) -> Iterator[str]:
    """Yield what is wrong with the shortest length."""
    if not SHORTEST <= settings.min_length <= LONGEST_MINIMUM:
        yield f"Passwords(min_length=…) must be {SHORTEST} to {LONGEST_MINIMUM} (NIST SP 800-63B-4 §3.1.1.2)"


def breach_problems(settings: Passwords) -> Iterator[str]:
    """Yield what is wrong with asking for breached passwords."""
    if settings.breach_least < 1:
        yield "Passwords(breach_least=…) must be 1 or more: what was never breached has the count 0"
    yield from (f"Passwords(breach=…): {problem}" for problem in _own_problems(settings.breach))


def _own_problems(lookup: object) -> Sequence[str]:
    return lookup.problems() if isinstance(lookup, Checked) else ()


def pepper_problems(settings: Passwords) -> Iterator[str]:
    """Yield what is wrong with the peppers."""
    ids = [pepper.id for pepper in settings.peppers]
    if len(ids) != len(set(ids)):
        yield "Passwords(peppers=…): two peppers have the same id; give each secret an id of its own"
    for pepper in settings.peppers:
        if not PEPPER_ID.fullmatch(pepper.id):
            yield f"Pepper({pepper.id!r}): an id is 1 to 32 letters, digits, dots, dashes or underscores"
        if len(pepper.secret.encode()) < PEPPER_BYTES:
            yield f"Pepper({pepper.id!r}): the secret is too short; take secrets.token_urlsafe({PEPPER_BYTES})"


def pool_problems(settings: Passwords) -> Iterator[str]:
    """Yield what is wrong with threads and waiting."""
    if settings.threads is not None and settings.threads < 1:
        yield "Passwords(threads=…) must be 1 or more, or None to take the cores there are"
    if settings.worker_processes < 1:
        yield "Passwords(worker_processes=…) must be 1 or more"
    if settings.max_wait <= timedelta(0):
        yield "Passwords(max_wait=…) must be longer than nothing"
