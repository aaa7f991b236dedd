"""Signing in with the demo's own provider, in Chromium: there and back, and what becomes of it."""

from datetime import timedelta

from playwright.sync_api import Page, expect

from tests.demo.windows import PASSWORD, Demo, join, look_at, open_mail, sign_in, sign_out, with_script, without_script

WITH_PROVIDER = "Continue with the demo’s own provider"
NOT_FINISHED = "This sign-in could not be finished"


def go_there(page: Page, path: str = "/auth/sign-in", button: str = WITH_PROVIDER) -> None:
    """Press the provider's button on a page."""
    page.goto(path)
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("heading", name="Choose who you want to be")).to_be_visible()


def be(page: Page, name: str, email: str = "", *, is_proved: bool = True) -> None:
    """Be somebody whom nobody invented."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Email address").fill(email)
    page.get_by_label("The address is proved").set_checked(is_proved)
    page.get_by_role("button", name="Be this person").click()


def expect_signed_in(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", name=f"You are signed in as {name}")).to_be_visible()


# ---- in ----


def test_somebody_new_has_an_account_at_once_and_is_known_the_next_time(demo: Demo) -> None:
    page = demo.window()
    address = f"new-{demo.script}@provider.example"
    go_there(page, "/auth/sign-up")
    be(page, "Emmy Noether", address)
    expect_signed_in(page, "Emmy Noether")
    expect(page.get_by_text(address).first).to_be_visible()
    sign_out(page)
    go_there(page)
    be(page, "Emmy Noether", address)
    expect_signed_in(page, "Emmy Noether")


def test_the_provider_brings_a_browser_back_without_a_click_until_its_owner_signs_out(demo: Demo) -> None:
    page = demo.window()
    go_there(page)
    be(page, "Mary Cartwright", f"cartwright-{demo.script}@provider.example")
    expect_signed_in(page, "Mary Cartwright")
    demo.clock.move(timedelta(minutes=31))  # longer than a session lasts without a request
    page.goto("/me")
    expect(page.get_by_role("heading", name="You", exact=True)).to_be_visible()
    sign_out(page)
    page.goto("/me")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    go_there(page)
    expect(page.get_by_role("button", name="Go on as")).to_have_count(0)  # signed out there as well


@without_script
def test_one_of_the_invented_people_is_chosen_with_one_button(demo: Demo) -> None:
    page = demo.window()
    go_there(page)
    page.get_by_role("button", name="Grace Hopper").click()
    expect_signed_in(page, "Grace Hopper")


@without_script
def test_an_address_that_nobody_proved_waits_for_its_mail(demo: Demo) -> None:
    page = demo.window()
    go_there(page)
    page.get_by_role("button", name="Katherine Johnson").click()
    expect(page.get_by_role("heading", name="look into your mailbox")).to_be_visible()
    open_mail(page, "Confirm your address", "katherine@provider.example").get_by_role("link").first.click()
    page.get_by_role("button", name="Confirm").click()
    go_there(page)
    page.get_by_role("button", name="Go on as Katherine Johnson").click()
    expect_signed_in(page, "Katherine Johnson")


@with_script
def test_an_address_that_is_withheld_is_asked_for(demo: Demo) -> None:
    page = demo.window()
    address = f"withheld-{demo.script}@example.com"
    go_there(page)
    be(page, f"Hedy Kiesler {demo.script}")
    expect(page.get_by_role("heading", name="One more thing")).to_be_visible()
    expect(page.get_by_label("Your name")).to_have_value(f"Hedy Kiesler {demo.script}")
    page.get_by_label("Email address").fill(address)
    page.get_by_role("button", name="Create account").click()
    open_mail(page, "Confirm your address", address)


@without_script
def test_an_address_that_somebody_has_opens_nothing(demo: Demo) -> None:
    page = demo.window()
    go_there(page)
    page.get_by_role("button", name="Ada Lovelace").click()
    expect(page.get_by_role("heading", name="One more thing")).to_be_visible()
    page.goto("/me")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@without_script
def test_whoever_declines_is_told_so_and_may_begin_again(demo: Demo) -> None:
    page = demo.window()
    go_there(page)
    page.get_by_role("button", name="Decline").click()
    expect(page.get_by_text("You were not signed in")).to_be_visible()
    demo.picture(page, "provider-declined")
    page.reload()
    expect(page.get_by_text(NOT_FINISHED)).to_be_visible()
    go_there(page)


# ---- the account ----


@without_script
def test_a_provider_is_connected_on_the_account_page_lets_in_and_is_disconnected(demo: Demo) -> None:
    page = demo.window()
    join(page, "mary@example.com", "Mary Jackson")
    go_there(page, "/auth/account", "Connect the demo’s own provider")
    be(page, "Mary at the provider")
    expect(page.get_by_text("That way to sign in is connected.")).to_be_visible()
    demo.picture(page, "provider-connected")
    sign_out(page)
    go_there(page)
    be(page, "Mary at the provider")
    expect_signed_in(page, "Mary Jackson")
    page.goto("/auth/account")
    page.get_by_role("button", name="Disconnect the demo’s own provider").click()
    expect(page.get_by_text("That way to sign in is disconnected.")).to_be_visible()
    open_mail(page, "A way to sign in was removed", "mary@example.com")
    sign_out(page)
    go_there(page)
    be(page, "Mary at the provider")
    expect(page.get_by_role("heading", name="One more thing")).to_be_visible()
    sign_in(page, "mary@example.com", PASSWORD)
    expect_signed_in(page, "Mary Jackson")


@without_script
def test_the_last_way_in_stays(demo: Demo) -> None:
    page = demo.window()
    go_there(page)
    be(page, "Annie Easley", "annie@provider.example")
    page.goto("/auth/account")
    page.get_by_role("button", name="Disconnect the demo’s own provider").click()
    expect(page.get_by_text("This is your only way to sign in.")).to_be_visible()
    demo.picture(page, "provider-last-way-in")
    sign_out_from(page)
    go_there(page)
    be(page, "Annie Easley", "annie@provider.example")
    expect_signed_in(page, "Annie Easley")


def sign_out_from(page: Page) -> None:
    page.goto("/")
    sign_out(page)


@with_script
def test_the_vault_opens_to_whoever_signs_in_at_the_provider_anew(demo: Demo) -> None:
    page = demo.window()
    name = f"Dorothy Vaughan {demo.script}"
    go_there(page)
    be(page, name, f"dorothy-{demo.script}@provider.example")
    expect_signed_in(page, name)
    demo.clock.move(timedelta(minutes=2))
    go_there(page, "/vault", "Confirm with the demo’s own provider")
    expect(page.get_by_text("and for a fresh sign-in")).to_be_visible()
    expect(page.get_by_role("button", name="Go on as")).to_have_count(0)
    be(page, "Somebody else", "somebody@provider.example")
    expect(page.get_by_text("This belongs to another account.")).to_be_visible()
    go_there(page, "/vault", "Confirm with the demo’s own provider")
    be(page, name, f"dorothy-{demo.script}@provider.example")
    expect(page.get_by_text(f"The vault is open, {name}.")).to_be_visible()


# ---- browsers do more than go on ----


@with_script
def test_the_way_back_leads_to_no_second_sign_in_and_ends_no_session(demo: Demo) -> None:
    page = demo.window()
    called: list[str] = []
    page.on("response", lambda answer: called.append(answer.url) if "/callback?" in answer.url else None)
    go_there(page)
    be(page, "Radia Perlman", f"radia-{demo.script}@provider.example")
    expect_signed_in(page, "Radia Perlman")
    page.go_back()
    expect(page.get_by_role("heading", name="Choose who you want to be")).to_be_visible()
    be(page, "Somebody else", "somebody@provider.example")
    expect(page.get_by_text(NOT_FINISHED)).to_be_visible()
    page.goto(called[0])
    expect(page.get_by_text(NOT_FINISHED)).to_be_visible()
    page.goto("/")
    expect_signed_in(page, "Radia Perlman")


@without_script
def test_two_tabs_at_the_provider_at_once_do_not_disturb_each_other(demo: Demo) -> None:
    first = demo.window()
    second = first.context.new_page()
    go_there(first)
    go_there(second)
    be(first, "Barbara Liskov", "barbara@provider.example")
    expect_signed_in(first, "Barbara Liskov")
    be(second, "Barbara Liskov", "barbara@provider.example")
    expect(second.locator("h1")).to_be_visible()
    second.goto("/")
    expect_signed_in(second, "Barbara Liskov")
    first.goto("/me")
    expect(first.get_by_role("heading", name="You", exact=True)).to_be_visible()


# ---- what they look like ----


@with_script
def test_the_pages_of_the_way_can_be_read_by_everybody(demo: Demo) -> None:
    page = demo.window()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto("/auth/sign-up")
    found = look_at(demo, page, "provider-sign-up")
    go_there(page)
    found += look_at(demo, page, "provider-choose")
    page.get_by_role("button", name="Ada Lovelace").click()
    found += look_at(demo, page, "provider-complete")
    go_there(page)
    be(page, "Evelyn Boyd", "evelyn@provider.example")
    expect_signed_in(page, "Evelyn Boyd")
    for path in ("/auth/account", "/auth/prove"):
        page.goto(path)
        found += look_at(demo, page, f"provider-{path.rsplit('/', 1)[1]}")
    page.goto("/provider/authorize?client_id=another")
    found += look_at(demo, page, "provider-refused")
    assert found == []
    assert [line for line in said if "400" not in line] == []  # Chromium notes the page that is refused
