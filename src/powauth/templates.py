"""Templates: what turns a page or a mail into text. The data that they are given, and nothing else."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


def no_words(code: str, /, **values: object) -> str:  # noqa: ARG001  the shape of Words
    """Return the code, where there are no words."""
    return code


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field of a form on a page."""

    name: str
    kind: str
    """text, multiline, email, username, password, number, checkbox, choice or hidden."""
    label: str
    value: str = ""
    """What was typed before; always empty for passwords."""
    checked: bool = False
    errors: tuple[str, ...] = ()
    help: str = ""
    required: bool = False
    max: int = 0
    least: int | None = None
    greatest: int | None = None
    autocomplete: str = ""
    options: tuple[tuple[str, str], ...] = ()
    """The values of a choice, and their words."""


@dataclass(frozen=True, slots=True)
class FormView:
    """A form on a page: where it goes, what it asks, and the words on its button."""

    name: str
    action: str
    submit: str
    fields: tuple[FieldView, ...] = ()
    errors: tuple[str, ...] = ()
    """What is wrong with the form as a whole."""
    danger: bool = False
    """Whether what it does cannot be undone."""
    title: str = ""
    """Above it, on a page of several forms."""
    intro: str = ""
    """What it is good for, below its title."""
    username: str = ""
    """Whose password it asks for where nobody is signed in, so that a password manager files it under that name."""


@dataclass(frozen=True, slots=True)
class ButtonView:
    """One of several buttons of a form, and where it sends the form."""

    text: str
    action: str
    name: str = ""
    """What tells it from the others: the name of a provider."""
    danger: bool = False


@dataclass(frozen=True, slots=True)
class ButtonsView:
    """Buttons that extensions put on a page: one form, several places to send it to."""

    name: str
    fields: tuple[FieldView, ...] = ()
    buttons: tuple[ButtonView, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkView:
    """A link under a form or in the navigation."""

    text: str
    url: str
    current: bool = False
    post: bool = False
    """Whether it is a button that sends a form."""


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A message shown once after a redirect."""

    text: str
    kind: str = "info"
    """info, success or warning."""


@dataclass(frozen=True, slots=True)
class AccountView:
    """Who is signed in."""

    label: str
    email: str | None = None
    username: str | None = None
    more: Mapping[str, object] = field(default_factory=dict[str, object])
    """What extensions tell of it, such as `roles`."""


@dataclass(frozen=True, slots=True)
class BannerView:
    """What stands on top of every page while somebody acts as another: who that is, and the button that ends it."""

    text: str
    action: str
    """Where the button's form is sent."""
    submit: str
    """The words on the button."""


@dataclass(frozen=True, slots=True)
class PageView:
    """Everything that the template of a page is given."""

    name: str
    """The page's name, `extension.page`; its template is `extension/page.html`."""
    title: str
    intro: str = ""
    forms: tuple[FormView, ...] = ()
    buttons: tuple[ButtonsView, ...] = ()
    """Other ways that extensions offer here."""
    links: tuple[LinkView, ...] = ()
    """Under the forms: where else somebody may want to go."""
    navigation: tuple[LinkView, ...] = ()
    """The pages of a signed-in person."""
    notices: tuple[NoticeView, ...] = ()
    error: str = ""
    account: AccountView | None = None
    banner: BannerView | None = None
    """There while somebody acts as this account, and then on every page."""
    data: Mapping[str, object] = field(default_factory=dict[str, object])
    """What the handler shows besides."""
    language: str = "en"
    application: str = ""
    """The application's name."""
    home: str = "/"
    now: datetime | None = None
    words: Callable[..., str] = no_words
    """`words("sign_in.title", name=…)`."""
    url: Callable[[str], str] = lambda name: name
    """`url("sign_in.new")`: the address of a page."""
    asset: Callable[[str], str] = lambda name: name
    """`asset("powauth.css")`: the address of a file of the theme."""


@dataclass(frozen=True, slots=True)
class MailView:
    """Everything that the templates of a mail are given."""

    kind: str
    """The mail's name, `extension.mail`; its templates are `extension/mails/mail.txt` and `.html`."""
    subject: str
    parts: Mapping[str, str]
    """What it is made of, `url` among it where the mail holds a link."""
    language: str = "en"
    application: str = ""
    words: Callable[..., str] = no_words


class Templates(Protocol):
    """What makes pages and mails. The Jinja adapter is one; without any, every answer is JSON and every mail plain."""

    def with_folders(self, folders: Sequence[tuple[str, str]]) -> "Templates":
        """Return the same that finds, after the application's own, the templates of extensions: (name, folder)."""
        ...

    def page(self, view: PageView) -> str:
        """Return the HTML of a page; a page without a template of its own gets the general one."""
        ...

    def mail(self, view: MailView) -> tuple[str, str]:
        """Return the text and the HTML of a mail."""
        ...

    def asset(self, name: str) -> tuple[bytes, str] | None:
        """Return the bytes and the media type of a file of the theme."""
        ...

    def asset_version(self, name: str) -> str:
        """Return what changes when the file changes, fit for an address."""
        ...
