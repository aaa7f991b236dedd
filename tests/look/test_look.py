"""The pages in Chromium: read by axe, by keyboard, on a telephone, in the dark, and under the policy they promise."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from tests import servers
from tests.look import preview

SITE = "http://look.test"  # answered by `serve`, never by a network
POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'"
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
PHONE, DESKTOP = (320, 640), (1280, 900)
TARGET = 44  # CSS pixels; WCAG 2.2, 2.5.5 (AAA)
Scheme = Literal["light", "dark"]


@pytest.fixture(scope="module")  # as long as it is open, no asynchronous test can run in this process
def browser(chromium_path: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=[*servers.CHROMIUM_FLAGS])
        yield browser
        browser.close()


def serve(route: Route) -> None:
    """Answer with a page of the preview or a file of the theme, under the policy."""
    name = urlsplit(route.request.url).path
    templates = preview.templates()
    if name.startswith("/assets/"):
        body, kind = templates.asset(name.removeprefix("/assets/")) or (b"", "text/plain")
        route.fulfill(body=body, content_type=kind)
    elif name[1:] in preview.pages():
        html = templates.page(preview.pages()[name[1:]])
        route.fulfill(body=html, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": POLICY})
    else:
        route.fulfill(body="sent", content_type="text/plain")


@contextmanager
def window(
    browser: Browser, size: tuple[int, int] = DESKTOP, scheme: Scheme = "light", *, script: bool = True
) -> Generator[Page, None, None]:
    context: BrowserContext = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, java_script_enabled=script
    )
    context.route("**/*", serve)
    yield context.new_page()
    context.close()


def focused(page: Page) -> str:
    """Return what a person would call the element that has the focus."""
    return str(
        page.evaluate("""() => {
            const e = document.activeElement;
            return e.name || e.getAttribute("aria-label") || e.textContent.trim().replace(/\\s+/g, " ");
        }""")
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_axe_finds_nothing(browser: Browser, size: tuple[int, int], scheme: Scheme) -> None:
    found: list[str] = []
    with window(browser, size, scheme) as page:
        for name in preview.pages():
            page.goto(f"{SITE}/{name}")
            for violation in Axe().run(page, options=WCAG).response["violations"]:
                nodes = [f"{node['target']} {node['failureSummary']}" for node in violation["nodes"][:3]]
                found.append(f"{name}: {violation['id']}: {nodes}")
    assert found == []


def test_axe_would_say_so(browser: Browser) -> None:
    with window(browser) as page:
        page.goto(f"{SITE}/sign_in")
        page.evaluate("document.querySelector('label').remove()")
        page.evaluate("document.querySelector('h1').style.color = '#ccc'")
        found = {violation["id"] for violation in Axe().run(page, options=WCAG).response["violations"]}
        assert found == {"label", "color-contrast"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_on_a_button_under_the_mouse_keep_their_contrast(browser: Browser, scheme: Scheme) -> None:
    found: list[str] = []
    with window(browser, DESKTOP, scheme) as page:
        for name, selectors in {
            "sign_in_providers": (".button", ".button.quiet", ".reveal", ".links .link"),
            "account": (".button.danger", ".navigation .link", ".navigation [aria-current]"),
            "sessions": (".button.quiet.danger",),
        }.items():
            page.goto(f"{SITE}/{name}")
            for selector in selectors:
                page.locator(selector).first.hover()
                page.wait_for_timeout(150)  # the colour's transition, which is the browser's own clock
                run = Axe().run(page, context=selector, options={"runOnly": ["color-contrast"]})
                found += [f"{name}: {v['nodes'][0]['html']}" for v in run.response["violations"]]
                assert run.response["passes"], selector
    assert found == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_on_the_ribbon_can_be_read(browser: Browser, scheme: Scheme) -> None:
    """Axe does not judge words above a pseudo-element."""
    with window(browser, DESKTOP, scheme) as page:
        page.goto(f"{SITE}/sessions")
        for selector in (".brand-name", ".who"):
            ratio = page.evaluate(
                """(selector) => {
                    const context = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
                    const luminance = (colour) => {
                        context.fillStyle = colour;
                        context.fillRect(0, 0, 1, 1);
                        const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((part) =>
                            part <= 10 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
                        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
                    };
                    const ground = luminance(getComputedStyle(document.querySelector(".top")).backgroundColor);
                    const words = luminance(getComputedStyle(document.querySelector(selector)).color);
                    return (Math.max(words, ground) + 0.05) / (Math.min(words, ground) + 0.05);
                }""",
                selector,
            )
            assert ratio >= 4.5, selector  # WCAG 2.2, 1.4.3


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_nothing_scrolls_sideways(browser: Browser, size: tuple[int, int]) -> None:
    with window(browser, size) as page:
        for name in preview.pages():
            page.goto(f"{SITE}/{name}")
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0], name
            outside = page.evaluate(
                """(width) => [...document.querySelectorAll("main *, .top > *")]
                    .filter((e) => !e.closest("[hidden], .hidden") && e.getBoundingClientRect().right > width + 0.5)
                    .map((e) => e.outerHTML.slice(0, 80))""",
                size[0],
            )
            assert outside == [], name


def test_the_policy_is_never_broken_and_nothing_fails(browser: Browser) -> None:
    said: list[str] = []
    with window(browser) as page:
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        for name in preview.pages():
            page.goto(f"{SITE}/{name}")
            assert page.evaluate("getComputedStyle(document.querySelector('.top')).position") == "relative"
    assert said == []


def test_whatever_is_pressed_is_large_enough_for_a_thumb(browser: Browser) -> None:
    with window(browser, PHONE) as page:
        for name in preview.pages():
            page.goto(f"{SITE}/{name}")
            small = page.evaluate(
                """(least) => [...document.querySelectorAll(
                    "button, .link, .brand, select, textarea, label:has(input), input:not([type=checkbox])")]
                    .filter((e) => !e.hidden && !["hidden", "radio"].includes(e.type))
                    .filter((e) => e.getBoundingClientRect().height < least)
                    .map((e) => e.outerHTML.slice(0, 80))""",
                TARGET,
            )
            assert small == [], name


def test_sign_in_by_keyboard_alone_goes_from_top_to_bottom(browser: Browser) -> None:
    with window(browser) as page:
        page.goto(f"{SITE}/sign_in_notice")
        order: list[str] = []
        for _ in range(9):
            page.keyboard.press("Tab")
            order.append(focused(page))
            outline = "getComputedStyle(document.activeElement).outlineStyle"
            assert page.evaluate(outline) == "solid", order[-1]
        assert order == [
            "Skip to content",
            "L Lovelace & Co",
            "email",
            "password",
            "Show password",
            "remember",
            "Sign in",
            "Forgot your password?",
            "Create an account",
        ]


def test_the_skip_link_shows_itself_and_leads_past_the_navigation(browser: Browser) -> None:
    with window(browser) as page:
        page.goto(f"{SITE}/sessions")
        page.keyboard.press("Tab")
        assert page.locator(".skip").bounding_box() is not None
        assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert focused(page) == "Sign out"


def test_typing_can_begin_at_once_and_goes_first_where_something_is_wrong(browser: Browser) -> None:
    with window(browser) as page:
        page.goto(f"{SITE}/sign_in")
        assert focused(page) == "email"
        page.goto(f"{SITE}/sign_in_refused")
        assert focused(page) == "password"
        page.goto(f"{SITE}/sign_up_errors")
        assert focused(page) == "name"


def test_a_password_can_be_looked_at_and_leaves_as_a_password(browser: Browser) -> None:
    with window(browser) as page:
        page.goto(f"{SITE}/sign_in")
        password = page.locator("[name=password]")
        page.get_by_role("button", name="Show password").click()
        assert password.get_attribute("type") == "text"
        page.get_by_role("button", name="Hide password").click()
        assert password.get_attribute("type") == "password"
        page.get_by_role("button", name="Show password").click()
        page.evaluate("addEventListener('submit', (event) => event.preventDefault())")
        page.get_by_role("button", name="Sign in", exact=True).click()
        assert password.get_attribute("type") == "password"


def test_a_form_on_its_way_is_not_sent_again_until_one_comes_back(browser: Browser) -> None:
    with window(browser) as page:
        page.goto(f"{SITE}/sign_in")
        prevented = """() => {
            const event = new Event("submit", {cancelable: true});
            document.querySelector("form").dispatchEvent(event);
            return event.defaultPrevented;
        }"""
        assert not page.evaluate(prevented)
        assert page.evaluate(prevented)
        page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
        assert not page.evaluate(prevented)


def test_without_script_a_form_is_filled_in_and_sent(browser: Browser) -> None:
    with window(browser, script=False) as page:
        page.goto(f"{SITE}/sign_in")
        assert page.locator(".reveal").count() == 0
        page.locator("[name=email]").fill("ada@example.com")
        page.locator("[name=password]").fill("correct horse")
        with page.expect_request(f"{SITE}/auth/sign-in") as sent:
            page.get_by_role("button", name="Sign in").click()
        assert sent.value.post_data == "email=ada%40example.com&password=correct+horse"


def test_whoever_wants_no_motion_gets_none(browser: Browser) -> None:
    with window(browser) as page:
        page.emulate_media(reduced_motion="reduce")
        page.goto(f"{SITE}/sign_in")
        assert page.evaluate("getComputedStyle(document.querySelector('.button')).transitionProperty") == "none"


def test_forced_colors_keep_every_control_in_sight(browser: Browser) -> None:
    with window(browser) as page:
        page.emulate_media(forced_colors="active")
        for name in ("every_kind_errors", "sessions"):
            page.goto(f"{SITE}/{name}")
            bare = page.evaluate("""() => [...document.querySelectorAll(
                    "input:not([type=checkbox], [type=radio]), select, textarea, .button")]
                .filter((e) => !e.hidden && e.type !== "hidden" && getComputedStyle(e).borderStyle === "none")
                .map((e) => e.outerHTML.slice(0, 80))""")
            assert bare == [], name


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_every_page_has_its_picture_taken(browser: Browser, size: tuple[int, int], scheme: Scheme) -> None:
    folder = preview.output()
    with window(browser, size, scheme) as page:
        for name in preview.pages():
            page.goto(f"{SITE}/{name}")
            picture = folder / f"{name}-{size[0]}-{scheme}.png"
            page.screenshot(path=picture, full_page=True)
            assert picture.stat().st_size > 0
