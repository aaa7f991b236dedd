"""Languages: which an application offers, the words of each, and which of them a request gets."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from powauth import catalogues
from powauth.catalogues import TAG, places, wider
from powauth.messages import CORE_MESSAGES, Words

ENGLISH = "en"

RANGE = re.compile(r"\*|[a-z]{1,8}(-[a-z0-9]{1,8})*")  # RFC 4647 §2.1, in lower case
QUALITY = re.compile(r"q=(0(\.[0-9]{0,3})?|1(\.0{0,3})?)")  # RFC 9110 §12.4.2
LONGEST_HEADER = 1000  # characters; browsers send some fifty
MOST_RANGES = 50


@dataclass(frozen=True, kw_only=True)
class Languages:
    """The words of one `Auth`, by language and code."""

    english: Mapping[str, str] = field(default_factory=lambda: CORE_MESSAGES, repr=False)
    """Those of core and of the extensions."""
    own: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """The application's own, in its default language."""
    folders: tuple[Path, ...] = (catalogues.OURS,)
    """Of catalogues; the later one wins."""
    offered: tuple[str, ...] = (ENGLISH,)
    default: str = ENGLISH

    def words(self, language: str = "") -> Words:
        """Return the words of a language; of the default one where it is not offered."""
        return self._words.get(language) or self._words[self.default]

    def choose(self, headers: Sequence[str], default: str | None = None) -> str:
        """Return the language that Accept-Language asks for, else the tenant's, else the application's."""
        otherwise = default if default in self.offered else self.default
        return lookup(headers, self.offered, otherwise) if headers else otherwise

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """Every code that has words in English, or in the application's own language."""
        return tuple(dict.fromkeys((*self.english, *self.own)))

    def said(self, language: str) -> Mapping[str, str]:
        """Return the words that are there in a language itself, offered or not. Raises `ValueError`."""
        found = dict(self.english) if language == ENGLISH else {}
        for folder in self.folders:
            found |= catalogues.read(folder, language, self.codes)
        return {**found, **(self.own if language == self.default else {})}

    def gaps(self, language: str) -> tuple[str, ...]:
        """Return the codes that have no words in a language: they are shown in English."""
        said = self.said(language)
        return tuple(code for code in self.codes if code not in said)

    @cached_property
    def _words(self) -> Mapping[str, Words]:
        last_resort = {**self.own, **self.said(ENGLISH)}
        return {tag: Words({**last_resort, **self.said(tag)}, tag) for tag in self.offered}

    def problems(self) -> Iterator[str]:
        """Tell what is wrong with them, a sentence each."""
        wrong = [tag for tag in self.offered if not TAG.fullmatch(tag)]
        yield from (f"languages: {tag!r} is no language: write it as de, or as pt-BR" for tag in wrong)
        if self.default not in self.offered:
            yield f"language {self.default!r} is not offered: add it to languages, or choose one of them"
        unreadable = [*_unreadable(self.english), *_unreadable(self.own)]
        yield from unreadable
        for folder in self.folders:
            if not folder.is_dir():
                yield f"locale: {folder} is no folder: make it, or leave it out"
        for tag in self.offered:
            if tag not in wrong:
                yield from self._problems_of(tag, is_english_readable=not unreadable)

    def _problems_of(self, language: str, *, is_english_readable: bool) -> Iterator[str]:
        for folder in self.folders:
            path = catalogues.compiled(folder, language)
            if catalogues.source(folder, language).is_file() and not path.is_file():
                yield f"languages: {path} is missing: compile the powauth.po beside it"
        try:
            said = self.said(language)
        except ValueError as error:
            yield f"languages: {error}"
            return
        if not any(code in said for code in CORE_MESSAGES):
            yield (
                f"languages: nothing is said in {language!r}: make a catalogue with "
                f"powauth messages --extract FOLDER --language {language}, and pass locale=FOLDER"
            )
        # What ships is held to its English by a test; an application may have replaced that English in a subclass.
        known = (self.english, self.own, catalogues.read(catalogues.OURS, language, self.codes))
        translated = {code: text for code, text in said.items() if all(text != words.get(code) for words in known)}
        unreadable = list(_unreadable(translated, f" in {language!r}"))
        yield from unreadable
        if is_english_readable and not unreadable:
            yield from self._strangers(language, translated)

    def _strangers(self, language: str, translated: Mapping[str, str]) -> Iterator[str]:
        """Tell of places in a translation that the English words do not have: nobody would fill them."""
        for code, text in translated.items():
            known = places(self.english.get(code, "")) | places(self.own.get(code, ""))
            for name in sorted(places(text) - known):
                yield f"the words of {code} in {language!r} have a place {{{name}}} that the English words do not have"


def _unreadable(said: Mapping[str, str], where: str = "") -> Iterator[str]:
    for code, text in said.items():
        try:
            places(text)
        except ValueError as error:
            yield f"the words of {code}{where} cannot be read: {error} in {text!r}"


def lookup(headers: Sequence[str], offered: Collection[str], default: str) -> str:
    """Return which of the offered languages a browser likes best (RFC 9110 §12.5.4, RFC 4647 §3.4), or the default.

    >>> lookup(["fr;q=0.4, de-AT"], ("en", "de", "fr"), "en")
    'de'
    """
    return _lookup(",".join(headers)[:LONGEST_HEADER], tuple(offered), default)


@lru_cache(maxsize=512)  # browsers send few different ones; at worst this is half a megabyte of somebody's nonsense
def _lookup(header: str, offered: tuple[str, ...], default: str) -> str:
    ranges = dict(_ranges(header))
    refused = {asked for asked, quality in ranges.items() if not quality}
    by_tag = {tag.lower(): tag for tag in offered}
    for asked in sorted(ranges.keys() - refused, key=lambda asked: (-ranges[asked], list(ranges).index(asked))):
        if asked == "*":
            acceptable = (tag for tag in (default, *offered) if refused.isdisjoint(wider(tag.lower())))
        else:
            acceptable = (by_tag[tag] for tag in wider(asked) if tag in by_tag and tag not in refused)
        found = next(acceptable, None)
        if found:
            return found
    return default


def _ranges(header: str) -> Iterator[tuple[str, float]]:
    """Give what is asked for, and how much; what cannot be read is not there."""
    for part in header.lower().split(",")[:MOST_RANGES]:
        asked, *parameters = (piece.strip(" \t") for piece in part.split(";"))
        weights = [QUALITY.fullmatch(parameter) for parameter in parameters]
        if RANGE.fullmatch(asked) and len(weights) <= 1 and all(weights):
            yield asked, float(weights[0][1]) if weights and weights[0] else 1.0
