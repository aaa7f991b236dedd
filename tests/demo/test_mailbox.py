"""From a form to the mailbox and back, in Chromium: every mail with a link, and where the link leads."""

import sqlite3

from playwright.sync_api import Locator, Page, expect

from powauth.demo.pages import ADA
from tests.demo.windows import (
    PASSWORD,
    Demo,
    House,
    join,
    look_at,
    open_mail,
    sign_in,
    sign_out,
    with_script,
    without_script,
)

OTHER = "nine slow silver foxes"


# ---- the stories ----


def test_somebody_signs_up_confirms_the_address_and_signs_in(demo: Demo) -> None:
    email = f"grace-{demo.script}@example.com".lower()
    page = demo.window()
    page.get_by_role("link", name="Create an account").first.click()
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Your name").fill("Grace Hopper")
    page.get_by_label("Send me the newsletter").check()
    demo.picture(page, "sign-up")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="Please look into your mailbox")).to_be_visible()
    look(demo, page, "waiting")

    sign_in(page, email, PASSWORD)
    expect(page.get_by_role("alert")).to_contain_text("do not match an account")
    page.get_by_role("link", name="No confirmation mail?").click()
    page.get_by_label("Email address").fill(email)
    page.get_by_role("button", name="Send it again").click()
    expect(page.get_by_text("a mail is on its way.")).to_be_visible()

    mail = open_mail(page, "Confirm your address at Powauth demo", to=email).first
    demo.picture(page, "mailbox")
    mail.get_by_text("As HTML").click()
    mail.frame_locator("iframe").get_by_role("link", name="Confirm my address").click()
    expect(page.get_by_text(f"Is {email} your address?")).to_be_visible()
    link = page.url
    look(demo, page, "confirm")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Your address is confirmed.")).to_be_visible()
    demo.picture(page, "confirmed")
    enter(page, email, PASSWORD)
    expect(page.get_by_role("heading", name="You are signed in as Grace Hopper")).to_be_visible()
    expect(page.get_by_text("newsletter", exact=True)).to_be_visible()
    open_mail(page, "Welcome to Powauth demo", to=email)

    sign_out(page)
    page.goto(link)
    expect(page.get_by_text("This link is not valid")).to_be_visible()
    look(demo, page, "used-link")
    page.get_by_role("link", name="Sign in").last.click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@without_script
def test_a_taken_address_looks_like_a_free_one_and_its_owner_hears_of_it(demo: Demo) -> None:
    page, other = demo.window(), demo.window()
    for window, email in ((page, ADA), (other, "mary@example.com")):
        window.goto("/auth/sign-up")
        window.get_by_label("Email address").fill(email)
        window.get_by_label("Password", exact=True).fill(PASSWORD)
        window.get_by_label("Your name").fill("Mary Somerville")
        window.get_by_role("button", name="Create account").click()
        expect(window.get_by_role("heading", name="Please look into your mailbox")).to_be_visible()
    assert page.content() == other.content()
    assert page.url == other.url
    follow(open_mail(page, "Your address was used at Powauth demo", to=ADA))
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@with_script
def test_somebody_who_reads_german_signs_up_and_gets_mail_in_german(demo: Demo) -> None:
    page = demo.window(language="de-AT")
    page.goto("/auth/sign-up")
    page.get_by_label("E-Mail-Adresse").fill("lise@example.com")
    page.get_by_label("Passwort", exact=True).fill(PASSWORD)
    page.get_by_label("Ihr Name").fill("Lise Meitner")
    look(demo, page, "german-sign-up")
    page.get_by_role("button", name="Konto erstellen").click()
    expect(page.get_by_role("heading", name="Bitte sehen Sie in Ihr Postfach")).to_be_visible()
    follow(open_mail(page, "Bestätigen Sie Ihre Adresse bei Powauth demo", to="lise@example.com"))
    page.get_by_role("button", name="Bestätigen").click()
    expect(page.get_by_text("Ihre Adresse ist bestätigt.")).to_be_visible()
    look(demo, page, "german-sign-in")
    page.get_by_label("E-Mail-Adresse").fill("lise@example.com")
    page.get_by_label("Passwort", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Anmelden").click()
    expect(page.get_by_role("heading", name="You are signed in as Lise Meitner")).to_be_visible()
    page.goto("/auth/account")
    look(demo, page, "german-account")


@with_script
def test_a_new_address_waits_for_its_mailbox_and_the_former_one_takes_it_back(demo: Demo) -> None:
    page = demo.window()
    join(page, "joan@example.com", "Joan Clarke")
    change_address(page, "mallory@example.com")
    expect(page.get_by_text("One more step: please look into the new mailbox.")).to_be_visible()
    expect(page.get_by_text("A change to mallory@example.com waits")).to_be_visible()
    look(demo, page, "account-pending")
    page.get_by_role("link", name="Look at it").click()
    expect(page.get_by_text("A mail is on its way to mallory@example.com.")).to_be_visible()
    look(demo, page, "pending")
    page.get_by_role("button", name="Send it again").click()
    expect(page.get_by_text("a mail is on its way.")).to_be_visible()

    follow(open_mail(page, "Confirm your new address at Powauth demo", to="mallory@example.com"))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Your address is confirmed.")).to_be_visible()
    expect(page.get_by_role("paragraph").filter(has_text="mallory@example.com").last).to_be_visible()

    follow(open_mail(page, "Your address at Powauth demo was changed", to="joan@example.com"))
    expect(page.get_by_text("From joan@example.com to mallory@example.com.")).to_be_visible()
    look(demo, page, "take-back")
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("Your address is as it was.")).to_be_visible()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    demo.picture(page, "taken-back")

    set_password(page, "joan@example.com", OTHER)
    enter(page, "joan@example.com", OTHER)
    expect(page.get_by_role("heading", name="You are signed in as Joan Clarke")).to_be_visible()


