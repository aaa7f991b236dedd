"""What is configured wrongly never starts: S57. All problems at once, each in a sentence that says what to do."""

from pathlib import Path
from typing import Any

import pytest

from powauth import (
    Backoff,
    ConfigurationError,
    Context,
    Extension,
    Fields,
    Form,
    Link,
    Manifest,
    NoForm,
    Passwords,
    Pepper,
    Request,
    SessionSettings,
    Shown,
)
from powauth.extensions import sign_in
from powauth.extensions.audit import event_log
from powauth.extensions.manage_account import ManageAccount
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.plan import Paths
from powauth.routing import Get
from tests.house import SECRET, house

pytestmark = pytest.mark.anyio


async def problems(folder: Path, **settings: Any) -> tuple[str, ...]:
    try:
        async with house(folder, **settings):
            return ()
    except ConfigurationError as error:
        return error.problems


async def nothing(request: Request[NoForm], ctx: Context) -> Shown:
    return Shown()


class Late(Extension):
    name = "late"
    after = (SignIn,)


class Same(Extension):
    name = "sign_in"


class Clashing(Extension):
    name = "clashing"

    def manifest(self) -> Manifest:
        return Manifest(routes=(Get(name="x", path="/sign-in", show=nothing),))


class Dangling(Extension):
    name = "dangling"

    def manifest(self) -> Manifest:
        return Manifest(
            links=(Link(on=sign_in.NEW, to=Get(name="x", path="/nowhere", show=nothing), text="x"),),
            messages={"x": "x"},
        )


class Twice(Form):
    password: str = ""


class Doubling(Extension):
    name = "doubling"

    def manifest(self) -> Manifest:
        return Manifest(fields=(Fields(on=sign_in.NEW, form=Twice),))


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("secret is shorter", {"secret": ""}),
    ("secret is shorter", {"secret": "short"}),
    ("secret is shorter", {"secret": (SECRET, "short")}),
    ("secret is missing", {"secret": ()}),
    ("looks like a default", {"secret": "a" * 64}),
    ("looks like a default", {"secret": "changeme-changeme-changeme-changeme-0123456789"}),
    ("listed twice", {"secret": (SECRET, SECRET)}),
    ("name", {"name": "Power Auth"}),
    ("name", {"name": ""}),
    ("whole address", {"base_url": ""}),
    ("whole address", {"base_url": "example.com/auth"}),
    ("whole address", {"base_url": "ftp://example.com/auth"}),
    ("whole address", {"base_url": "https:///auth"}),
    ("whole address", {"base_url": "https://[::1/auth"}),
    ("whole address", {"base_url": "https://example.com/auth?x=1"}),
    ("whole address", {"base_url": "https://example.com/auth#x"}),
    ("whole address", {"base_url": "https://ada:secret@example.com/auth"}),
    ("whole address", {"base_url": "https://exa mple.com/auth"}),
    ("whole address", {"base_url": "https://example.com:99999/auth"}),
    ("whole address", {"base_url": "https://2130706433/auth"}),
    ("use https", {"base_url": "http://example.com/auth"}),
    ("add the path", {"base_url": "https://example.com"}),
    ("add the path", {"base_url": "https://example.com/"}),
    ("mailer", {"mailer": None}),
    ("origins", {"origins": ["*"]}),
    ("origins", {"origins": ["null"]}),
    ("origins", {"origins": ["app.example.com"]}),
    ("origins", {"origins": ["https://app.example.com/x"]}),
    ("origins", {"origins": ["https://*.example.com"]}),
    ("origins", {"origins": ["https://ada@app.example.com"]}),
    ("origins", {"origins": ["https://app.example.com:99999"]}),
    ("origins", {"origins": "https://app.example.com"}),
    ("app_links", {"app_links": ["javascript:/x"]}),
    ("app_links", {"app_links": ["http://evil.example/"]}),
    ("app_links", {"app_links": ["com.example.app"]}),
    ("identifiers", {"identifiers": ()}),
    ("identifiers", {"identifiers": ("phone",)}),
    ("put a star before them", {"hooks": [event_log()]}),
    ("nothing is no hook: write on(event, function)", {"hooks": [nothing]}),
    ("trusted_proxies", {"trusted_proxies": ["proxy.example"]}),
    ("trusted_proxies", {"trusted_proxies": ["10.0.0.1/8"]}),
    ("paths", {"paths": Paths(after_sign_in="https://evil.example")}),
    ("paths", {"paths": Paths(home="")}),
    ("paths", {"paths": Paths(after_sign_out="//evil.example/")}),
    ("paths", {"paths": Paths(after_close="/\\evil.example")}),
    ("paths", {"paths": Paths(after_sign_up="/ホーム")}),
    ("idle", {"sessions": SessionSettings(idle=SessionSettings().absolute * 2)}),
    ("renew_every", {"sessions": SessionSettings(renew_every=SessionSettings().idle * 0)}),
    ("most_per_account", {"sessions": SessionSettings(most_per_account=0)}),
    ("min_length", {"passwords": Passwords(min_length=4)}),
    ("cost too much", {"passwords": Passwords(memory=2**30)}),
    ("memory at least", {"passwords": Passwords(memory=1)}),
    ("secret is too short", {"passwords": Passwords(peppers=[Pepper("a", "short")])}),
    ("requires sign_in", {"extensions": [SignUp()]}),
    ("listed twice", {"extensions": [SignIn(), SignIn()]}),
    ("listed twice", {"extensions": [SignIn(), Same()]}),
    ("has to stand after", {"extensions": [Late(), SignIn()]}),
    ("is served by", {"extensions": [SignIn(), Clashing()]}),
    ("which nobody serves", {"extensions": [SignIn(), Dangling()]}),
    ("on /sign-in already", {"extensions": [SignIn(), Doubling()]}),
]


@pytest.mark.parametrize(("part", "settings"), WRONG)
async def test_a_mistake_stops_the_start_and_is_told(tmp_path: Path, part: str, settings: dict[str, Any]) -> None:
    """S57."""
    found = await problems(tmp_path, **settings)
    assert any(part in problem for problem in found), found


async def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """S57."""
    together: dict[str, Any] = {}
    parts: list[str] = []
    for part, settings in WRONG:
        if not settings.keys() & {*together, "mailer"}:  # only where there is an address is it asked for
            together |= settings
            parts.append(part)
    found = await problems(tmp_path, **together)
    assert [part for part in parts if not any(part in problem for problem in found)] == []
    assert len(found) == len(set(found))


async def test_what_is_right_starts(tmp_path: Path) -> None:
    """S57: the twin."""
    right: list[dict[str, Any]] = [
        {"base_url": "http://localhost:8000/auth", "mailer": None},
        {"base_url": "https://[2001:db8::1]:8443/a/b", "origins": ["https://app.example.com", "http://localhost:3000"]},
        {"extensions": [SignIn(), ManageAccount(), Late()], "backoff": Backoff(free=3)},
        {"hooks": [*event_log()]},
    ]
    for number, settings in enumerate(right):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert await problems(folder, **settings) == ()
