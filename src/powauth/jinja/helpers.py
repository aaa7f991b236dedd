"""What the theme's templates ask for: focus, ids, and times in words. An application's templates may use them too."""

from contextlib import suppress
from datetime import datetime, timedelta

from markupsafe import Markup

from powauth.clients import spoken_device
from powauth.jinja.words import ThemeWords
from powauth.templates import AccountView, BannerView, FieldView, FormView, LinkView, PageView

_RADIOS = 4  # more options than these are a list to open


# ---- forms ----


def is_radio(field: FieldView) -> bool:
    """Return whether a choice is shown as buttons, of which one must be pressed."""
    return field.kind == "choice" and field.required and len(field.options) <= _RADIOS


def bad_fields(view: PageView) -> list[tuple[FormView, FieldView]]:
    """Return what a person has to look at, in the order of the page."""
    return [(form, field) for form in view.forms for field in form.fields if field.errors and field.kind != "hidden"]


def starts(view: PageView) -> bool:
    """Return whether typing may begin at once: one form asks, the first, and nothing to be read stands above it."""
    asking = [form for form in view.forms if form.fields]
    return len(asking) == 1 and asking[0] is view.forms[0] and not asking[0].title and not view.notices


def focus_of(view: PageView, form: FormView) -> FieldView | None:
    """Return the field of this form that has the focus: the page's first bad one, or the first that is empty."""
    bad = bad_fields(view)
    if bad:
        return bad[0][1] if bad[0][0] is form else None
    if not starts(view) or form is not view.forms[0]:
        return None
    typed = (field for field in form.fields if field.kind not in {"hidden", "checkbox", "choice"})
    return next((field for field in typed if not field.value), None)


def id_of(form: FormView, field: FieldView) -> str:
    """Return the id of a field on its page. A form is called `extension.page`: dots would bother style sheets."""
    return f"{form.name}-{field.name}".replace(".", "-")


def described_by(id: str, field: FieldView, problem: object) -> str:
    """Return the ids of what is said about a field: the page's problem, its own errors, its help."""
    said = (("problem", problem), (f"{id}-error", field.errors), (f"{id}-help", field.help))
    return " ".join(name for name, is_there in said if is_there)


def owner_of(view: PageView, form: FormView) -> str:
    """Return whose password a form asks for without asking for a name: for password managers, else empty."""
    kinds = {field.kind for field in form.fields}
    if "password" not in kinds or kinds & {"email", "username"}:
        return ""
    account = view.account
    return form.username or (account.email or account.username or account.label if account else "")


_SIGN_IN = ("sign_in.new", "sign_in.new.title")
_ACCOUNT = ("manage_account.account", "manage_account.account.title")
_WAYS_ON = {
    "invalid_token": (
        _SIGN_IN,
        ("reset_password.request", "reset_password.forgot"),
        ("email_confirmation.waiting", "email_confirmation.again"),
    ),
    "providers.bad_flow": (_SIGN_IN,),
    "providers.declined": (_SIGN_IN,),
    "providers.no_answer": (_SIGN_IN,),
    "providers.not_registered": (_SIGN_IN,),
    "providers.other_account": (_ACCOUNT,),
    "providers.last_way_in": (_ACCOUNT,),
}


def ways_on(view: PageView) -> list[LinkView]:
    """Return where somebody goes on from a problem, of the pages that are there: whose mailed link is over, or who came
    back from a provider with nothing.
    """
    found: list[LinkView] = []
    for page, text in _WAYS_ON.get(view.name.removeprefix("problem."), ()):
        with suppress(LookupError):  # nobody serves it
            found.append(LinkView(view.words(text), view.url(page)))
    return found


# ---- times and devices ----


def ago(then: datetime, now: datetime | None, words: ThemeWords) -> str:
    """Return how long ago that was, in words; without `now`, or past a month, its date."""
    if now is None or now - then > timedelta(days=30):
        return moment(then, words)
    minutes = int((now - then).total_seconds()) // 60
    if minutes < 1:  # and what a clock that runs ahead puts into the future
        return words("theme.now")
    if minutes < 60:
        return words("theme.minutes_ago", count=minutes)
    if minutes < 24 * 60:
        return words("theme.hours_ago", count=minutes // 60)
    days = minutes // (24 * 60)
    return words("theme.yesterday") if days == 1 else words("theme.days_ago", count=days)


def moment(then: datetime, words: ThemeWords) -> str:
    """Return a date and time in words."""
    time = f"{then:%H:%M} {then.tzname() or ''}".strip()
    return words("theme.moment", date=date(then, words), time=time)


def device(name: str, words: ThemeWords) -> str:
    """Return a device as people read it: `Firefox on Linux`, `Firefox unter Linux`."""
    return spoken_device(name, words)


def date(then: datetime, words: ThemeWords) -> str:
    """Return a date in words."""
    months = dict(enumerate(words("theme.months").split(), start=1))
    return words("theme.date", day=then.day, month=months.get(then.month, then.month), year=then.year)


# ---- for an application's own pages ----


def has_role(account: AccountView | None, *roles: str) -> bool:
    """Say whether somebody has one of these roles: for what a page shows, never for what it lets happen.

    >>> has_role(AccountView("ada", more={"roles": ("member", "editor")}), "editor", "admin")
    True
    """
    held = account.more.get("roles", ()) if account else ()
    return isinstance(held, (tuple, list)) and any(role in held for role in roles)


def acting_banner(banner: BannerView | None) -> Markup:
    """Return what has to stand on every page while somebody acts as another, and nothing otherwise.

    >>> print(acting_banner(BannerView("You act as Ada.", "/auth/impersonate/end", "Stop")))
    <div class="acting-banner" role="status"><p>You act as Ada.</p><form method="post"
    action="/auth/impersonate/end"><button type="submit">Stop</button></form></div>
    """
    if banner is None:
        return Markup()
    return Markup(
        '<div class="acting-banner" role="status"><p>{}</p>'
        '<form method="post" action="{}"><button type="submit">{}</button></form></div>'
    ).format(banner.text, banner.action, banner.submit)


def sign_out_button(url: str, text: str = "Sign out") -> Markup:
    """Return a button that signs out: a form, since signing out changes something and a link must not.

    >>> print(sign_out_button("/auth/sign-out"))
    <form method="post" action="/auth/sign-out"><button type="submit">Sign out</button></form>
    """
    return Markup('<form method="post" action="{}"><button type="submit">{}</button></form>').format(url, text)
