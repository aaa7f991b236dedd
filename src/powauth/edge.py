"""Edge: the way of a request. Doors first, then the handler in a unit of work, then `sign_in`, then HTML or JSON."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from powauth import cors, csrf
from powauth.answers import Answers, error_headers, with_next
from powauth.bodies import Body, read_body, read_form_text
from powauth.context import Caller, Context
from powauth.errors import (
    ActionRequired,
    AlreadySignedIn,
    AuthError,
    Conflict,
    FieldError,
    InvalidCredentials,
    InvalidForm,
    NotSignedIn,
    OwnerOnly,
    TooManyAttempts,
    Unavailable,
)
from powauth.finish import Finish, Following
from powauth.forms import Form, FormField, Identifier, NoForm, asked
from powauth.http import RawRequest, Redirect, Request, Response, accept_prefers_html, read_query
from powauth.operations import password_problems
from powauth.pages import Button, Outcome, Page, Shown
from powauth.plan import Plan
from powauth.reading import read
from powauth.routing import (
    MOST_RECEIVED,
    CallBack,
    FormPage,
    Get,
    Router,
    as_call_back,
    as_post,
    form_of,
    methods,
    requirement,
    show_of,
)
from powauth.templates import AccountView, Templates
from powauth.units import begin
from powauth.visits import Visit

_STAY_ON_FORM = (InvalidForm, InvalidCredentials, TooManyAttempts, Unavailable, Conflict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request on its way: what was matched and read so far."""

    visit: Visit
    page: Page
    original: Page
    """The value that the extension names the page by."""
    params: Mapping[str, str]
    wants: str
    caller: Caller
    body: Body = field(default_factory=lambda: Body({}, is_json=False, sent=frozenset()))

    @property
    def query(self) -> Mapping[str, str]:
        """The query string; of two values with one name the first."""
        return read_query(self.visit.raw)

    @property
    def is_html(self) -> bool:
        """Whether a person reads the answer."""
        return self.wants == "html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """What a handler did; it is committed."""

    outcome: Outcome
    extras: Mapping[type[Form], Form]
    account: AccountView | None
    buttons: tuple[Button, ...] = ()


class Edge:
    """Answers the requests under the mount point of one `Auth`."""

    def __init__(self, plan: Plan, templates: Templates | None) -> None:
        self._plan = plan
        self._answers = Answers(plan, templates)
        self._finish = Finish(plan, self._answers)
        self._router = Router([bound.page for bound in plan.pages.values()])
        self._originals = {bound.page: original for original, bound in plan.pages.items()}

    async def answer(self, visit: Visit) -> Response:
        """Answer a request. Whatever a client sends, what is raised for it is answered here.

        Who called it lets the visit announce its traces once the answer is sent: no stopwatch may tell what they are.
        """
        telemetry = self._plan.telemetry
        if telemetry is None:
            return await self._readable(visit)
        with telemetry.watch("powauth.request", {"http.request.method": visit.raw.known_method}) as watch:
            response = await self._readable(visit)
            watch.note("powauth.page", self._page(visit.raw))
            watch.note("http.response.status_code", response.status)
            return response

    async def _readable(self, visit: Visit) -> Response:
        return cors.readable(visit.raw, self._plan.origins, await self._answer(visit))

    def _page(self, raw: RawRequest) -> str:
        """Return the name of the page that was asked for; its path may hold a secret."""
        try:
            page, _ = self._router.find(raw.path, raw.method)
        except AuthError:
            return ""
        return self._plan.pages[self._originals[page]].code

    async def _answer(self, visit: Visit) -> Response:
        wants = self._wants(visit)
        try:
            asked_before = cors.preflight(visit.raw, self._plan.origins)
            return asked_before or await self._through_doors(visit, wants)
        except AuthError as error:
            if wants == "html" and self._plan.acting_end is not None:
                await self._look(visit)
            return self._speaking(visit).problem(error, wants)

    async def _look(self, visit: Visit) -> None:
        """Look who is there before a page that asked nobody, such as a wrong address's: it has the banner, too."""
        with suppress(AuthError):
            await visit.session()

    def refuse(self, visit: Visit, error: AuthError, path: str) -> Response:
        """Answer an error on a page of the application's own, whose whole path this is."""
        raw = visit.raw
        if accept_prefers_html(raw.header_values("accept")):  # where these lead there are pages, if none here
            if isinstance(error, ActionRequired):
                return Redirect(with_next(error.url, path))
            if isinstance(error, NotSignedIn) and raw.method == "GET" and self._plan.entrance_path:
                return Redirect(with_next(self._plan.entrance_path, path))
        return self._speaking(visit).problem(_whole(error, visit), self._wants(visit))

    def _speaking(self, visit: Visit) -> Answers:
        return self._answers.speaking(visit.language, is_acting=visit.is_acting)

    def _wants(self, visit: Visit) -> str:
        prefers = accept_prefers_html(visit.raw.header_values("accept"))
        return "html" if self._answers.can_html and prefers else "json"

    async def _through_doors(self, visit: Visit, wants: str) -> Response:
        raw, tenant = visit.raw, visit.tenant
        if raw.path.startswith("/assets/"):
            return self._answers.asset(raw)
        page, params = self._router.find(raw.path, raw.method)
        call_back = as_call_back(page)
        if call_back is not None and raw.method == "POST":
            return await self._receive(visit, call_back, params)
        if raw.is_unsafe:
            base_origin = csrf.origin_of(tenant.base_url)
            csrf.check(raw, base_origin=base_origin, origins=self._plan.origins, has_bearer=visit.bearer is not None)
        call = Call(
            visit=visit,
            page=page,
            original=self._originals[page],
            params=params,
            wants=wants,
            caller=await visit.caller(),
        )
        if raw.method == "POST":
            try:
                await self._claim(call)
            except AuthError as error:
                return await self._refuse(call, error)
            call = await self._with_body(call, await read_body(raw))
        return await self._serve(call)

    async def _receive(self, visit: Visit, page: CallBack[Any], params: Mapping[str, str]) -> Response:
        """Put down what another site sends a browser back with, and ask for that browser by GET.

        No cookie comes along, so none is asked for, and none is written: whose it is shows when the browser returns.
        """
        caller = Caller(client=visit.client, device=visit.device, language=visit.language)
        text = await read_form_text(visit.raw, most=MOST_RECEIVED)
        request = Request(raw=visit.raw, form=NoForm(), params=params, client=visit.client, language=visit.language)
        return Redirect(await visit.work(caller, lambda ctx: page.receive(request, ctx, text), writes=False))

    async def _claim(self, call: Call) -> None:
        """Count one use of the page by this address, before anything is read or worked out."""
        post = as_post(call.page)
        limit = post.limit if post else None
        if limit is None:
            return
        name = f"page:{self._plan.pages[call.original].code}"
        await call.visit.work(call.caller, lambda ctx: ctx.limit(name, limit), writes=False)

    async def _with_body(self, call: Call, body: Body) -> Call:
        wants = "json" if body.is_json else call.wants
        caller, secret = call.caller, body.data.get("pending")
        if body.is_json and isinstance(secret, str):
            caller = replace(caller, pending=await self._plan.parking(call.visit.tenant.id).peek(secret))
        return replace(call, body=body, wants=wants, caller=caller)

    async def _serve(self, call: Call) -> Response:
        try:
            handled = await self._handle(call)
            if isinstance(handled.outcome, Shown):
                return self._show(call, handled)
            return await self._finish.answer(self._following(call, handled), handled.outcome)
        except AuthError as error:
            return await self._refuse(call, error)

    def _following(self, call: Call, handled: Handled) -> Following:
        home = self._home(call.original)
        return Following(
            visit=call.visit,
            caller=call.caller,
            extension=self._plan.pages[call.original].extension,
            home=self._plan.path(home, **call.params) if home else None,
            wants=call.wants,
            extras=handled.extras,
            grants_bearer=self._grants_bearer(call),
        )

    def _grants_bearer(self, call: Call) -> bool:
        """Say whether a token may be asked for: a JSON body that carries the proof itself, on a page that says so."""
        post = as_post(call.page)
        return post is not None and post.grants_bearer and call.body.is_json

    async def _handle(self, call: Call) -> Handled:
        """Run the handler in one unit of work and commit it; begin again when the engine undid it."""
        call_back = as_call_back(call.page)
        if call_back is not None:
            return await self._come_back(call, call_back)

        async def handle(ctx: Context) -> Handled:
            self._refuse_actor(call)
            await requirement(call.page).check(ctx)
            request = self._request(call)
            outcome = await self._run(call, request, ctx)
            account = await self._account(call, ctx) if isinstance(outcome, Shown) else None
            buttons = await self._buttons(call.original, ctx) if isinstance(outcome, Shown) else ()
            return Handled(outcome=outcome, extras=request.extras, account=account, buttons=buttons)

        return await call.visit.work(call.caller, handle, writes=call.visit.raw.is_unsafe)

    def _refuse_actor(self, call: Call) -> None:
        """Refuse whoever acts as somebody else what a page does not say that they may send. Raises `OwnerOnly`."""
        session, post = call.caller.session, as_post(call.page)
        if call.visit.raw.is_unsafe and session and session.actor and not (post and post.while_acting):
            raise OwnerOnly

    async def _come_back(self, call: Call, page: CallBack[Any]) -> Handled:
        """Ask the other site once; what follows from its answer is one unit of work, and may be begun again."""
        request = self._request(call)
        asked = await call.visit.work(call.caller, lambda ctx: page.ask(request, ctx), writes=False)
        outcome = await call.visit.work(call.caller, lambda ctx: page.finish(request, ctx, asked))
        return Handled(outcome=outcome, extras={}, account=None)

    async def _buttons(self, page: Page, ctx: Context) -> tuple[Button, ...]:
        return tuple([button for offer in self._plan.buttons.get(page, ()) for button in await offer(ctx)])

    async def _run(self, call: Call, request: Request[Any], ctx: Context) -> Outcome:
        post = as_post(call.page)
        if call.visit.raw.method == "POST" and post:
            return await post.submit(request, ctx)
        show = show_of(call.page)
        return await show(request, ctx) if show else Shown()

    async def _account(self, call: Call, ctx: Context) -> AccountView | None:
        """Return who is signed in, for the head of a page."""
        # Where it is over, its cookie is left alone: another tab may just have been handed a newer one.
        account = await ctx.account_if_any() if call.is_html else None
        if account is None:
            return None
        return AccountView(account.label, account.email, account.username, await ctx.described(account))

    def _request(self, call: Call) -> Request[Any]:
        form: Form = NoForm()
        extras: dict[type[Form], Form] = {}
        asked_for = form_of(call.page)
        if call.visit.raw.method == "POST" and asked_for:
            form, extras = self._read(call, asked_for)
        return Request(
            raw=call.visit.raw,
            form=form,
            params=call.params,
            extras=extras,
            client=call.visit.client,
            wants="html" if call.is_html else "json",
            language=call.visit.language,
            is_json_body=call.body.is_json,
            sent=call.body.sent,
        )

    def _read(self, call: Call, form: type[Form]) -> tuple[Form, dict[type[Form], Form]]:
        """Read the page's form and the fields that extensions added; all bad fields of all of them at once."""
        errors: dict[str, list[FieldError]] = {}
        found: dict[type[Form], Form] = {}
        for kind in (form, *self._plan.fields.get(call.original, ())):
            fields = asked(kind, self._plan.identifiers)
            errors |= self._weak_passwords(fields, call.body.data)
            try:
                found[kind] = read(kind, call.body.data, fields)
            except InvalidForm as error:
                errors |= {name: list(all_) for name, all_ in error.errors.items()}
        if errors:
            raise InvalidForm(errors)
        return found.pop(form), found

    def _weak_passwords(self, fields: Sequence[FormField], data: Mapping[str, object]) -> dict[str, list[FieldError]]:
        """Return what is wrong with passwords to be set, so that it is told together with every other bad field."""
        words = tuple(str(data.get(known.name) or "") for known in fields if known.mark(Identifier))
        found: dict[str, list[FieldError]] = {}
        for known in fields:
            sent = data.get(known.name)
            if known.is_new_password and isinstance(sent, str) and sent:
                problems = password_problems(self._plan, sent, words)
                found |= {known.name: problems} if problems else {}
        return found

    def _show(self, call: Call, handled: Handled) -> Response:
        answers, shown = self._speaking(call.visit), handled.outcome
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
        answers, base_url = self._speaking(call.visit), call.visit.tenant.base_url
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

    async def _refuse(self, call: Call, error: AuthError) -> Response:
        """Answer an error on a page: where it leads people, the form again, or plainly."""
        answers = self._speaking(call.visit)
        if not call.is_html:
            return answers.problem(_whole(error, call.visit), "json")
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
        answers, home = self._speaking(call.visit), self._home(call.original)
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
            account = await self._account(call, ctx)
            request = Request(
                raw=call.visit.raw,
                form=NoForm(),
                params=call.params,
                client=call.visit.client,
                wants="html",
                language=call.visit.language,
            )
            outcome = await show(request, ctx) if show else Shown()
            buttons = await self._buttons(home, ctx)
        return outcome if isinstance(outcome, Shown) else Shown(), account, buttons

    def _home(self, page: Page) -> Page | None:
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
        home = self._home(call.original)
        return self._plan.path(home, **call.params) if home else self._plan.paths.get("after_sign_in")


def _whole(error: AuthError, visit: Visit) -> AuthError:
    """Return the error with the whole address of what is required: a front end may stand elsewhere."""
    if isinstance(error, ActionRequired) and error.url.startswith("/"):
        return ActionRequired(error.name, csrf.origin_of(visit.tenant.base_url) + error.url)
    return error
