"""Which passwords may be set, and whether they are known from breaches."""

import hashlib
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powauth.errors import FieldError
from powauth.passwords import NotAnswered, Passwords, breach, problems
from powauth.passwords.common import entries
from powauth.passwords.text import MAX_MARKS, MAX_POINTS

pytestmark = pytest.mark.anyio

DEFAULT = Passwords()
ADA = ("ada.lovelace@example.com", "Analytical Engines")


def codes(password: str, words: tuple[str, ...] = (), passwords: Passwords = DEFAULT) -> list[str]:
    return [problem.code for problem in problems(password, passwords, words)]


@pytest.mark.parametrize(
    "password",
    ["correct horse battery", "kq7 xv9w", "пароль из слов", "        \t12 x", "🐎🔋📎🗝️🌊🍋🧭🎈", "x" * 64, "ü" * 2048],
)
def test_length_is_all_that_is_asked_for(password: str) -> None:
    assert codes(password) == []


def test_eight_code_points_are_needed_and_the_problem_says_so() -> None:
    assert problems("kq7 xv9", DEFAULT) == [FieldError("too_short", {"min": 8})]
    assert problems("kq7 xv9w", DEFAULT) == []


def test_the_strict_profile_needs_fifteen() -> None:
    assert problems("fourteen chars", DEFAULT.strict()) == [FieldError("too_short", {"min": 15})]
    assert problems("fifteen charact", DEFAULT.strict()) == []
    assert Passwords(min_length=20).strict().min_length == 20


def test_code_points_are_counted_after_nfc() -> None:
    seven_letters = "e\u0301" * 7
    assert len(seven_letters) == 14
    assert codes(seven_letters) == ["too_short"]


def test_4096_bytes_are_allowed_and_one_more_is_refused() -> None:
    """S3, S4: bytes of UTF-8, not characters."""
    assert problems("é" * 2048, DEFAULT) == []
    assert problems("é" * 2048 + "e", DEFAULT) == [FieldError("too_long", {"max": 4096})]


def test_bytes_are_counted_after_nfc() -> None:
    """S3, S4."""
    longest = "\u03b9\u0308\u0301" * 2048
    assert len(longest) == MAX_POINTS
    assert codes(longest) == []


def test_what_is_too_long_in_any_form_is_not_even_read() -> None:
    """S4: no cost that grows with what a stranger sends."""
    assert codes("\ud800" * (MAX_POINTS + 1)) == ["too_long"]


@pytest.mark.parametrize("password", ["long enough\0", "\0" * 12])
def test_a_nul_is_refused(password: str) -> None:
    """S4."""
    assert codes(password) == ["has_nul"]


def test_what_utf8_cannot_write_is_refused() -> None:
    assert codes("half a \ud800 pair") == ["unreadable"]


def test_no_language_puts_more_than_thirty_marks_on_a_letter() -> None:
    """What normalises in quadratic time is refused before."""
    assert codes("long enough a" + "\u0301" * MAX_MARKS) == []
    assert codes("long enough a" + "\u0301" * (MAX_MARKS + 1)) == ["unreadable"]
    assert codes("long enough" + "\u0f73" * (MAX_MARKS + 1)) == ["unreadable"]  # two marks that look like a letter


@pytest.mark.parametrize("password", ["password", "PASSWORD", "12345678", "qwertyuiop", "iloveyou", "Trustno1!"[:8]])
def test_a_common_password_is_refused_in_every_case(password: str) -> None:
    assert codes(password) == ["common"]


def test_a_common_password_inside_a_longer_one_is_no_common_password() -> None:
    """NIST SP 800-63B-4 §3.1.1.2: the whole is compared, not its parts."""
    assert codes("password of the wren") == []


def test_lines_of_the_list_are_no_password_together() -> None:
    first, second = entries().decode().split("\n")[1:3]
    assert codes(f"{first}\n{second}") == []


@pytest.mark.parametrize("length", range(8, 16))
def test_the_list_holds_more_than_three_thousand_for_every_shortest_length(length: int) -> None:
    """ASVS 6.2.4."""
    words = entries().decode().split()
    assert sum(len(word) >= length for word in words) > 3000
    assert sum(len(word) >= 8 for word in words) > 10_000


