"""Finish: what follows a handler's commit. `sign_in` in a unit of its own, cookies, then a redirect or data."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from powauth import programs
from powauth.accounts import Account
from powauth.answers import Answers, account_data, session_data
from powauth.context import Caller, Context
from powauth.errors import ActionRequired, Forbidden, InvalidToken, NotSignedIn
from powauth.forms import Form, asked, form_name
from powauth.http import Empty, Json, Redirect, Response
from powauth.limits import Claim
from powauth.operations import Entered, admit, clear, sign_in, step_up
from powauth.pages import Detour, Done, Exchanged, Outcome, Page, Proved, Resumed
from powauth.pending import Pending, new_pending_id
from powauth.plan import Plan
from powauth.reading import read
from powauth.session import Session
from powauth.visits import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """The request that a handler answered."""

    visit: Visit
    caller: Caller
    extension: str
    """Whose page it was."""
    home: str | None
    """The path of the page that the form stands on."""
    wants: str
    extras: Mapping[type[Form], Form]
    grants_bearer: bool = False
    """Whether the body was JSON that carries the proof itself, on a page that may yield a token."""
    status: int = 200
    notice: str | None = None
    claims: tuple[Claim, ...] = ()
    """The attempts that a finished sign-in makes up for."""


class Finish:
    """Answers what a handler returned, once it is committed."""

    def __init__(self, plan: Plan, answers: Answers) -> None:
        self._plan = plan
        self._answers = answers

    async def answer(self, after: Following, outcome: Outcome) -> Response:
        """Return the answer to an outcome."""
        if isinstance(outcome, Done):
            if outcome.abandons:
                await after.visit.discard_pending(after.caller)
            return self._done(after, outcome)
        if isinstance(outcome, Resumed):
            return await self._resume(after, outcome)
        if isinstance(outcome, Exchanged):
            return await self._exchange(after, outcome)
        if isinstance(outcome, Proved):
            extras = after.extras if outcome.extras is None else outcome.extras
            after = replace(after, status=outcome.status, notice=outcome.notice, claims=outcome.claims, extras=extras)
            return await (self._step_up if outcome.is_step_up else self._start)(after, outcome)
        raise TypeError(outcome)

    def _done(self, after: Following, outcome: Done) -> Response:
        token = self._carry(after.visit, outcome.session) if outcome.session else {}
        if outcome.signs_out:
            after.visit.forget()
        if after.wants == "json":
            data = {**(outcome.data or {}), **token}
            return Json(data, outcome.status) if data else Empty()
        if outcome.away:
            return Redirect(outcome.away)
        self._leave_notice(after, outcome.notice)
        to = self._plan.path(outcome.to) if isinstance(outcome.to, Page) else after.visit.target(outcome.to)
        return Redirect(to or after.home or self._plan.paths.get("after_sign_in"))

    def _leave_notice(self, after: Following, notice: str | None) -> None:
        if notice:
            after.visit.leave_notice(f"{after.extension}.{notice}")

    def _carry(self, visit: Visit, session: Session) -> dict[str, object]:
        """Hand a session out: a cookie, or the token that a program keeps."""
        if session.transport == "cookie":
            visit.carry(session)
            return {}
        return {"token": visit.sessions.secret(session), "expires_at": session.ends_at}

    async def _step_up(self, after: Following, outcome: Proved) -> Response:
        session = await after.visit.work(after.caller, lambda ctx: step_up(ctx, outcome.proof))
        token = self._carry(after.visit, session)
        if after.wants == "json":
            return Json({"session": session_data(session), **token}, after.status)
        return Redirect(after.visit.target(outcome.next) or self._plan.paths.get("after_sign_in"))

    async def _start(self, after: Following, outcome: Proved) -> Response:
        if outcome.transport == "bearer" and not after.grants_bearer:
            raise Forbidden
        parked = Pending(
            handle=outcome.proof.handle,
            id="",
            epoch=outcome.proof.epoch,
            proofs=(outcome.proof,),
            transport=outcome.transport,
            next=self._goal(after, outcome),
            after=outcome.after,
            challenge=outcome.challenge,
            extras={form_name(form): vars(filled) for form, filled in after.extras.items()},
        )
        return await self._sign_in(after, parked)

    def _goal(self, after: Following, outcome: Proved) -> str | None:
        """Return where the sign-in leads: to the program that wants a code, or to where somebody wanted to go."""
        if outcome.challenge:
            return programs.address_of(self._plan, after.visit.tenant, outcome.next, outcome.challenge)
        return after.visit.target(outcome.next)

    async def _exchange(self, after: Following, outcome: Exchanged) -> Response:
        """Use a code up, also one that comes with a wrong verifier, and go on with its sign-in."""
        if not after.grants_bearer:
            raise Forbidden
        codes = self._plan.codes(after.visit.tenant.id)
        pending = await codes.peek(outcome.code)
        if (
            pending is None
            or not await codes.take(pending)
            or not programs.answers(outcome.verifier, pending.challenge)
        ):
            raise InvalidToken
        after = replace(after, extras=self._extras(pending))
        return await self._sign_in(after, replace(pending, transport="bearer", challenge=""))

    async def _resume(self, after: Following, outcome: Resumed) -> Response:
        """Use the parked sign-in up and go on with it, from the start."""
        pending = after.caller.pending
        if pending is None or not await self._plan.parking(after.visit.tenant.id).take(pending):
            raise NotSignedIn
        after.visit.unwrite("pending")
        if outcome.proof is None:
            pending = replace(pending, passed=(*pending.passed, pending.detour))
        else:
            pending = replace(pending, proofs=(*pending.proofs, outcome.proof), passed=())
        after = replace(
            after,
            caller=replace(after.caller, pending=None),
            extras=self._extras(pending),
        )
        return await self._sign_in(after, pending)

    def _extras(self, pending: Pending) -> dict[type[Form], Form]:
        known = {name: form for name, form in self._plan.extra_forms.items() if name in pending.extras}
        fields = self._plan.identifiers
        return {form: read(form, pending.extras[name], asked(form, fields)) for name, form in known.items()}

    async def _sign_in(self, after: Following, parked: Pending) -> Response:
        """Start a session, or park the proofs and ask for one more step."""
        if parked.transport == "bearer" and after.wants != "json":
            raise Forbidden
        if parked.challenge:
            return await self._code(after, parked)

        async def start(ctx: Context) -> Entered | Detour:
            result = await sign_in(ctx, parked.proofs, transport=parked.transport, extras=after.extras)
            ctx.after_commit(lambda: clear(ctx, after.claims))
            return result

        result = await after.visit.work(after.caller, start)
        await after.visit.discard_pending(after.caller)
        if isinstance(result, Detour):
            return await self._detour(after, parked, result)
        return self._signed_in(after, result.account, result.session, parked)

    async def _code(self, after: Following, parked: Pending) -> Response:
        """Send the browser back to the program that began, with a code; nobody is signed in by that."""

        async def let_in(ctx: Context) -> Account | Detour:
            result = await admit(ctx, parked.proofs, transport=parked.transport, extras=after.extras)
            ctx.after_commit(lambda: clear(ctx, after.claims))
            return result

        result = await after.visit.work(after.caller, let_in)
        await after.visit.discard_pending(after.caller)
        if isinstance(result, Detour):
            return await self._detour(after, parked, result)
        code = await self._plan.codes(after.visit.tenant.id).park(replace(parked, id=new_pending_id()))
        link = parked.next or ""
        return Redirect(f"{link}{'&' if '?' in link else '?'}code={code}")

    async def _detour(self, after: Following, parked: Pending, detour: Detour) -> Response:
        secret = await after.visit.park(parked, detour)
        path = self._plan.path(detour.page)
        if after.wants == "html":
            return Redirect(path)
        more = {"pending": secret} if parked.transport == "bearer" else {}
        url = after.visit.tenant.base_url.rstrip("/") + path.removeprefix(self._plan.mount)
        answers = self._answers.speaking(after.visit.language)
        return answers.problem(ActionRequired(self._plan.pages[detour.page].code, url), "json", more)

    def _signed_in(self, after: Following, account: Account, session: Session, parked: Pending) -> Response:
        token = self._carry(after.visit, session)
        if session.transport == "cookie":
            after.visit.know(account.handle)
        if after.wants == "json":
            data = {**token, "account": account_data(account), "session": session_data(session)}
            return Json(data, after.status)
        self._leave_notice(after, after.notice)
        return Redirect(parked.next or self._plan.paths.get(parked.after, account))
