"""The demo in Chromium: what a person does there, with JavaScript and without."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from powauth.demo.pages import ADA, ADA_PASSWORD
from powauth.testing import FrozenClock
from tests import servers
from tests.demo.windows import DESKTOP, PHONE, Demo, be_ada, open_mail, press_until, served, sign_in, sign_out

PASSWORD = "seven small brass keys"
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture(scope="module")  # no longer: as long as it is open, no asynchronous test can run in this process
def chromium(chromium_path: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=[*servers.CHROMIUM_FLAGS])
        yield browser
        browser.close()


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def demo(request: pytest.FixtureRequest, chromium: Browser, tmp_path: Path) -> Iterator[Demo]:
    clock = FrozenClock()
    with served(tmp_path, clock) as address:
        demo = Demo(address, clock, chromium, script=bool(request.param))
        yield demo
        for context in demo.contexts:
            context.close()


# ---- what a person does ----


def test_a_person_signs_up_and_finds_a_mail(demo: Demo) -> None:
    page = demo.window()
    page.get_by_role("link", name="Create an account").first.click()
    page.get_by_label("Email address").fill("grace@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Your name").fill("Grace Hopper")
    page.get_by_label("Send me the newsletter").check()
    demo.picture(page, "sign-up")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="You are signed in as Grace Hopper")).to_be_visible()
    mail = open_mail(page, "Welcome to Powauth demo", to="grace@example.com")
    mail.get_by_text("As HTML").click()
    framed = mail.frame_locator("iframe")
    expect(framed.get_by_text("your account at Powauth demo is ready")).to_be_visible()
    demo.picture(page, "mailbox")
    sign_out(page)
    sign_in(page, "grace@example.com", PASSWORD)
    expect(page.get_by_text("newsletter", exact=True)).to_be_visible()


def test_fields_that_are_wrong_are_all_marked_at_once(demo: Demo) -> None:
    page = demo.window()
    page.goto("/auth/sign-up")
    page.get_by_label("Email address").fill("grace")
    page.get_by_role("button", name="Create account").click()
    expect(page.locator(".is-bad")).to_have_count(3)
    expect(page.get_by_label("Email address")).to_have_value("grace")
    demo.picture(page, "sign-up-errors")


def test_a_wrong_password_is_said_on_the_form_and_the_right_one_goes_on(demo: Demo) -> None:
    page = demo.window()
    page.goto("/vault")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("Email address").fill(ADA)
    page.get_by_label("Password", exact=True).fill("four quiet green cats")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not match an account")
    expect(page.get_by_label("Email address")).to_have_value(ADA)
    demo.picture(page, "wrong-password")
    page.get_by_label("Password", exact=True).fill(ADA_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Vault")).to_be_visible()


def test_one_browser_ends_the_session_of_another(demo: Demo) -> None:
    page, other = demo.window(), demo.window()
    be_ada(page)
    be_ada(other)
    page.goto("/auth/sessions")
    expect(page.get_by_role("listitem").filter(has_text="Last seen")).to_have_count(2)
    demo.picture(page, "devices")
    elsewhere = page.get_by_role("listitem").filter(has_text="Last seen", has_not=page.locator(".badge"))
    elsewhere.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("That device is signed out.")).to_be_visible()
    demo.picture(page, "device-ended")
    other.goto("/me")
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/me")
    expect(page.get_by_role("heading", name="You", exact=True)).to_be_visible()


def test_a_browser_that_is_closed_and_opened_again_with_six_tabs_is_one_person(demo: Demo) -> None:
    page = demo.window()
    page.goto("/auth/sign-in")
    page.get_by_label("Keep me signed in on this device").check()
    demo.picture(page, "remember")
    page.get_by_label("Email address").fill(ADA)
    page.get_by_label("Password", exact=True).fill(ADA_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out").first).to_be_visible()
    kept = [cookie for cookie in page.context.cookies() if cookie.get("expires", -1) > 0]
    page.context.clear_cookies()
    page.context.add_cookies([{"url": page.url, "name": c.get("name", ""), "value": c.get("value", "")} for c in kept])
    tabs = [page, *(page.context.new_page() for _ in range(5))]
    devices = f"{demo.address}/auth/sessions"
    for tab in tabs:
        if demo.script:  # none waits for another
            tab.evaluate("address => { setTimeout(() => { location.href = address }, 50) }", devices)
        else:
            tab.goto(devices)
    for tab in tabs:
        expect(tab.get_by_role("heading", name="Remembered devices")).to_be_visible()
        expect(tab.get_by_text("Remembered", exact=True)).to_have_count(1)
    demo.picture(page, "remembered")
    page.get_by_role("button", name="Forget").click()
    page.goto("/me")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_vault_asks_for_the_password_once_more(demo: Demo) -> None:
    page = demo.window()
    be_ada(page)
    demo.clock.move(timedelta(minutes=2))
    page.get_by_role("link", name="Open the vault").click()
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    demo.picture(page, "prove")
    page.get_by_label("Password", exact=True).fill("four quiet green cats")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("This is not your current password.")).to_be_visible()
    page.get_by_label("Password", exact=True).fill(ADA_PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("The vault is open, Ada Lovelace.")).to_be_visible()
    demo.picture(page, "vault")


def test_profile_address_and_password_are_changed(demo: Demo) -> None:
    page, other = demo.window(), demo.window()
    be_ada(page)
    be_ada(other)
    page.goto("/auth/account")
    demo.picture(page, "account")

    profile = page.locator("#manage_account-profile")
    profile.get_by_label("Your name").fill("Countess of Lovelace")
    profile.get_by_label("Send me the newsletter").uncheck()
    profile.get_by_role("button").last.click()
    expect(page.get_by_text("Your profile is saved.")).to_be_visible()
    expect(profile.get_by_label("Your name")).to_have_value("Countess of Lovelace")
    expect(profile.get_by_label("Send me the newsletter")).not_to_be_checked()
    demo.picture(page, "profile-saved")

    email = page.locator("#manage_account-email")
    email.get_by_label("Email address").fill("countess@example.com")
    email.get_by_label("Current password", exact=True).fill(ADA_PASSWORD)
    email.get_by_role("button", name="Change address").click()
    expect(page.get_by_text("Your address is changed.")).to_be_visible()

    password = page.locator("#manage_account-password")
    password.get_by_label("Current password", exact=True).fill(ADA_PASSWORD)
    password.get_by_label("New password", exact=True).fill(PASSWORD)
    password.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Your password is changed.")).to_be_visible()

    other.goto("/me")
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    open_mail(page, "Your password at Powauth demo was changed", to="countess@example.com")
    open_mail(page, "Your address at Powauth demo was changed", to=ADA)
    demo.picture(page, "mailbox-changes")
    sign_out(page)
    sign_in(page, "countess@example.com", PASSWORD)
    expect(page.get_by_role("heading", name="You are signed in as Countess of Lovelace")).to_be_visible()


def test_an_account_is_closed_and_gone(demo: Demo) -> None:
    page = demo.window()
    be_ada(page)
    page.goto("/auth/account")
    close = page.locator("#manage_account-close")
    close.get_by_label("Current password", exact=True).fill(ADA_PASSWORD)
    close.get_by_role("button", name="Close account for good").click()
    expect(page.get_by_text("Your account is closed.")).to_be_visible()
    demo.picture(page, "closed")
    sign_in(page, ADA, ADA_PASSWORD)
    expect(page.get_by_role("alert")).to_contain_text("do not match an account")


def test_the_keyboard_alone_signs_in_and_out(demo: Demo) -> None:
    page = demo.window()
    press_until(page, "Sign in", "link")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Email address")).to_be_focused()
    page.keyboard.type(ADA)
    page.keyboard.press("Tab")
    page.keyboard.type(ADA_PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="You are signed in as Ada Lovelace")).to_be_visible()
    press_until(page, "Sign out", "button")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You are signed out.")).to_be_visible()


# ---- what they look like ----


@pytest.mark.parametrize("demo", [True], ids=["script"], indirect=True)  # axe is one
def test_the_pages_can_be_read_by_everybody(demo: Demo) -> None:
    found: list[str] = []
    said: list[str] = []
    for size in (PHONE, DESKTOP):
        page = demo.window(size=size)
        page.on("console", lambda message: said.append(message.text))
        for path in ("/", "/mailbox", "/api"):
            found += look(demo, page, path, f"signed-out-{size[0]}")
        be_ada(page)
        for path in ("/", "/me", "/vault", "/mailbox", "/api", "/auth/account", "/auth/sessions"):
            found += look(demo, page, path, str(size[0]))
    assert found == []
    assert said == []


def look(demo: Demo, page: Page, path: str, suffix: str) -> list[str]:
    """Return what is wrong with a page, and keep its picture."""
    page.goto(path)
    demo.picture(page, f"{path.strip('/').replace('/', '-') or 'start'}-{suffix}")
    violations = Axe().run(page, options=WCAG).response["violations"]
    wrong = [f"{path}: {each['id']}: {[node['target'] for node in each['nodes'][:3]]}" for each in violations]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        wrong.append(f"{path}: scrolls sideways")
    return wrong
