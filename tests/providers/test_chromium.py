"""There and back in Chromium, through pages that nobody here wrote: npm's `oidc-provider`, and `emulate`'s."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from powauth.oauth import Network, OpenIDConnect
from powauth.oauth.code_flow import CodeFlow
from powauth.providers import Entra, Okta
from tests import servers
from tests.providers.application import KNOWN, served
from tests.providers.test_emulated import AT_HOME, POST, Linear, Slack, apple, github, google, slack

Port = Callable[[str], int]
CANNOT_FINISH = "This sign-in could not be finished"


def emulated(port: Port) -> list[CodeFlow]:
    """Return the providers that `emulate` imitates."""
    microsoft, linear = f"http://localhost:{port('microsoft')}", f"http://localhost:{port('linear')}"
    return [
        google(port),
        github(port),
        apple(port),
        Entra(
            name="microsoft",
            client_id="ms-id",
            client_secret="ms-secret",
            tenant="consumers",
            issuer=f"{microsoft}/{{tenantid}}/v2.0",
            discovery=f"{microsoft}/.well-known/openid-configuration",
            **AT_HOME,
        ),
        Okta(
            issuer=f"http://localhost:{port('okta')}",
            client_id="okta-id",
            client_secret="okta-secret",
            client_authentication=POST,
            **AT_HOME,
        ),
        slack(Slack, f"http://localhost:{port('slack')}"),
        Linear(
            name="linear",
            client_id="lin-id",
            client_secret="lin-secret",
            client_authentication=POST,
            scopes=("read",),
            authorization_endpoint=f"{linear}/oauth/authorize",
            token_endpoint=f"{linear}/oauth/token",
            userinfo_endpoint=f"{linear}/graphql",
            **AT_HOME,
        ),
    ]


def certified(issuer: str) -> OpenIDConnect:
    """Return the certified provider."""
    return OpenIDConnect(
        name="op",
        title="Certified",
        issuer=issuer,
        client_id="web",
        client_secret="a secret that is long enough to sign with",
        scopes=("email", "profile"),
        network=Network.LOOPBACK,
    )


@pytest.fixture(scope="module")  # as long as it is open, no asynchronous test can run in this process
def chromium(
    chromium_path: Path, emulate_port: Port, openid_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    providers = [*emulated(emulate_port), certified(openid_url)]
    with served(tmp_path_factory.mktemp("app"), providers) as flags, sync_playwright() as playwright:
        args = [*servers.CHROMIUM_FLAGS, *flags]
        browser = playwright.chromium.launch(executable_path=chromium_path, args=args)
        yield browser
        browser.close()


@contextmanager
def window(chromium: Browser, *, script: bool = True) -> Generator[Page]:
    context = chromium.new_context(base_url=f"http://{KNOWN}", java_script_enabled=script)
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


def leave(page: Page, button: str, path: str = "/auth/sign-in") -> None:
    """Press a provider's button, and be there."""
    page.goto(path)
    page.get_by_role("button", name=button, exact=True).click()
    page.wait_for_url(lambda url: KNOWN not in url.partition("?")[0])


def choose(page: Page, who: str) -> None:
    """Be one of the people of `emulate`."""
    page.get_by_role("button").filter(has_text=who).click()


def sign_out(page: Page) -> None:
    page.locator("nav").get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def expect_account(page: Page, email: str) -> None:
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    expect(page.locator(".facts").get_by_text(email)).to_be_visible()


# ---- emulate ----


@pytest.mark.parametrize(
    ("title", "who"),
    [
        ("Google", "ada@example.test"),
        ("GitHub", "octocat@github.example"),
        ("Apple", "ada@icloud.example"),
        ("Microsoft", "ada@outlook.example"),
        ("Okta", "ada@okta.example"),
        ("Linear", "linear@example.test"),
    ],
)
def test_somebody_comes_back_with_an_account_and_is_known_the_next_time(
    chromium: Browser, title: str, who: str
) -> None:
    with window(chromium) as page:
        leave(page, f"Continue with {title}")
        choose(page, who)
        expect_account(page, who)
        sign_out(page)
        leave(page, f"Continue with {title}")
        choose(page, who)
        expect(page.get_by_role("button", name=f"Disconnect {title}")).to_be_visible()


def test_who_tells_no_address_is_asked_for_one(chromium: Browser) -> None:
    with window(chromium) as page:
        leave(page, "Continue with Slack")
        choose(page, "dev@")
        expect(page.get_by_role("heading", name="One more thing")).to_be_visible()
        page.get_by_label("Email address").fill("dev@example.com")
        page.get_by_role("button", name="Create account").click()
        expect_account(page, "dev@example.com")


def test_a_form_that_comes_back_needs_no_script_of_ours(chromium: Browser) -> None:
    with window(chromium, script=False) as page:
        leave(page, "Continue with Apple")
        choose(page, "testuser@icloud.com")
        page.get_by_role("button").click()  # a page of the provider that a script would send by itself
        expect_account(page, "testuser@icloud.com")


def test_a_second_provider_is_connected_to_an_account_and_leads_to_it(chromium: Browser) -> None:
    with window(chromium) as page:
        leave(page, "Continue with Google")
        choose(page, "testuser@gmail.com")
        expect_account(page, "testuser@gmail.com")
        leave(page, "Connect GitHub", "/auth/account")
        choose(page, "ghost")
        expect(page.get_by_text("That way to sign in is connected.")).to_be_visible()
        page.get_by_role("button", name="Disconnect Google").click()
        expect(page.get_by_text("That way to sign in is disconnected.")).to_be_visible()
        sign_out(page)
        leave(page, "Continue with GitHub")
        choose(page, "ghost")
        expect_account(page, "testuser@gmail.com")


# ---- the certified provider ----


def log_in(page: Page, name: str) -> None:
    """Give a name and a password to the certified provider."""
    page.get_by_placeholder("Enter any login").fill(name)
    page.get_by_placeholder("and password").fill("any")
    page.get_by_role("button", name="Sign-in").click()


def test_a_login_and_a_consent_lead_back_and_a_fresh_login_proves_who_it_is(chromium: Browser) -> None:
    with window(chromium, script=False) as page:
        leave(page, "Continue with Certified")
        log_in(page, "mary")
        page.get_by_role("button", name="Continue").click()
        expect_account(page, "mary@example.test")
        leave(page, "Confirm with Certified", "/auth/prove")
        log_in(page, "mary")  # asked again, although the provider knows this browser
        expect(page.get_by_role("heading", name="Your account")).to_be_visible()


def test_a_login_as_somebody_else_proves_nothing(chromium: Browser) -> None:
    with window(chromium) as page:
        leave(page, "Continue with Certified")
        log_in(page, "joan")
        page.get_by_role("button", name="Continue").click()
        expect_account(page, "joan@example.test")
        leave(page, "Confirm with Certified", "/auth/prove")
        log_in(page, "eve")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_text("This belongs to another account.")).to_be_visible()


def test_whoever_turns_back_at_the_provider_is_told_and_may_begin_again(chromium: Browser) -> None:
    with window(chromium) as page:
        leave(page, "Continue with Certified")
        page.get_by_role("link", name="Cancel").click()
        expect(page.get_by_text("You were not signed in")).to_be_visible()
        page.reload()
        expect(page.get_by_text(CANNOT_FINISH)).to_be_visible()
        page.get_by_role("link", name="Sign in", exact=True).click()
        expect(page.get_by_role("button", name="Continue with Certified")).to_be_visible()
