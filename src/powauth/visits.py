"""Visit: one request's session, and the cookies that its answer will carry."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TypeVar

from powauth.accounts import Handle
from powauth.clients import client_address, device_name
from powauth.context import Caller, Context
from powauth.errors import AuthError, Deadlocked, Forbidden, NotFound, Stale, Unavailable, Unreadable
from powauth.events import Event, SessionStolen
from powauth.http import Cookie, RawRequest, read_cookie
from powauth.pages import Detour
from powauth.pending import LIFETIME, Pending, new_pending_id
from powauth.plan import NOTICE_LIFETIME, Plan
from powauth.redirects import safe_target
from powauth.session import Session, Transport
from powauth.sessions import GRACE, Sessions
from powauth.tenants import Tenant
from powauth.tickets import Found
from powauth.units import announce, begin, persistently, to_its_end

T = TypeVar("T")

SLOWEST = timedelta(seconds=30)
"""An answer that starts later than that after its session was read hands out no newer cookie: a faster one did."""

KNOWN_FOR = timedelta(days=180)
KNOWN_ACCOUNTS = 5
"""As many accounts as one browser is remembered for."""

PRIVATE = (("cache-control", "private, no-store"), ("vary", "Cookie, Authorization, Accept"))


class Visit:
    """One request's session, and the cookies that its answer will carry. An adapter keeps one per request."""

    is_another = False
    """Whether the browser came back as another account, with what was filled in as the one before."""

    # What most requests leave as it is stands here, once for all of them.
    _found: Found | None = None
    _session: Session | None = None
    _is_read = False
    _returned: tuple[datetime, dict[str, Cookie]] | None = None
    _tenant: Tenant | None = None

    def __init__(self, plan: Plan, raw: RawRequest, *, is_socket: bool = False) -> None:
        self.plan = plan
        self.raw = raw
        self.is_socket = is_socket
        self.traces: list[Event] = []
        self._cookies: dict[str, Cookie] = {}

    @property
    def tenant(self) -> Tenant:
        """Whose pages were asked for. Raises `NotFound` for an unknown one."""
        if self._tenant is None:
            tenants = self.plan.tenants
            self._tenant = self.plan.single if tenants is None else tenants.resolve(self.raw)
        if self._tenant is None:
            raise NotFound
        return self._tenant

    def received(self, what: str) -> str | None:
        """Return the value of a cookie of ours, if the browser sent it. With a bearer token, cookies are ignored."""
        if self.bearer is not None:
            return None
        return read_cookie(self.raw, self.plan.cookie_name(what))

    @property
    def bearer(self) -> str | None:
        """The token of an Authorization header, if its scheme is Bearer (RFC 6750 §2.1)."""
        values = self.raw.header_values("authorization")
        if len(values) > 1:  # one for whoever checks the first, another for whoever reads the last
            raise Unreadable
        if not values:
            return None
        scheme, _, token = values[0].partition(" ")
        return token.strip() if scheme.lower() == "bearer" else None

    @property
    def sessions(self) -> Sessions:
        """The sessions of this tenant."""
        return self.plan.sessions(self.tenant.id)

    @property
    def uses_cookie(self) -> bool:
        """Whether a session, if there is one, came by cookie: then the origin matters."""
        return self.bearer is None

    @property
    def is_acting(self) -> bool:
        """Whether the session, as far as it was read, is of somebody who acts as another."""
        return self._session is not None and self._session.actor is not None

    async def session(self) -> Session | None:
        """Return the session of the request. One read of the store, at most; raises `StoreUnavailable`."""
        if self._found is None:
            self._is_read = True
            found = await self._find()
            # Where a thief's cookie was just found, none of the same browser opens anything in its place.
            is_over = found.session is None and found.stolen is None
            if not (is_over and self._may_return() and await self._returns()):
                self._found, self._session = found, found.session
        return self._session

    async def _find(self) -> Found:
        bearer = self.bearer
        transport: Transport = "cookie" if bearer is None else "bearer"
        secret = read_cookie(self.raw, self.plan.cookie_name("session")) if bearer is None else bearer
        if secret is None:
            return Found()
        found = await self.sessions.find(secret, transport, may_write=self._may_write)
        if found.stolen:
            self.traces.append(SessionStolen(handle=found.stolen.handle, session=found.stolen.public_id))
        return found

    def _may_write(self) -> bool:
        return not self.is_socket and not self.raw.is_prefetch

    def _may_return(self) -> bool:
        """Say whether the browser may come back by another cookie: a person goes there, or the site's script asks.

        Never for what a page only embeds, and never where the browser does not say what it asks for.
        """
        if self.is_socket or not self.plan.returns or not self._declared() or self.raw.is_prefetch:
            return False
        is_own = self.raw.header("sec-fetch-site") == "same-origin"
        if self.raw.is_navigation:
            return is_own or not self.raw.is_unsafe
        return is_own and self.raw.header("sec-fetch-dest") == "empty"

    async def _returns(self) -> bool:
        """Say whether the browser came back, and note which cookies that wrote or removed."""
        former, at = dict(self._cookies), self.plan.clock.now()
        came_back = await self._come_back()
        written = {what: cookie for what, cookie in self._cookies.items() if former.get(what) is not cookie}
        self._returned = at, written
        return came_back

    async def _come_back(self) -> bool:
        """Let an extension's cookie stand for the session that is over, by the same gates as every sign-in.

        Raises `Unavailable` where nothing can be known just now: that is not the same as being nobody.
        """
        caller = await self._stranger()
        for way in self.plan.returns:
            try:
                session = await self.work(caller, way)
            except Unavailable:
                raise
            except AuthError:  # a gate said no: whoever it is signs in by hand
                continue
            if session is not None:
                self.carry(session)
                self.know(session.handle)
                self.is_another = self.raw.is_unsafe and self._was_of() not in {None, session.handle}
                return True
        return False

    def _was_of(self) -> Handle | None:
        """Return whose the session was that the browser's cookie names, whether or not it is over."""
        ticket = self.sessions.read(self.received("session") or "")
        return ticket.handle if ticket else None

    def _declared(self) -> dict[str, str]:
        """Return what the browser sent of the cookies that extensions declare."""
        found = {name: self.received(name) for name in self.plan.cookie_kinds}
        return {name: value for name, value in found.items() if value is not None}

    async def announce(self) -> None:
        """Announce what the request left behind, once; called when its answer is sent.

        Whoever hangs up the moment they are answered keeps nothing from being written down.
        """
        traces, self.traces = self.traces, []
        if traces:
            who = self._session  # whose request it was; nobody is signed in by that
            caller = Caller(client=self.client, device=self.device, language=self.language, session=who)
            await to_its_end(announce(self.plan, self.tenant, caller, traces))

    def carry(self, session: Session) -> None:
        """Let the answer hand out this session's cookie, and the rest of the request run under it."""
        self._session, self._found, self.is_another = session, Found(session), False
        self.write("session", self.sessions.secret(session), max_age=None)

    def forget(self) -> None:
        """Let the answer remove the session's cookie."""
        self._session, self._found = None, Found()
        self._cookies.pop("session", None)
        self.unwrite("session")

    async def pending(self) -> Pending | None:
        """Return the parked sign-in of the request, by its cookie."""
        secret = self.received("pending")
        return await self.plan.parking(self.tenant.id).peek(secret) if secret else None

    async def work(self, caller: Caller, do: Callable[[Context], Awaitable[T]], *, writes: bool = True) -> T:
        """Do something in one unit of work, begun again when the engine undid it.

        What it wants to be announced is left with the visit in any case; its cookies only after the commit.
        """

        async def once() -> T:
            ctx: Context | None = None
            try:
                async with begin(self.plan, self.tenant, caller, writes=writes) as ctx:
                    result = await do(ctx)
            except (Deadlocked, Stale):  # it is begun again, and will leave its traces then
                raise
            except BaseException:
                self.traces += ctx.traces if ctx else []
                raise
            self.traces += ctx.traces
            self._write_all(ctx)
            return result

        return await persistently(once)

    @asynccontextmanager
    async def begin(self, *, writes: bool = True) -> AsyncGenerator[Context]:
        """Open a unit of work for whoever asks; what it leaves behind is kept with the visit, as `work` does."""
        begun: list[Context] = []
        try:
            async with begin(self.plan, self.tenant, await self.caller(), writes=writes) as ctx:
                begun.append(ctx)
                yield ctx
        finally:  # also where the commit itself failed
            self.traces += [trace for ctx in begun for trace in ctx.traces]
        for ctx in begun:
            self._write_all(ctx)

    def _write_all(self, ctx: Context) -> None:
        """Let the answer write the cookies of a unit of work that is committed."""
        for name, (value, max_age) in ctx.cookies.items():
            self.write(name, value, max_age=max_age)

    def target(self, value: object) -> str | None:
        """Return an address of this site or of a listed front end, fit for a redirect; `None` for every other one."""
        return safe_target(value, base_url=self.tenant.base_url, origins=self.plan.origins)

    async def discard_pending(self, caller: Caller) -> None:
        """Forget a parked sign-in that another one replaces, or that its owner gave up."""
        if caller.pending is not None:
            await self.plan.parking(self.tenant.id).take(caller.pending)
            self.unwrite("pending")

    async def park(self, parked: Pending, detour: Detour) -> str:
        """Keep what was proved until the page of a detour is sent, and return the secret that opens it.

        Raises `Forbidden` for a detour that was taken: its page lets people pass who did not do what it asks.
        """
        code = self.plan.pages[detour.page].code
        if code in parked.passed:
            raise Forbidden
        parked = replace(parked, id=new_pending_id(), detour=code)
        secret = await self.plan.parking(self.tenant.id).park(parked)
        if parked.transport == "cookie":
            self.write("pending", secret, max_age=LIFETIME)
        return secret

    def write(self, what: str, value: str, *, max_age: timedelta | None) -> None:
        """Let the answer write a cookie; a zero `max_age` removes it."""
        name = self.plan.cookie_name(what)
        domain = self.plan.cookies.domain
        self._cookies[what] = Cookie(name, value, max_age=max_age, secure=self.plan.is_https, domain=domain)

    def unwrite(self, what: str) -> None:
        """Remove a cookie from the browser, if it sent one."""
        if self.received(what) is not None:
            self.write(what, "", max_age=timedelta(0))

    def leave_notice(self, code: str) -> None:
        """Let the next page show a message once."""
        expires_at = self.plan.clock.now() + NOTICE_LIFETIME
        self.write("notice", self.plan.signer.seal("notice", code, expires_at=expires_at), max_age=NOTICE_LIFETIME)

    def take_notices(self) -> tuple[str, ...]:
        """Return the codes of the messages that the last answer left, and remove them."""
        sealed = self.received("notice")
        if sealed is None:
            return ()
        self.unwrite("notice")
        code = self.plan.signer.unseal("notice", sealed, now=self.plan.clock.now())
        return (code,) if isinstance(code, str) else ()

    async def caller(self) -> Caller:
        """Return who asks."""
        session = await self.session()
        return replace(await self._stranger(), session=session, is_another=self.is_another)

    async def _stranger(self) -> Caller:
        """Return all that is known of who asks, but the session."""
        return Caller(
            client=self.client,
            device=self.device,
            language=self.language,
            pending=await self.pending(),
            known=frozenset(self._known()),
            cookies=self._declared(),
        )

    def _known(self) -> list[Handle]:
        sealed = self.received("device")
        handles = self.plan.signer.unseal("device", sealed, now=self.plan.clock.now()) if sealed else None
        return [Handle(handle) for handle in handles.split()] if isinstance(handles, str) else []

    def know(self, handle: Handle) -> None:
        """Let the browser remember, unforgeably, that it signed in to this account; no way in by itself."""
        handles = [handle, *(known for known in self._known() if known != handle)][:KNOWN_ACCOUNTS]
        sealed = self.plan.signer.seal("device", " ".join(handles), expires_at=self.plan.clock.now() + KNOWN_FOR)
        self.write("device", sealed, max_age=KNOWN_FOR)

    @cached_property
    def client(self) -> str:
        """The client's network address, after trusted proxies."""
        return client_address(self.raw, self.plan.trusted_proxies)

    @cached_property
    def device(self) -> str:
        """What browser and system say they are."""
        return device_name(self.raw.header("user-agent") or "")

    @cached_property
    def language(self) -> str:
        """The offered language that the browser asks for, else the tenant's, else the application's."""
        try:
            default = self.tenant.language
        except NotFound:  # who asks for an unknown one is told so in some language, too
            default = None
        return self.plan.languages.choose(self.raw.header_values("accept-language"), default)

    def headers(self) -> Sequence[tuple[str, str]]:
        """Return the headers that the answer needs: cookies, and that nobody else may keep it. Called once, last."""
        if self._found is not None and self._found.next_generation is not None:
            self._renew()
        if self._returned is not None:
            self._hold_back()
        if not self._cookies:
            return PRIVATE if self._is_read else ()
        return (*PRIVATE, *(("set-cookie", cookie.header()) for cookie in self._cookies.values()))

    def _renew(self) -> None:
        if self._found is None or self._found.next_generation is None or self._found.at is None:
            return
        if self._session is None or "session" in self._cookies:
            return
        if self.plan.clock.now() - self._found.at <= SLOWEST:
            self.write("session", self.sessions.secret(self._session, self._found.next_generation), max_age=None)
        self._found = self._found._replace(next_generation=None)

    def _hold_back(self) -> None:
        """Leave out what a returning browser was to get, once another answer may have brought it newer cookies."""
        if self._returned is None:
            return
        at, cookies = self._returned
        if self.plan.clock.now() - at > GRACE:
            for what, cookie in cookies.items():
                if self._cookies.get(what) is cookie:
                    del self._cookies[what]