@without_script
def test_a_change_of_address_is_cancelled_and_another_one_stands_for_good(demo: Demo) -> None:
    page = demo.window()
    join(page, "emmy@example.com", "Emmy Noether")
    change_address(page, "amalie@example.com")
    page.get_by_role("link", name="Look at it").click()
    page.get_by_role("button", name="Keep the address as it is").click()
    expect(page.get_by_text("The change of your address is cancelled.")).to_be_visible()
    page.goto("/auth/account")
    expect(page.get_by_text("amalie@example.com")).to_have_count(0)

    change_address(page, "noether@example.com")
    follow(open_mail(page, "Confirm your new address at Powauth demo", to="noether@example.com"))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Your address is confirmed.")).to_be_visible()
    mail = open_mail(page, "Your address at Powauth demo was changed", to="emmy@example.com")
    follow(mail)
    page.get_by_role("button", name="It was me").click()
    expect(page.get_by_text("Thank you. The change stands.")).to_be_visible()
    demo.picture(page, "waived")
    follow(open_mail(page, "Your address at Powauth demo was changed", to="emmy@example.com"))
    expect(page.get_by_text("This link is not valid")).to_be_visible()
    page.get_by_role("link", name="Go to the start page").click()
    expect(page.get_by_text("You are signed in as Emmy Noether")).to_be_visible()


def test_a_forgotten_password_is_set_anew(demo: Demo) -> None:
    email = f"alan-{demo.script}@example.com".lower()
    page = demo.window()
    join(page, email, "Alan Turing")
    sign_out(page)
    page.goto("/auth/sign-in")
    page.get_by_role("link", name="Forgot your password?").click()
    look(demo, page, "forgot")
    expect(page.get_by_label("Email address")).to_be_focused()
    page.keyboard.type(email)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Please look into your mailbox.")).to_be_visible()
    demo.picture(page, "forgot-sent")

    follow(open_mail(page, "Set a new password at Powauth demo", to=email))
    link = page.url
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_role("button", name="Set password").click()
    expect(page.locator(".is-bad")).to_have_count(1)
    look(demo, page, "reset")
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    page.keyboard.type(OTHER)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your password is set. Please sign in with it.")).to_be_visible()
    enter(page, email, OTHER)
    expect(page.get_by_role("heading", name="You are signed in as Alan Turing")).to_be_visible()
    page.goto(link)
    expect(page.get_by_text("This link is not valid")).to_be_visible()
    look(demo, page, "used-link-signed-in")


