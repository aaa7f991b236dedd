"""The theme's own words, and how it asks for words."""

from collections.abc import Callable
from dataclasses import dataclass

from powauth.messages import CORE_MESSAGES

_PREFIX = "theme."

WORDS = {code.removeprefix(_PREFIX): text for code, text in CORE_MESSAGES.items() if code.startswith(_PREFIX)}
"""English, by code; elsewhere the code is `theme.<code>`."""


@dataclass(frozen=True, slots=True)
class ThemeWords:
    """The words of a language; where it has none for the theme, the theme's own English."""

    words: Callable[..., str]

    def __call__(self, code: str, /, **values: object) -> str:
        found = self.words(code, **values)
        if found == code and code.startswith(_PREFIX):
            return WORDS[code.removeprefix(_PREFIX)].format(**values)
        return found
