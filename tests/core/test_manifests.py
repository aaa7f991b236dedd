"""What a manifest that says something wrong is told at start, and whose words its pages have."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Annotated

import pytest

from powauth import (
    ConfigurationError,
    Context,
    Extension,
    FieldError,
    Fields,
    Form,
    FormPage,
    Get,
    InvalidForm,
    Key,
    MailKind,
    Manifest,
    MustBeTicked,
    NoForm,
    Outcome,
    Record,
    Request,
    Shown,
    SigningUp,
    on,
)
from powauth.extensions import sign_up
from powauth.extensions.sign_in import NEW as SIGN_IN
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp, SignUpForm
from tests.house import PASSWORD, House, all_extensions, house

pytestmark = pytest.mark.anyio

JSON = {"accept": "application/json"}


class Tick(Form):
    """A box that one extension adds."""

    agree: Annotated[bool, MustBeTicked()]


def another_tick() -> type[Form]:
    class Tick(Form):
        """A box of the same class name and field, of another extension."""

        agree: bool = False

    return Tick


async def refuse(event: SigningUp, ctx: Context) -> None:
    if event.new.email == "mallory@example.com":
        raise InvalidForm({"agree": [FieldError("clubs.full", {"places": 40})]})


class Clubs(Extension):
    """Adds a box to the sign-up page."""

    name = "clubs"

    def manifest(self) -> Manifest:
        return Manifest(
            fields=(Fields(on=sign_up.NEW, form=Tick),),
            hooks=(on(SigningUp, refuse),),
            messages={"field.agree": "I like clubs", "full": "All {places} places are taken."},
        )


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path, extensions=(*all_extensions(), Clubs())) as opened:
        yield opened


async def problems(folder: Path, *extensions: Extension) -> str:
    with pytest.raises(ConfigurationError) as refused:
        async with house(folder, extensions=extensions):
            raise AssertionError
    return str(refused.value)


# ---- words ----


async def test_a_field_has_the_words_of_the_extension_that_added_it(home: House) -> None:
    assert "I like clubs" in (await home.site().get("/sign-up")).text


async def test_an_extension_has_words_for_errors_of_its_own(home: House) -> None:
    ill = {"email": "mallory@example.com", "password": PASSWORD, "agree": True}
    assert "All 40 places are taken." in (await home.site().post("/sign-up", **ill)).text
    refused = await home.site().program().post("/sign-up", **ill)
    (error,) = refused.json["errors"]["agree"]
    assert error == {"code": "clubs.full", "message": "All 40 places are taken."}


async def test_pages_forms_and_mails_without_words_are_refused(tmp_path: Path) -> None:
    async def submit(request: Request[NoForm], ctx: Context) -> Outcome:
        return Shown()

    page = FormPage(name="silent", path="/silent", form=NoForm, submit=submit)

    class Silent(Extension):
        name = "silence"

        def manifest(self) -> Manifest:
            mail = MailKind("hush", page=page)
            return Manifest(routes=(page,), mails=(mail,), messages={"hush.subject": "", "hush.body": ""})

    told = await problems(tmp_path, SignIn(), Silent())
    assert "silence: the page 'silent' has no title: add silent.title to messages" in told
    assert "silence: the form 'silent' has no words on its button: add silent.submit to messages" in told
    assert "silence: the mail 'hush' has no words on its button: add hush.button to messages" in told


# ---- clashes ----


async def test_two_extensions_do_not_add_one_field_to_one_page(tmp_path: Path) -> None:
    class Rivals(Extension):
        name = "rivals"

        def manifest(self) -> Manifest:
            return Manifest(fields=(Fields(on=sign_up.NEW, form=another_tick()),))

    told = await problems(tmp_path, SignUp(), SignIn(), Clubs(), Rivals())
    assert "rivals: the field 'agree' is on /sign-up already: rename it" in told


async def test_an_added_field_is_not_one_of_the_applications_own_form(tmp_path: Path) -> None:
    class MySignUp(SignUpForm):
        agree: bool = False

    told = await problems(tmp_path, SignUp(form=MySignUp), SignIn(), Clubs())
    assert "clubs: the field 'agree' is on /sign-up already: rename it" in told


async def test_a_page_of_another_manifest_is_neither_changed_nor_removed() -> None:
    manifest = SignUp().manifest()
    with pytest.raises(ConfigurationError, match=r"new \(/sign-in\) is no page of this manifest"):
        manifest.with_page(SIGN_IN, path="/enter")
    with pytest.raises(ConfigurationError, match=r"new \(/sign-in\) is no page of this manifest"):
        manifest.without(SIGN_IN)


async def test_a_changed_page_is_still_named_by_its_first_value() -> None:
    async def show(request: Request[NoForm], ctx: Context) -> Outcome:
        return Shown()

    page = Get(name="page", path="/page", show=show)
    moved = Manifest(routes=(page,)).with_page(page, path="/moved")
    assert [route.page.path for route in moved.with_page(page, path="/moved-again").served()] == ["/moved-again"]
    assert moved.without(page).served() == ()


async def test_a_record_has_no_field_that_counts_its_states() -> None:
    with pytest.raises(ConfigurationError, match=r"Edition\.version: every record counts its states there"):

        class Edition(Record, table="editions"):  # pyright: ignore[reportUnusedClass]
            id: Annotated[str, Key()]
            version: str = ""  # type: ignore[assignment]
