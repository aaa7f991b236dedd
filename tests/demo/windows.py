"""The demo as it is served to Chromium, and what a person's hands do there."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Literal

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from powauth.demo import create_app
from powauth.demo.data import DataFolder
from powauth.demo.serve import listen
from powauth.testing import FrozenClock
from tests import servers
from tests.look import preview

PHONE, DESKTOP = (360, 740), (1280, 900)
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
PASSWORD = "seven small brass keys"

with_script = pytest.mark.parametrize("demo", [True], ids=["script"], indirect=True)
without_script = pytest.mark.parametrize("demo", [False], ids=["no-script"], indirect=True)


@dataclass(frozen=True)
class House:
    """A demo as it is served; each story has people of its own."""

    address: str
    clock: FrozenClock
    database: Path


@dataclass
class Demo:
    """The demo as it is served, and the browsers that look at it."""

    address: str
    clock: FrozenClock
    chromium: Browser
    script: bool
    contexts: list[BrowserContext] = field(default_factory=list[BrowserContext])

    def window(self, *, size: tuple[int, int] = DESKTOP, language: str = "en-US") -> Page:
        """Open a window of another browser, without cookies."""
        context = self.chromium.new_context(
            base_url=self.address,
            java_script_enabled=self.script,
            locale=language,
            viewport={"width": size[0], "height": size[1]},
        )
        context.set_default_timeout(10_000)
        self.contexts.append(context)
        page = context.new_page()
        page.goto("/")
        return page

    def picture(self, page: Page, name: str) -> None:
        """Keep what the page looks like."""
        page.screenshot(
            path=preview.output() / "demo" / f"{name}{'' if self.script else '-no-script'}.png", full_page=True
        )


@contextmanager
def served(folder: Path, clock: FrozenClock) -> Generator[str]:
    """Serve the demo on a free port of this machine, with a clock that stands, and return its address."""
    data = DataFolder(folder)
    with listen(0) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = create_app(secret=data.secret(), base_url=f"{address}/auth", database_url=data.database, clock=clock)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        servers.wait_until(lambda: server.started, "the demo to answer")
        try:
            yield address
        finally:
            server.should_exit = True
            thread.join()


def join(page: Page, email: str, name: str) -> None:
    """Have an account and be signed in, the short way: as a program, with the cookies of this window."""
    program, accept = page.request, {"accept": "application/json"}
    made = program.post("/auth/sign-up", data={"email": email, "password": PASSWORD, "name": name}, headers=accept)
    assert made.status == 201
    links: list[str] = []

    def arrived() -> bool:
        mails = program.get("/mailbox", headers=accept).json()
        links.extend(mail["parts"]["url"] for mail in mails if mail["to"] == email)
        return bool(links)

    servers.wait_until(arrived, f"the mail to {email}")
    assert program.post(links[0], data={}, headers=accept).ok
    assert program.post("/auth/sign-in", data={"email": email, "password": PASSWORD}, headers=accept).ok
    page.goto("/")


def be_ada(page: Page) -> None:
    """Press the button of the prepared person."""
    page.goto("/")
    page.get_by_role("button", name="Sign in as Ada").click()
    expect(page.get_by_role("heading", name="You are signed in as Ada Lovelace")).to_be_visible()


def sign_in(page: Page, email: str, password: str) -> None:
    page.goto("/auth/sign-in")
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def sign_out(page: Page) -> None:
    page.locator("nav").get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def open_mail(page: Page, subject: str, to: str) -> Locator:
    """Go to the mailbox until the mail is there, and return it: mails leave in the background, in any order."""
    heading = page.get_by_role("heading", name=subject)
    mail = page.get_by_role("article").filter(has=heading).filter(has_text=f"To {to}")

    def arrived() -> bool:
        page.goto("/mailbox")
        return mail.count() > 0

    servers.wait_until(arrived, f"the mail {subject!r} to {to}")
    return mail


def press_until(page: Page, name: str, role: Literal["link", "button"]) -> None:
    """Press Tab until this has the focus."""
    wanted = page.get_by_role("navigation").get_by_role(role, name=name, exact=True)
    for _ in range(30):
        page.keyboard.press("Tab")
        if wanted.and_(page.locator(":focus")).count():
            return
    pytest.fail(f"Tab does not reach {name}")


def look_at(demo: Demo, page: Page, name: str) -> list[str]:
    """Keep a page's pictures, by day on a desk and by night on a telephone; return what axe finds there."""
    demo.picture(page, name)
    if not demo.script:  # axe is one
        return []
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")  # no colour is on its way to another
    demo.picture(page, f"{name}-phone")
    violations = Axe().run(page, options=WCAG).response["violations"]
    wrong = [f"{each['id']}: {[node['target'] for node in each['nodes'][:3]]}" for each in violations]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        wrong.append("scrolls sideways")
    page.emulate_media(color_scheme="light", reduced_motion="no-preference")
    page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    return wrong
