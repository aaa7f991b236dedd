"""The theme's own words, and how it asks for words."""

from collections.abc import Callable
from dataclasses import dataclass

WORDS = {
    "home": "Home",
    "navigation": "Your account",
    "optional": "optional",
    "start": "Go to the start page",
    "or": "or",
    "choose": "Choose…",
    "show": "Show",
    "hide": "Hide",
    "show_password": "Show password",
    "hide_password": "Hide password",
    "unknown_device": "Unknown device",
    "this_device": "This device",
    "app": "App",
    "last_seen": "Last seen",
    "signed_in": "Signed in",
    "address": "Address",
    "now": "just now",
    "minutes_ago": "{count} min ago",
    "hours_ago": "{count} h ago",
    "yesterday": "yesterday",
    "days_ago": "{count} days ago",
    "date": "{day} {month} {year}",
    "moment": "{date}, {time}",
    "months": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "mail_link": "If the button does not work, copy this address into your browser:",
}
"""English, by code; elsewhere the code is `theme.<code>`. The abbreviations spare most plurals."""


@dataclass(frozen=True, slots=True)
class ThemeWords:
    """The words of a language; where it has none for the theme, the theme's own English."""

    words: Callable[..., str]

    def __call__(self, code: str, /, **values: object) -> str:
        found = self.words(code, **values)
        if found == code and code.startswith("theme."):
            return WORDS[code.removeprefix("theme.")].format(**values)
        return found