@pytest.mark.parametrize(
    "password",
    [
        "ada.lovelace@example.com",
        "Ada.Lovelace",
        "adaLovelace2026",
        "Lovelace!",
        "L0v3l4ce99",
        "L0v3l4ce1815!",
        "ada.l0velac@example.com",
        "ecalevol.ada",
        "analyticalengines",
        "analytical-engines-1",
        "lovelace-password1",
        "".join(chr(ord(letter) + 0xFEE0) for letter in "LOVELACE") + "1",  # full-width
    ],
)
def test_a_password_made_of_the_identifier_or_the_application_is_refused(password: str) -> None:
    """S8: equal, contained with little more, or similar; with a stable code."""
    assert codes(password, ADA) == ["context"]


def test_context_words_of_the_application_are_refused_too() -> None:
    """S8."""
    assert codes("Marmalade7", passwords=Passwords(context_words=["marmalade"])) == ["context"]


@pytest.mark.parametrize("password", ["lovelace wrote the first program", "kq7 xv9w", "adaptation of a novel"])
def test_a_word_in_a_password_that_is_long_without_it_does_no_harm(password: str) -> None:
    """S8."""
    assert codes(password, ADA) == []


def test_all_problems_are_told_at_once() -> None:
    assert codes("password", ("password@example.com",), DEFAULT.strict()) == ["too_short", "common", "context"]


@given(st.text(max_size=200), st.lists(st.text(max_size=40), max_size=3))
@settings(deadline=None)
def test_whatever_is_typed_is_answered(password: str, words: list[str]) -> None:
    assert all(problem.code for problem in problems(password, DEFAULT, words))


def test_importing_passwords_reads_no_list() -> None:
    script = "import powauth.passwords.common as common; assert common.entries.cache_info().currsize == 0"
    subprocess.run([sys.executable, "-c", script], check=True)


# ---- breaches ----


@dataclass(frozen=True)
class Breaches:
    """A list with one password in it; remembers what it was asked."""

    password: str
    asked: list[str] = field(default_factory=list[str])

    async def counts(self, prefix: str) -> Mapping[str, int]:
        self.asked.append(prefix)
        digest = hashlib.sha1(self.password.encode(), usedforsecurity=False).hexdigest().upper()
        return {digest[5:]: 12, "0" * 35: 0}


async def test_a_breached_password_is_told_with_its_count() -> None:
    lookup = Breaches("correct horse")
    assert await breach.problems("correct horse", lookup) == [FieldError("breached", {"count": 12})]
    assert await breach.problems("correct horses", lookup) == []


async def test_only_five_digits_of_the_sha1_are_asked_for() -> None:
    """S7."""
    lookup = Breaches("correct horse")
    await breach.problems("password", lookup)
    assert lookup.asked == ["5BAA6"]


async def test_without_a_list_nobody_is_asked() -> None:
    assert await breach.problems("password", None) == []


async def test_a_password_that_was_breached_less_often_than_is_set_passes() -> None:
    lookup = Breaches("correct horse")
    assert await breach.problems("correct horse", lookup, least=13) == []
    assert await breach.problems("correct horse", lookup, least=12) == [FieldError("breached", {"count": 12})]
    assert await breach.problems("correct horse", Nothing(), least=0) == []  # padding has the count 0


class Nothing:
    """A list that holds the password as padding."""

    async def counts(self, prefix: str) -> Mapping[str, int]:
        digest = hashlib.sha1(b"correct horse", usedforsecurity=False).hexdigest().upper()
        return {digest[5:]: 0}


async def test_a_list_that_does_not_answer_says_so() -> None:
    """S7: what that means is a setting of `Passwords`, not of the list."""

    class Away:
        async def counts(self, prefix: str) -> Mapping[str, int]:
            raise NotAnswered

    with pytest.raises(NotAnswered):
        await breach.problems("password", Away())


def test_the_strict_profile_refuses_while_the_list_does_not_answer() -> None:
    assert Passwords().breach_failure == "pass"
    assert Passwords().strict().breach_failure == "refuse"


def test_a_list_with_impossible_settings_is_refused_at_start() -> None:
    class Wrong:
        def problems(self) -> list[str]:
            return ["url: no"]

        async def counts(self, prefix: str) -> Mapping[str, int]:
            return {}

    assert Passwords(breach=Wrong()).problems() == ("Passwords(breach=…): url: no",)
    assert "breach_least" in Passwords(breach_least=0).problems()[0]
