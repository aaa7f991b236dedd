"""Edge: the way of a request. Doors first, then the handler in a unit of work, then `sign_in`, then HTML or JSON."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from powauth import cors, csrf
from powauth.answers import Answers, with_next
from powauth.asking import request_of
from powauth.bodies import Body, read_body, read_form_text
from powauth.calls import Call, Handled
from powauth.context import Caller, Context
from powauth.errors import ActionRequired, AuthError, NotSignedIn, OwnerOnly
from powauth.finish import Finish, Following
from powauth.forms import NoForm
from powauth.http import RawRequest, Redirect, Request, Response, accept_prefers_html
from powauth.pages import Outcome, Shown
from powauth.plan import Plan
from powauth.routing import MOST_RECEIVED, CallBack, Router, as_call_back, as_post, requirement, show_of
from powauth.showing import Showing, whole
from powauth.templates import Templates
from powauth.visits import Visit


class Edge:
    """Answers the requests under the mount point of one `Auth`."""

    def __init__(self, plan: Plan, templates: Templates | None) -> None:
        self._plan = plan
        self._answers = Answers(plan, templates)
        self._finish = Finish(plan, self._answers)
        self._showing = Showing(plan, self._answers)
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
            return self._showing.speaking(visit).problem(error, wants)

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
        return self._showing.speaking(visit).problem(whole(error, visit), self._wants(visit))

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
                return await self._showing.refuse(call, error)
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
                return self._showing.page(call, handled)
            return await self._finish.answer(self._following(call, handled), handled.outcome)
        except AuthError as error:
            return await self._showing.refuse(call, error)

    def _following(self, call: Call, handled: Handled) -> Following:
        home = self._showing.home(call.original)
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
            request = request_of(self._plan, call)
            outcome = await self._run(call, request, ctx)
            account = await self._showing.account(call, ctx) if isinstance(outcome, Shown) else None
            buttons = await self._showing.buttons(call.original, ctx) if isinstance(outcome, Shown) else ()
            return Handled(outcome=outcome, extras=request.extras, account=account, buttons=buttons)

        return await call.visit.work(call.caller, handle, writes=call.visit.raw.is_unsafe)

    def _refuse_actor(self, call: Call) -> None:
        """Refuse whoever acts as somebody else what a page does not say that they may send. Raises `OwnerOnly`."""
        session, post = call.caller.session, as_post(call.page)
        if call.visit.raw.is_unsafe and session and session.actor and not (post and post.while_acting):
            raise OwnerOnly

    async def _come_back(self, call: Call, page: CallBack[Any]) -> Handled:
        """Ask the other site once; what follows from its answer is one unit of work, and may be begun again."""
        request = request_of(self._plan, call)
        asked = await call.visit.work(call.caller, lambda ctx: page.ask(request, ctx), writes=False)
        outcome = await call.visit.work(call.caller, lambda ctx: page.finish(request, ctx, asked))
        return Handled(outcome=outcome, extras={}, account=None)

    async def _run(self, call: Call, request: Request[Any], ctx: Context) -> Outcome:
        post = as_post(call.page)
        if call.visit.raw.method == "POST" and post:
            return await post.submit(request, ctx)
        show = show_of(call.page)
        return await show(request, ctx) if show else Shown()
