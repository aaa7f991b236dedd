"""Which passwords are refused when one is set. There are no rules about kinds of characters, and none expire."""

import re
import unicodedata
from collections.abc import Collection, Iterator

from powauth.errors import FieldError
from powauth.passwords.common import is_common
from powauth.passwords.settings import Passwords
from powauth.passwords.text import MAX_BYTES, fault, normalise

SHORTEST_WORD = 4  # shorter ones stand inside too many others: "Ada" in "adaptation"
LONGEST_WORD = 254  # an address; bounds the cost of comparing
LONGEST_COMPARED = 64
LEAST_REST = 8  # what must be left of a password without the words that anybody would try
LEET = str.maketrans("013457@$!", "oieastasi")


def problems(password: str, settings: Passwords, words: Collection[str] = ()) -> list[FieldError]:
    """Return everything that is wrong with a new password; nothing if it may be set.

    `words` are the identifiers of its owner and the name of the application. Codes: `too_long` (max, bytes),
    `has_nul`, `unreadable`, `too_short` (min, code points), `common`, `context`.
    """
    found = fault(password)
    if found is not None:
        return [FieldError(found, {"max": MAX_BYTES} if found == "too_long" else {})]
    return list(weaknesses(normalise(password), settings, (*settings.context_words, *words)))


def weaknesses(password: str, settings: Passwords, words: Collection[str]) -> Iterator[FieldError]:
    """Yield what makes a readable password easy to guess."""
    if len(password) < settings.min_length:
        yield FieldError("too_short", {"min": settings.min_length})
    if is_common(password):
        yield FieldError("common")
    if is_made_of(password, words):
        yield FieldError("context")


def is_made_of(password: str, words: Collection[str]) -> bool:
    """Tell whether a password equals, resembles or hardly adds to words that anybody would try here."""
    if not words:
        return False
    known = sorted({part for word in words for part in parts(word)}, key=len, reverse=True)
    plain = fold(password)
    if adds_little(plain, known):
        return True
    leet = [word.translate(LEET) for word in known]
    spoken = plain.translate(LEET)
    return adds_little(spoken, leet) or any(resembles(spoken, word) for word in leet)


def parts(word: str) -> Iterator[str]:
    """Yield a word, the local part of an address, and the names that it is put together from."""
    whole = fold(word[:LONGEST_WORD])[:LONGEST_WORD]  # folding makes one character up to eighteen
    names = (whole, whole.split("@")[0], *re.split(r"[\W_]+", whole))
    return (name for name in names if len(name) >= SHORTEST_WORD)


def fold(text: str) -> str:
    """Return what is the same in every case and width."""
    return unicodedata.normalize("NFKC", text).casefold()


def adds_little(password: str, words: Collection[str]) -> bool:
    """Tell whether a password contains words, and without them is short or common."""
    rest = password
    for word in words:
        rest = rest.replace(word, "")
    bare = re.sub(r"^[\W_]+|[\W_]+$", "", rest)
    return rest != password and (len(bare) < LEAST_REST or is_common(bare))


def resembles(password: str, word: str) -> bool:
    """Tell whether a password is a word, forwards or backwards, with a quarter of it changed or less."""
    if len(word) > LONGEST_COMPARED:  # nobody types that from memory, and comparing costs its square
        return password in {word, word[::-1]}
    most = len(word) // 4
    if abs(len(password) - len(word)) > most:
        return False
    return distance(password, word, most) <= most or distance(password, word[::-1], most) <= most


def distance(left: str, right: str, most: int) -> int:
    """Return how many letters must be put in, taken out or replaced; `most + 1` if it is more than `most`."""
    beyond = most + 1
    before = {column: column for column in range(min(most, len(right)) + 1)}
    for row, letter in enumerate(left, start=1):
        here: dict[int, int] = {}
        for column in range(max(0, row - most), min(len(right), row + most) + 1):  # only the band around equal length
            changed = before.get(column - 1, beyond) + (column > 0 and letter != right[column - 1])
            here[column] = min(before.get(column, beyond) + 1, here.get(column - 1, beyond) + 1, changed)
        before = here
        if min(here.values()) > most:
            return beyond
    return before.get(len(right), beyond)
