"""Showing a page: as HTML for people, as data for programs, and once more with what was wrong with its form."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from powauth import csrf
from powauth.answers import Answers, error_headers, with_next
from powauth.calls import Call, Handled
from powauth.context import Context
from powauth.errors import (
    ActionRequired,
    AlreadySignedIn,
    AuthError,
    Conflict,
    InvalidCredentials,
    InvalidForm,
    NotSignedIn,
    TooManyAttempts,
    Unavailable,
)
from powauth.forms import FormField, NoForm, asked
from powauth.http import Redirect, Request, Response
from powauth.pages import Button, Page, Shown
from powauth.plan import Plan
from powauth.routing import FormPage, Get, form_of, methods, requirement, show_of
from powauth.templates import AccountView
from powauth.units import begin
from powauth.visits import Visit

_STAY_ON_FORM = (InvalidForm, InvalidCredentials, TooManyAttempts, Unavailable, Conflict)


class Showing:
    """Shows the pages of one `Auth`, and what refuses people there."""

    def __init__(self, plan: Plan, answers: Answers) -> None:
        self._plan = plan
        self._answers = answers

    def speaking(self, visit: Visit) -> Answers:
        """Return what answers in the language of whoever asks."""
        return self._answers.speaking(visit.language, is_acting=visit.is_acting)

    async def account(self, call: Call, ctx: Context) -> AccountView | None:
        """Return who is signed in, for the head of a page."""
        # Where it is over, its cookie is left alone: another tab may just have been handed a newer one.
        account = await ctx.account_if_any() if call.is_html else None
        if account is None:
            return None
        return AccountView(account.label, account.email, account.username, await ctx.described(account))

    async def buttons(self, page: Page, ctx: Context) -> tuple[Button, ...]:
        """Return what extensions offer on a page."""
        return tuple([button for offer in self._plan.buttons.get(page, ()) for button in await offer(ctx)])

    def page(self, call: Call, handled: Handled) -> Response:
        """Show what a handler returned."""
        answers, shown = self.speaking(call.visit), handled.outcome
        if not isinstance(shown, Shown):
            raise TypeError(shown)
        if not call.is_html:
            return answers.shown(self._fields(call.original), shown, self._button_data(call, handled.buttons))
        notices, buttons = call.visit.take_notices(), handled.buttons
        query, account = self._query(call), handled.account
        views = answers.views(query=query, params=call.params, notices=notices, account=account, buttons=buttons)
        headers = {"refresh": f"0;url={shown.onward}"} if shown.onward else {}
        return answers.html(views.page(call.original, shown), shown.status, headers)

    def _button_data(self, call: Call, buttons: Sequence[Button]) -> list[dict[str, object]] | None:
        """Return the buttons as data; `None` for a page on which nobody has any to offer."""
        if not self._plan.buttons.get(call.original):
            return None
        answers, base_url = self.speaking(call.visit), call.visit.tenant.base_url
        return [answers.button(button, call.params, base_url) for button in buttons]

    def _query(self, call: Call) -> Mapping[str, str]:
        """Return what the address brought along, without a `next` that leads away."""
        return {name: value for name, value in call.query.items() if name != "next" or self._may_follow(call, value)}

    def _may_follow(self, call: Call, target: str) -> bool:
        return target in self._plan.app_links or call.visit.target(target) is not None

    def _fields(self, page: Page) -> tuple[FormField, ...]:
        served = self._plan.pages[page].page
        form = form_of(served) if "GET" in methods(served) else None
        forms = (form, *self._plan.fields.get(page, ())) if form else ()
        return tuple(known for form in forms for known in asked(form, self._plan.identifiers))

    async def refuse(self, call: Call, error: AuthError) -> Response:
        """Answer an error on a page: where it leads people, the form again, or plainly."""
        answers = self.speaking(call.visit)
        if not call.is_html:
            return answers.problem(whole(error, call.visit), "json")
        if isinstance(error, AlreadySignedIn):
            return Redirect(call.visit.target(call.query.get("next")) or self._plan.paths.get("after_sign_in"))
        if isinstance(error, ActionRequired):
            return Redirect(with_next(error.url, self._way_back(call)))
        if isinstance(error, NotSignedIn) and call.visit.raw.method == "GET" and self._plan.entrance_path:
            return Redirect(with_next(self._plan.entrance_path, self._way_back(call)))
        if isinstance(error, _STAY_ON_FORM) and call.visit.raw.method == "POST":
            return await self._form_again(call, error)
        return answers.problem(error, "html")

    async def _form_again(self, call: Call, error: AuthError) -> Response:
        """Return the page that the form stands on, with what was typed and what is wrong with it."""
        answers, home = self.speaking(call.visit), self.home(call.original)
        if home is None:
            return answers.problem(error, "html")
        try:
            shown, account, buttons = await self._shown_again(call, home)
        except AuthError:  # it asks for more than the form did, or cannot be shown just now
            return answers.problem(error, "html")
        rejected = answers.rejected(call.original, error, call.body.data)
        views = answers.views(query=self._query(call), params=call.params, account=account, buttons=buttons)
        return answers.html(views.page(home, shown, rejected), error.status, error_headers(error))

    async def _shown_again(self, call: Call, home: Page) -> tuple[Shown, AccountView | None, tuple[Button, ...]]:
        show = show_of(self._plan.pages[home].page)
        again = replace(call, caller=replace(call.caller, session=await call.visit.session()))
        async with begin(self._plan, call.visit.tenant, again.caller, writes=False) as ctx:
            await requirement(self._plan.pages[home].page).check(ctx)
            account = await self.account(call, ctx)
            request = Request(
                raw=call.visit.raw,
                form=NoForm(),
                params=call.params,
                client=call.visit.client,
                wants="html",
                language=call.visit.language,
            )
            outcome = await show(request, ctx) if show else Shown()
            buttons = await self.buttons(home, ctx)
        return outcome if isinstance(outcome, Shown) else Shown(), account, buttons

    def home(self, page: Page) -> Page | None:
        """Return the page that a form stands on."""
        if isinstance(self._plan.pages[page].page, FormPage):
            return page
        for original, bound in self._plan.pages.items():
            if isinstance(bound.page, Get) and page in bound.page.forms:
                return original
        return None

    def _way_back(self, call: Call) -> str:
        if call.visit.raw.method == "GET":
            query = call.visit.raw.query
            return self._plan.mount + call.visit.raw.path + (f"?{query}" if query else "")
        home = self.home(call.original)
        return self._plan.path(home, **call.params) if home else self._plan.paths.get("after_sign_in")


def whole(error: AuthError, visit: Visit) -> AuthError:
    """Return the error with the whole address of what is required: a front end may stand elsewhere."""
    if isinstance(error, ActionRequired) and error.url.startswith("/"):
        return ActionRequired(error.name, csrf.origin_of(visit.tenant.base_url) + error.url)
    return error
