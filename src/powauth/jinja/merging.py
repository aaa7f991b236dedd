"""Merging: two changes of one text become one, line by line; where both changed the same, both are shown."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

BEGIN, MIDDLE, SPLIT, END = "<<<<<<<", "|||||||", "=======", ">>>>>>>"

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_BEGIN = re.compile(rf"^{BEGIN} ", re.MULTILINE)

Lines = Sequence[str]


@dataclass(frozen=True, slots=True)
class Names:
    """What stands beside the marks of a conflict."""

    yours: str
    base: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Merged:
    """The text that came of it, and the lines at which conflicts begin."""

    text: str
    conflicts: tuple[int, ...]


def merge(base: str, yours: str, theirs: str, names: Names) -> Merged:
    """Return what both made of `base`. Nothing of `yours` is lost: a conflict holds all three.

    Lines end as in `yours`.
    """
    if "\r\n" in yours:
        base, theirs = base.replace("\n", "\r\n"), theirs.replace("\n", "\r\n")
    made: list[str] = []
    conflicts: list[int] = []
    for old, mine, new in _chunks(_lines(base), _lines(yours), _lines(theirs)):
        chosen = _chosen(old, mine, new)
        if chosen is None:
            conflicts.append(len(made) + 1)
            chosen = _conflict(old, mine, new, names)
        made.extend(chosen)
    return Merged("".join(made), tuple(conflicts))


def has_conflicts(text: str) -> bool:
    """Say whether somebody has to choose in it yet."""
    return _BEGIN.search(text) is not None


def _lines(text: str) -> list[str]:
    return _LINE.findall(text)


def _chosen(old: Lines, mine: Lines, new: Lines) -> Lines | None:
    """Return the side that changed; `None` if both did, each in its way."""
    if mine in (old, new):
        return new
    return mine if new == old else None


def _conflict(old: Lines, mine: Lines, new: Lines, names: Names) -> list[str]:
    end = "\r\n" if any(line.endswith("\r\n") for line in (*old, *mine, *new)) else "\n"
    marks = (f"{BEGIN} {names.yours}", f"{MIDDLE} {names.base}", SPLIT)
    sides = zip(marks, (mine, old, new), strict=True)
    parts = [line for mark, side in sides for line in (mark + end, *_ended(side, end))]
    return [*parts, f"{END} {names.theirs}{end}"]


def _ended(lines: Lines, end: str) -> Iterator[str]:
    return (line if line.endswith("\n") else line + end for line in lines)


def _chunks(base: Lines, yours: Lines, theirs: Lines) -> Iterator[tuple[Lines, Lines, Lines]]:
    """Give what stands between lines that all three share, and those lines, in order."""
    b = y = t = 0
    for start, end, in_yours, in_theirs in _shared(base, yours, theirs):
        yield base[b:start], yours[y:in_yours], theirs[t:in_theirs]
        same = base[start:end]
        yield same, same, same
        b, y, t = end, in_yours + end - start, in_theirs + end - start


def _shared(base: Lines, yours: Lines, theirs: Lines) -> Iterator[tuple[int, int, int, int]]:
    """Give each run of lines that all three share: from where to where in `base`, and where in the others."""
    mine = SequenceMatcher(None, base, yours, autojunk=False).get_matching_blocks()
    new = SequenceMatcher(None, base, theirs, autojunk=False).get_matching_blocks()
    i = j = 0
    while i < len(mine) and j < len(new):
        a, b = mine[i], new[j]
        start, end = max(a.a, b.a), min(a.a + a.size, b.a + b.size)
        if start < end:
            yield start, end, a.b + start - a.a, b.b + start - b.a
        if a.a + a.size < b.a + b.size:
            i += 1
        else:
            j += 1
    yield len(base), len(base), len(yours), len(theirs)
