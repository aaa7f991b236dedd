"""Messages: codes and their English words. An extension brings its own; the application replaces them by code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CORE_MESSAGES: Mapping[str, str] = {
    "error.required": "Please fill this in.",
    "error.wrong_type": "This has the wrong form.",
    "error.not_a_number": "Please enter a whole number.",
    "error.out_of_range": "Please enter a number from {least} to {greatest}.",
    "error.too_long": "This is too long: at most {max} characters.",
    "error.bad_characters": "This holds characters that cannot be stored.",
    "error.not_a_choice": "Please choose one of the options.",
    "error.not_an_email": "Please enter an email address, such as ada@example.com.",
    "error.not_a_username": "A user name has 1 to 64 letters, digits or signs, without spaces and @.",
    "error.taken": "This is taken already.",
    "error.password_too_short": "A password needs at least {min} characters.",
    "error.password_too_long": "A password can have at most {max} bytes.",
    "error.password_has_nul": "This holds characters that cannot be stored.",
    "error.password_unreadable": "This holds characters that cannot be read reliably.",
    "error.password_common": "This password is known to many. Please choose another one.",
    "error.password_context": "This password is too close to your name, your address or this site.",
    "error.password_breached": "This password appeared in a data breach. Please choose another one.",
    "error.unknown_account": "No account has this address, user name or handle.",
    "error.wrong_password": "This is not your current password.",
    "error.not_allowed": "This cannot be set here.",
    "problem.unreadable": "The request could not be read.",
    "problem.invalid_token": "This link is not valid: it may be used up or too old.",
    "problem.invalid_credentials": "These details do not match an account that can sign in.",
    "problem.not_signed_in": "Please sign in first.",
    "problem.action_required": "One more step is needed.",
    "problem.forbidden": "You may not do this.",
    "problem.cross_site": "This request came from another site and was refused.",
    "problem.owner_only": "Only the owner of this account may do this. Stop acting as them first.",
    "problem.not_found": "There is nothing here.",
    "problem.method_not_allowed": "This page does not take that kind of request.",
    "problem.conflict": "Something stands in the way of this.",
    "problem.already_signed_in": "You are signed in already.",
    "problem.too_large": "This is more than can be sent here.",
    "problem.unsupported_media": "Please send a form or JSON.",
    "problem.invalid_form": "Please look at the marked fields.",
    "problem.too_many_attempts": "Too many attempts. Please try again in {minutes} min.",
    "problem.unavailable": "This is not available just now. Please try again in a moment.",
    "field.email": "Email address",
    "field.username": "User name",
    "field.identifier": "Email address or user name",
    "field.password": "Password",
    "field.current_password": "Current password",
    "field.new_password": "New password",
    "help.new_password": "At least {min} characters. A few words that do not belong together are good.",
    "page.continue": "Continue",
    "page.skip": "Skip to content",
    "page.problem": "That did not work",
    "device.named": "{browser} on {system}",
    "device.unknown": "Unknown device",
    "theme.home": "Home",
    "theme.navigation": "Your account",
    "theme.optional": "optional",
    "theme.start": "Go to the start page",
    "theme.or": "or",
    "theme.choose": "Choose…",
    "theme.show": "Show",
    "theme.hide": "Hide",
    "theme.show_password": "Show password",
    "theme.hide_password": "Hide password",
    "theme.this_device": "This device",
    "theme.app": "App",
    "theme.last_seen": "Last seen",
    "theme.signed_in": "Signed in",
    "theme.address": "Address",
    "theme.now": "just now",
    "theme.minutes_ago": "{count} min ago",
    "theme.hours_ago": "{count} h ago",
    "theme.yesterday": "yesterday",
    "theme.days_ago": "{count} days ago",
    "theme.date": "{day} {month} {year}",
    "theme.moment": "{date}, {time}",
    "theme.months": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "theme.mail_link": "If the button does not work, copy this address into your browser:",
}
"""Those of core, and `theme.…`: what the pages' own look says. Its abbreviations spare most plurals."""


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language: `words("sign_in.title", name="Ada")`."""

    by_code: Mapping[str, str] = field(default_factory=lambda: CORE_MESSAGES)
    language: str = "en"

    def __call__(self, code: str, /, **values: Any) -> str:  # noqa: ANN401  whatever str.format shows
        """Return the words of a code with the values in their places; a code without words is shown as it is."""
        words = self.by_code.get(code)
        if words is None:
            return code
        return words.format_map(_Shown(values)) if values or "{" in words else words

    def error(self, code: str, /, **values: Any) -> str:  # noqa: ANN401  whatever str.format shows
        """Return the words of a field's error: one of core's, or an extension's own, as `extension.code`."""
        return self(code if "." in code else f"error.{code}", **values)

    def problem(self, code: str, /, **values: Any) -> str:  # noqa: ANN401  whatever str.format shows
        """Return the words of an outcome: one of core's, or an extension's own, as `extension.code`."""
        return self(code if "." in code else f"problem.{code}", **values)

    def has(self, code: str) -> bool:
        """Say whether a code has words."""
        return code in self.by_code


class _Shown(dict[str, object]):
    """Leaves a place as it is when nothing was given for it, so that a missing value is seen and never an error."""

    def __missing__(self, name: str) -> str:
        return "{" + name + "}"
