"""The demo in Chromium: what a person does there, with JavaScript and without."""

from datetime import timedelta

from playwright.sync_api import Page, expect

from powauth.demo.pages import ADA, ADA_PASSWORD
from tests.demo.windows import (
    PASSWORD,
    Demo,
    be_ada,
    join,
    look_at,
    press_until,
    sign_in,
    sign_out,
    with_script,
    without_script,
)

OTHER = "nine slow silver foxes"


# ---- what a person does ----


def test_fields_that_are_wrong_are_all_marked_at_once(demo: Demo) -> None:
    page = demo.window()
    page.goto("/auth/sign-up")
    page.get_by_label("Email address").fill("grace")
    page.get_by_role("button", name="Create account").click()
    expect(page.locator(".is-bad")).to_have_count(3)
    expect(page.get_by_label("Email address")).to_have_value("grace")
    demo.picture(page, "sign-up-errors")


@without_script
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


@without_script
def test_one_browser_ends_the_session_of_another(demo: Demo) -> None:
    page, other = demo.window(), demo.window()
    join(page, "ida@example.com", "Ida Rhodes")
    sign_in(other, "ida@example.com", PASSWORD)
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


@with_script
def test_a_browser_that_is_closed_and_opened_again_with_six_tabs_is_one_person(demo: Demo) -> None:
    page = demo.window()
    page.goto("/auth/sign-in")
    page.get_by_label("Keep me signed in on this device").first.check()  # the next one is for the providers
    assert look_at(demo, page, "remember") == []
    page.get_by_label("Email address").fill(ADA)
    page.get_by_label("Password", exact=True).fill(ADA_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out").first).to_be_visible()
    kept = [cookie for cookie in page.context.cookies() if cookie.get("expires", -1) > 0]
    page.context.clear_cookies()
    page.context.add_cookies([{"url": page.url, "name": c.get("name", ""), "value": c.get("value", "")} for c in kept])
    tabs = [page, *(page.context.new_page() for _ in range(5))]
    devices = f"{demo.address}/auth/sessions"
    for tab in tabs:  # none waits for another
        tab.evaluate("address => { setTimeout(() => { location.href = address }, 50) }", devices)
    for tab in tabs:
        expect(tab.get_by_role("heading", name="Remembered devices")).to_be_visible()
        expect(tab.get_by_text("Remembered", exact=True)).to_have_count(1)
    assert look_at(demo, page, "remembered") == []
    page.get_by_role("button", name="Forget").click()
    page.goto("/me")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@with_script
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


@without_script
def test_profile_and_password_are_changed(demo: Demo) -> None:
    page, other = demo.window(), demo.window()
    join(page, "augusta@example.com", "Augusta Byron")
    sign_in(other, "augusta@example.com", PASSWORD)
    page.goto("/auth/account")
    demo.picture(page, "account")

    profile = page.locator("#manage_account-profile")
    profile.get_by_label("Your name").fill("Countess of Lovelace")
    profile.get_by_label("Send me the newsletter").check()
    profile.get_by_role("button").last.click()
    expect(page.get_by_text("Your profile is saved.")).to_be_visible()
    expect(profile.get_by_label("Your name")).to_have_value("Countess of Lovelace")
    expect(profile.get_by_label("Send me the newsletter")).to_be_checked()
    demo.picture(page, "profile-saved")

    password = page.locator("#manage_account-password")
    password.get_by_label("Current password", exact=True).fill(PASSWORD)
    password.get_by_label("New password", exact=True).fill(OTHER)
    password.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Your password is changed.")).to_be_visible()

    other.goto("/me")
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_out(page)
    sign_in(page, "augusta@example.com", OTHER)
    expect(page.get_by_role("heading", name="You are signed in as Countess of Lovelace")).to_be_visible()


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


@with_script  # axe is one
def test_the_pages_can_be_read_by_everybody(demo: Demo) -> None:
    found: list[str] = []
    said: list[str] = []
    page = demo.window()
    page.on("console", lambda message: said.append(message.text))
    for path in ("/", "/mailbox", "/api", "/auth/sign-in"):
        found += look(demo, page, path, "signed-out-")
    be_ada(page)
    for path in ("/", "/me", "/vault", "/mailbox", "/api", "/auth/account", "/auth/sessions"):
        found += look(demo, page, path)
    assert found == []
    assert said == []


def look(demo: Demo, page: Page, path: str, prefix: str = "") -> list[str]:
    """Return what is wrong with a page by day on a desk, or by night on a telephone, and keep both pictures."""
    page.goto(path)
    name = f"{prefix}{path.strip('/').replace('/', '-') or 'start'}"
    return [f"{path}: {wrong}" for wrong in look_at(demo, page, name)]
