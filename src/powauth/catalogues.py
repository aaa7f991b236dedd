"""Catalogues: the words of a language by code, in gettext's files. The code is the msgid: English stays where it is."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from gettext import GNUTranslations
from pathlib import Path
from string import Formatter

DOMAIN = "powauth"
"""How the files are called: `de/LC_MESSAGES/powauth.mo`; beside others that an application may have in its folder."""
OURS = Path(__file__).parent / "locale"
TAG = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")  # RFC 5646 §2.1: language, script, region


def wider(tag: str) -> Iterator[str]:
    """Give a language tag and what is left of it, part by part from its end (RFC 4647 §3.4).

    >>> list(wider("zh-Hant-CN-x-private"))
    ['zh-Hant-CN-x-private', 'zh-Hant-CN', 'zh-Hant', 'zh']
    """
    while tag:
        yield tag
        tag = tag.rpartition("-")[0]
        if tag[-2:-1] == "-":  # what introduces the parts behind it means nothing without them
            tag = tag[:-2]


def source(folder: Path, language: str) -> Path:
    """Return where translators write the words of a language."""
    return folder / language.replace("-", "_") / "LC_MESSAGES" / f"{DOMAIN}.po"


def compiled(folder: Path, language: str) -> Path:
    """Return where gettext reads the words of a language."""
    return source(folder, language).with_suffix(".mo")


def read(folder: Path, language: str, codes: Iterable[str]) -> dict[str, str]:
    """Return the words that a folder has for these codes; for `de-AT` those of `de` as well, where it has none.

    Raises `ValueError` for a file that is no catalogue.
    """
    found: dict[str, str] = {}
    for tag in reversed(list(wider(language))):
        path = compiled(folder, tag)
        if path.is_file():
            catalogue = _opened(path, path.stat().st_mtime_ns)
            found |= {code: text for code in codes if (text := catalogue.gettext(code)) != code}
    return found


@lru_cache(maxsize=256)
def _opened(path: Path, changed: int) -> GNUTranslations:  # noqa: ARG001  it tells one state of the file from the next
    with path.open("rb") as file:
        try:
            return GNUTranslations(file)
        except Exception as error:  # gettext raises whatever unpacking happens to raise
            raise ValueError(f"{path} is no catalogue: compile it again") from error


@lru_cache(maxsize=4096)
def places(text: str) -> frozenset[str]:
    """Return the places for values in words, such as `{name}`, without the braces.

    Raises `ValueError` where a brace is left open, or a place has no name.
    """
    found = [(name, spec, conversion) for _, name, spec, conversion in Formatter().parse(text) if name is not None]
    if any(not name or name[0].isdigit() for name, _, _ in found):
        raise ValueError("a place without a name")
    return frozenset(
        f"{name}{f'!{conversion}' if conversion else ''}{f':{spec}' if spec else ''}"
        for name, spec, conversion in found
    )