@with_script
def test_who_did_not_change_the_password_locks_the_account_down_and_comes_in_again(demo: Demo) -> None:
    page, thief = demo.window(), demo.window()
    join(thief, "hedy@example.com", "Hedy Lamarr")
    thief.goto("/auth/account")
    password = thief.locator("#manage_account-password")
    password.get_by_label("Current password", exact=True).fill(PASSWORD)
    password.get_by_label("New password", exact=True).fill(OTHER)
    password.get_by_role("button", name="Change password").click()
    expect(thief.get_by_text("Your password is changed.")).to_be_visible()

    follow(open_mail(page, "Your password at Powauth demo was changed", to="hedy@example.com"))
    look(demo, page, "secure")
    page.get_by_role("button", name="This was not me").click()
    expect(page.get_by_text("Your account is secured.")).to_be_visible()
    thief.goto("/me")
    expect(thief.get_by_role("heading", name="Sign in")).to_be_visible()
    enter(thief, "hedy@example.com", OTHER)
    expect(thief.get_by_role("alert")).to_contain_text("do not match an account")

    follow(open_mail(page, "Your account at Powauth demo is locked", to="hedy@example.com"))
    look(demo, page, "unlock")
    page.get_by_role("button", name="Unlock").click()
    expect(page.get_by_text("Your account is unlocked.")).to_be_visible()
    demo.picture(page, "unlocked")
    page.get_by_label("Email address").fill("hedy@example.com")
    page.get_by_role("button", name="Send the link").click()
    set_password(page, "hedy@example.com", "eleven warm copper pots")
    enter(page, "hedy@example.com", "eleven warm copper pots")
    expect(page.get_by_role("heading", name="You are signed in as Hedy Lamarr")).to_be_visible()


@with_script
def test_an_account_that_was_guessed_at_very_often_is_unlocked_by_mail(demo: Demo, house: House) -> None:
    page = demo.window()
    join(page, "katherine@example.com", "Katherine Johnson")
    with sqlite3.connect(house.database) as db:  # fifty failures would take as many seconds
        db.execute("UPDATE users SET locked_at = created_at, locked_by = 'limit' WHERE email LIKE 'katherine@%'")
    page = demo.window()
    sign_in(page, "katherine@example.com", PASSWORD)
    expect(page.get_by_role("alert")).to_contain_text("do not match an account")
    page.goto("/auth/unlock")
    look(demo, page, "unlock-request")
    page.get_by_label("Email address").fill("katherine@example.com")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_text("If there is something to unlock, a mail is on its way.")).to_be_visible()
    follow(open_mail(page, "Unlock your account at Powauth demo", to="katherine@example.com"))
    page.get_by_role("button", name="Unlock").click()
    expect(page.get_by_text("Your account is unlocked.")).to_be_visible()
    enter(page, "katherine@example.com", PASSWORD)
    expect(page.get_by_role("heading", name="You are signed in as Katherine Johnson")).to_be_visible()


@with_script
def test_a_closed_account_is_opened_again(demo: Demo) -> None:
    page = demo.window()
    join(page, "rosalind@example.com", "Rosalind Franklin")
    page.goto("/auth/account")
    close = page.locator("#manage_account-close")
    demo.picture(page, "close")
    close.get_by_label("Current password", exact=True).fill(PASSWORD)
    close.get_by_role("button", name="Close account").click()
    expect(page.get_by_text("Your account is closed.")).to_be_visible()
    demo.picture(page, "closed")
    sign_in(page, "rosalind@example.com", PASSWORD)
    expect(page.get_by_role("alert")).to_contain_text("do not match an account")
    follow(open_mail(page, "Your account at Powauth demo is closed", to="rosalind@example.com"))
    look(demo, page, "reopen")
    page.get_by_role("button", name="Open it again").click()
    expect(page.get_by_text("Your account is open again. Please sign in.")).to_be_visible()
    enter(page, "rosalind@example.com", PASSWORD)
    expect(page.get_by_role("heading", name="You are signed in as Rosalind Franklin")).to_be_visible()


# ---- what hands do in several of them ----


def enter(page: Page, email: str, password: str) -> None:
    """Fill in the sign-in page that one is on."""
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def follow(mail: Locator) -> None:
    """Open the link of the newest of these mails."""
    mail.first.locator(".letter").get_by_role("link").click()


def change_address(page: Page, email: str) -> None:
    page.goto("/auth/account")
    form = page.locator("#manage_account-email")
    form.get_by_label("Email address").fill(email)
    form.get_by_label("Current password", exact=True).fill(PASSWORD)
    form.get_by_role("button", name="Change address").click()


def set_password(page: Page, email: str, password: str) -> None:
    """Set a new password by the mail that holds the link."""
    follow(open_mail(page, "Set a new password at Powauth demo", to=email))
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Set password").click()


def look(demo: Demo, page: Page, name: str) -> None:
    """Keep what a page looks like, and find nothing wrong with it."""
    assert look_at(demo, page, name) == [], name
