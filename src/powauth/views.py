"""Views: what the template of a page is given, made of a page, its outcome and the words of a language."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from powauth.errors import FieldError
from powauth.forms import (
    Between,
    Choice,
    Email,
    Form,
    FormField,
    Identifier,
    Username,
    asked,
    field_names,
)
from powauth.messages import Words
from powauth.pages import Button, Page, Shown
from powauth.plan import Plan
from powauth.routing import FormPage, Get, Post, form_of
from powauth.templates import (
    AccountView,
    BannerView,
    ButtonsView,
    ButtonView,
    FieldView,
    FormView,
    LinkView,
    NoticeView,
    PageView,
    Templates,
)

ORDER = {"password": 1, "checkbox": 2, "hidden": 3}
"""What stands below the other fields of a form, however it was put together."""
AUTOCOMPLETE = {"email": "email", "username": "username"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A form that was not accepted: what was typed, and what is wrong."""

    page: Page
    typed: Mapping[str, object] = field(default_factory=dict[str, object])
    errors: Mapping[str, Sequence[FieldError]] = field(default_factory=dict[str, Sequence[FieldError]])
    error: str = ""
    """What is wrong with the request as a whole, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """Makes the views of one request's page."""

    plan: Plan
    words: Words
    templates: Templates
    query: Mapping[str, str]
    params: Mapping[str, str]
    notices: tuple[str, ...] = ()
    account: AccountView | None = None
    is_acting: bool = False
    """Whether somebody acts as another."""
    buttons: tuple[Button, ...] = ()

    def page(self, page: Page, shown: Shown, rejected: Rejected | None = None) -> PageView:
        """Return the view of a page."""
        bound = self.plan.pages[page]
        return PageView(
            name=bound.code,
            title=self.words(f"{bound.code}.title", **shown.words),
            intro=self._optional(f"{bound.code}.intro", shown.words),
            forms=tuple(
                replace(
                    self.form(form, shown.values.get(form, {}), rejected, shown.leaves_out), username=shown.username
                )
                for form in self._forms(page)
                if form not in shown.leaves_out
            ),
            buttons=self._rows(),
            links=self._links(page, shown),
            navigation=self._navigation(page) if self.account else (),
            notices=tuple(NoticeView(self.words(code), "success") for code in self.notices),
            error=rejected.error if rejected else "",
            account=self.account,
            banner=self._banner(),
            data=shown.data,
            language=self.words.language,
            application=self.plan.application,
            home=self.plan.paths.home,
            now=self.plan.clock.now(),
            words=self.words,
            url=self.plan.path_by_name,
            asset=self._asset,
        )

    def _links(self, page: Page, shown: Shown) -> tuple[LinkView, ...]:
        links = tuple(LinkView(self.words(code), self._url(to)) for code, to in self.plan.links.get(page, ()))
        if not shown.onward:
            return links
        words = self.words(f"{self.plan.pages[page].code}.onward", **shown.words)
        return (LinkView(words, shown.onward), *links)

    def problem(self, code: str, title: str) -> PageView:
        """Return the view of an error that no page answers."""
        return PageView(
            name=f"problem.{code}",
            title=title,
            notices=(),
            account=self.account,
            banner=self._banner(),
            language=self.words.language,
            application=self.plan.application,
            home=self.plan.paths.home,
            now=self.plan.clock.now(),
            words=self.words,
            url=self.plan.path_by_name,
            asset=self._asset,
        )

    def form(
        self,
        page: Page,
        values: Mapping[str, object],
        rejected: Rejected | None,
        leaves_out: Collection[Page | str] = (),
    ) -> FormView:
        """Return the view of the form that is sent to a page."""
        bound = self.plan.pages[page]
        served = bound.page
        mine = rejected if rejected and rejected.page == page else None
        typed = self._typed(page, values, mine.typed if mine else {})
        errors: Mapping[str, Sequence[FieldError]] = mine.errors if mine else {}
        is_one_of_many = isinstance(served, Post) and not isinstance(served, FormPage)
        is_dangerous = isinstance(served, Post) and served.is_dangerous
        return FormView(
            name=bound.code,
            action=self.plan.path(page, **self.params),
            submit=self.words(f"{bound.code}.submit"),
            title=self._optional(f"{bound.code}.title", {}) if is_one_of_many else "",
            intro=self._optional(f"{bound.code}.intro", {}) if is_one_of_many else "",
            fields=tuple(
                self._field(self._owner(page, known), known, typed, errors)
                for known in self.visible(page)
                if known.name not in leaves_out
            ),
            errors=tuple(self._error(found) for found in errors.get("", ())),
            danger=is_dangerous,
        )

    def _rows(self) -> tuple[ButtonsView, ...]:
        """Return the buttons, those with the same fields in one form."""
        rows: dict[tuple[Page, bool, str], list[Button]] = {}
        for button in self.buttons:
            rows.setdefault((button.to, button.asks, repr(button.values)), []).append(button)
        return tuple(self._row(buttons) for buttons in rows.values())

    def _row(self, buttons: Sequence[Button]) -> ButtonsView:
        page, asks = buttons[0].to, buttons[0].asks
        typed = self._typed(page, buttons[0].values, {})
        fields = [known for known in self.visible(page) if asks or known.kind == "hidden"]
        return ButtonsView(
            name=self.plan.pages[page].code,
            fields=tuple(self._field(self._owner(page, known), known, typed, {}) for known in fields),
            buttons=tuple(
                ButtonView(
                    text=self.words(button.text, **button.words),
                    action=self.plan.path(button.to, **{**self.params, **button.params}),
                    name="-".join(button.params.values()),
                    danger=button.is_dangerous,
                )
                for button in buttons
            ),
        )

    def _typed(self, page: Page, values: Mapping[str, object], sent: Mapping[str, object]) -> Mapping[str, object]:
        """Return what the fields hold: what was sent, else what the handler says, else what the address brought along.

        No address ticks a box: a tick is somebody's own. What is hidden is what the handler says, whatever was sent.
        """
        fields = self.visible(page)
        boxes = {known.name for known in fields if known.kind == "checkbox"}
        hidden = {known.name for known in fields if known.kind == "hidden"}
        brought = {name: value for name, value in self.query.items() if name not in boxes}
        return {**brought, **values, **sent, **{name: value for name, value in values.items() if name in hidden}}

    def _owner(self, page: Page, known: FormField) -> str:
        """Return the extension that has the words of a field: the one that added it, else the page's."""
        added = (form for form in self.plan.fields.get(page, ()) if known.name in field_names(form))
        return next((self.plan.field_owners[form] for form in added), self.plan.pages[page].extension)

    def visible(self, page: Page) -> list[FormField]:
        """Return the fields of a page that a person sees or that carry what a person brought along."""
        forms: tuple[type[Form], ...] = self.plan.fields.get(page, ())
        form = form_of(self.plan.pages[page].page)
        own = asked(form, self.plan.identifiers) if form else ()
        added = tuple(known for form in forms for known in asked(form, self.plan.identifiers))
        shown = [known for known in (*own, *added) if not (known.kind == "hidden" and known.mark(Choice))]
        identifiers = [known for known in shown if _is_searched(known)]
        visible = [known for known in shown if known not in identifiers[1:]]
        return sorted(visible, key=lambda known: ORDER.get(known.kind, 0))

    def _forms(self, page: Page) -> tuple[Page, ...]:
        served = self.plan.pages[page].page
        if isinstance(served, FormPage):
            return (page,)
        return tuple(form for form in served.forms if form in self.plan.pages) if isinstance(served, Get) else ()

    def _field(
        self,
        extension: str,
        known: FormField,
        typed: Mapping[str, object],
        errors: Mapping[str, Sequence[FieldError]],
    ) -> FieldView:
        value = "" if known.is_secret else typed.get(known.name, known.default)
        between, choice = known.mark(Between), known.mark(Choice)
        is_either = _is_searched(known) and len(self.plan.identifiers) > 1
        options = choice.options if choice else ()
        return FieldView(
            name=known.name,
            kind="text" if is_either else known.kind,
            label=self.words("field.identifier") if is_either else self._label(extension, known.name),
            value="" if value is None or isinstance(value, bool) else str(value),
            checked=value in {True, "on", "true", "1"},
            errors=tuple(self._error(found) for found in errors.get(known.name, ())),
            help=self._help(extension, known),
            required=known.required or known.is_secret or _is_searched(known),
            max=known.max,
            least=between.least if between else None,
            greatest=between.greatest if between else None,
            autocomplete=_autocomplete(known),
            options=tuple((option, self._label(extension, f"{known.name}.{option}")) for option in options),
        )

    def _label(self, extension: str, name: str) -> str:
        for code in (f"{extension}.field.{name}", f"field.{name}"):
            if self.words.has(code):
                return self.words(code)
        return name.rsplit(".", 1)[-1].replace("_", " ").capitalize()

    def _help(self, extension: str, known: FormField) -> str:
        if known.is_new_password:
            return self.words("help.new_password", min=self.plan.passwords.min_length)
        return self._optional(f"{extension}.help.{known.name}", {})

    def _optional(self, code: str, values: Mapping[str, object]) -> str:
        return self.words(code, **values) if self.words.has(code) else ""

    def _error(self, found: FieldError) -> str:
        return self.words.error(found.code, **found.values)

    def _navigation(self, current: Page) -> tuple[LinkView, ...]:
        found: list[LinkView] = []
        for original, bound in self.plan.pages.items():
            page = bound.page
            if isinstance(page, (Get, FormPage)) and page.in_navigation:
                title = self.words(f"{bound.code}.title")
                found.append(LinkView(title, self._url(original), current=original == current))
            elif isinstance(page, Post) and page.in_navigation_as_button:
                found.append(LinkView(self.words(f"{bound.code}.submit"), self._url(original), post=True))
        return tuple(found)

    def _banner(self) -> BannerView | None:
        return banner(self.plan, self.words, self.account.label if self.account else None) if self.is_acting else None

    def _url(self, page: Page) -> str:
        target = self.query.get("next")
        path = self.plan.path(page)
        return f"{path}?{urlencode({'next': target})}" if target else path

    def _asset(self, name: str) -> str:
        return f"{self.plan.mount}/assets/{self.templates.asset_version(name)}/{name}"


def _is_searched(known: FormField) -> bool:
    """Say whether a field names an account that is looked for, rather than one to be made."""
    return bool(known.mark(Identifier)) and not (known.mark(Email) or known.mark(Username))


def _autocomplete(known: FormField) -> str:
    if known.kind == "password":
        return "new-password" if known.is_new_password else "current-password"
    if _is_searched(known):
        return "username"
    return known.autocomplete or AUTOCOMPLETE.get(known.kind, "")


def banner(plan: Plan, words: Words, label: str | None) -> BannerView | None:
    """Return what stands on every page while somebody acts as the account with this label, if that is known."""
    if plan.acting_end is None:
        return None
    code = plan.pages[plan.acting_end].code
    text = words(f"{code}.banner_unnamed") if label is None else words(f"{code}.banner", name=label)
    return BannerView(text, plan.path(plan.acting_end), words(f"{code}.submit"))
