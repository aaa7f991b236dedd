"""Words that others bring: an application's catalogues, an extension's, and what is refused of them at start."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from powauth import ConfigurationError, Extension, FormPage, Manifest, NoForm, Outcome, Shown, Tenant, TenantsByHost
from powauth.catalogues import compiled, source
from powauth.context import Context
from powauth.extensions.sign_in import SignIn
from powauth.http import Request
from tests.catalogues import english, write
from tests.house import all_extensions, house

pytestmark = pytest.mark.anyio

GERMAN, ITALIAN = {"accept-language": "de"}, {"accept-language": "it"}


async def show(request: Request[NoForm], ctx: Context) -> Outcome:
    return Shown()


class Chess(Extension):
    """An extension of somebody else's."""

    folder: Path | None = None

    name = "chess"

    def __post_init__(self) -> None:
        object.__setattr__(self, "locale", self.folder)

    def manifest(self) -> Manifest:
        page = FormPage(name="new", path="/chess", form=NoForm, show=show, submit=show)
        messages = {"new.title": "A game of chess", "new.submit": "Move", "new.intro": "Your turn"}
        return Manifest(routes=(page,), messages=messages)


async def problems(folder: Path, **settings: Any) -> tuple[str, ...]:
    try:
        async with house(folder, **settings):
            return ()
    except ConfigurationError as error:
        return error.problems


async def test_an_extension_brings_its_own_catalogue_and_english_stands_in_for_what_it_lacks(tmp_path: Path) -> None:
    folder = write(tmp_path / "chess", "de", {"chess.new.title": "Eine Partie Schach", "chess.new.submit": "Ziehen"})
    async with house(tmp_path, extensions=(SignIn(), Chess(folder=folder))) as home:
        text = (await home.site().get("/chess", headers=GERMAN)).text
        assert "<h1>Eine Partie Schach</h1>" in text
        assert "Ziehen" in text
        assert "Your turn" in text
        assert "Zum Inhalt springen" in text
        assert home.auth.plan.languages.gaps("de") == ("chess.new.intro",)
        assert home.auth.plan.languages.gaps("fr") == ("chess.new.title", "chess.new.submit", "chess.new.intro")


async def test_an_applications_catalogue_comes_before_every_other(tmp_path: Path) -> None:
    chess = write(tmp_path / "chess", "de", {"chess.new.title": "Eine Partie Schach"})
    own = write(tmp_path / "own", "de", {"chess.new.title": "Königlich spielen", "sign_in.new.title": "Herein"})
    async with house(tmp_path, extensions=(SignIn(), Chess(folder=chess)), locale=own) as home:
        assert "<h1>Königlich spielen</h1>" in (await home.site().get("/chess", headers=GERMAN)).text
        assert "<h1>Herein</h1>" in (await home.site().get("/sign-in", headers=GERMAN)).text
        assert "<h1>Sign in</h1>" in (await home.site().get("/sign-in")).text


async def test_a_language_that_powauth_does_not_speak_is_added(tmp_path: Path) -> None:
    folder = write(tmp_path / "locale", "it", {"sign_in.new.title": "Accedi", "field.email": "Indirizzo e-mail"})
    async with house(tmp_path, languages=("en", "it"), locale=folder) as home:
        answer = await home.site().get("/sign-in", headers=ITALIAN)
        assert '<html lang="it">' in answer.text
        assert "<h1>Accedi</h1>" in answer.text
        assert "Skip to content" in answer.text


async def test_a_regional_language_takes_what_it_lacks_from_the_wider_one(tmp_path: Path) -> None:
    folder = write(tmp_path / "locale", "de-AT", {"sign_in.new.title": "Grüß Gott"})
    async with house(tmp_path, languages=("en", "de-AT"), locale=folder) as home:
        text = (await home.site().get("/sign-in", headers={"accept-language": "de-AT"})).text
        assert '<html lang="de-AT">' in text
        assert "<h1>Grüß Gott</h1>" in text
        assert "Zum Inhalt springen" in text


async def test_words_of_the_application_that_only_its_own_language_has_are_better_than_a_code(tmp_path: Path) -> None:
    async with house(tmp_path, language="de", messages={"sign_up.help.email": "Nur für Sie"}) as home:
        assert "Nur für Sie" in (await home.site().get("/sign-up", headers={"accept-language": "en"})).text
        assert home.auth.plan.languages.gaps("en") == ("sign_up.help.email",)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"languages": ("en", "german")}, "'german' is no language"),
        ({"languages": ("en", "de_AT")}, "'de_AT' is no language"),
        ({"languages": "de", "language": "de"}, "'d' is no language"),
        ({"languages": ("de", "fr")}, "language 'en' is not offered"),
        ({"languages": ()}, "language 'en' is not offered"),
        ({"language": "it"}, "language 'it' is not offered"),
        ({"languages": ("en", "it")}, "nothing is said in 'it': make a catalogue with powauth messages"),
        ({"messages": {"sign_in.new.title": "Sign {in"}}, "the words of sign_in.new.title cannot be read"),
        ({"messages": {"sign_in.new.title": "Sign {} in"}}, "the words of sign_in.new.title cannot be read"),
        ({"locale": "/no/such/folder"}, "/no/such/folder is no folder"),
    ],
)
async def test_what_nobody_could_read_is_refused_at_start(
    tmp_path: Path, settings: dict[str, Any], sentence: str
) -> None:
    found = await problems(tmp_path, **settings)
    assert any(sentence in problem for problem in found), found


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            {"error.password_too_short": "Mindestens {least}."},
            "have a place {least} that the English words do not have",
        ),
        ({"sign_in.new.title": "Hallo {name}"}, "have a place {name} that"),
        ({"error.password_too_short": "Mindestens {min.__class__}."}, "have a place {min.__class__} that"),
        ({"error.password_too_short": "Mindestens {min:d}."}, "have a place {min:d} that"),
        ({"sign_in.new.title": "Hallo {"}, "cannot be read"),
        ({"sign_in.new.title": "Hallo {0}"}, "cannot be read"),
    ],
)
async def test_places_that_nobody_would_fill_are_refused_at_start(
    tmp_path: Path, words: Mapping[str, str], sentence: str
) -> None:
    found = await problems(tmp_path, locale=write(tmp_path / "locale", "de", words))
    assert len(found) == 1
    assert sentence in found[0]


async def test_a_translation_may_leave_a_place_out(tmp_path: Path) -> None:
    folder = write(tmp_path / "locale", "de", {"error.password_too_short": "Zu kurz."})
    assert await problems(tmp_path, locale=folder) == ()


async def test_a_catalogue_that_was_not_compiled_is_refused_at_start(tmp_path: Path) -> None:
    folder = write(tmp_path / "locale", "it", {"sign_in.new.title": "Accedi"})
    compiled(folder, "it").unlink()
    found = await problems(tmp_path, languages=("en", "it"), locale=folder)
    assert any("powauth.mo is missing: compile the powauth.po beside it" in problem for problem in found), found


@pytest.mark.parametrize("content", [b"", b"no catalogue", b"\xde\x12\x04\x95" + b"\xff" * 40])
async def test_a_catalogue_that_is_none_is_refused_at_start(tmp_path: Path, content: bytes) -> None:
    folder = write(tmp_path / "locale", "de", {"sign_in.new.title": "Herein"})
    compiled(folder, "de").write_bytes(content)
    found = await problems(tmp_path, locale=folder)
    assert [problem for problem in found if "is no catalogue: compile it again" in problem] == list(found) != []


async def test_a_tenants_language_has_to_be_offered(tmp_path: Path) -> None:
    by_host = TenantsByHost({"red.example": Tenant("red", "https://red.example/auth", language="it")})
    found = await problems(tmp_path, tenant=by_host)
    assert found == ("tenant 'red': its language 'it' is not offered: add it to languages",)


async def test_nothing_is_missing_in_a_house_with_everything(tmp_path: Path) -> None:
    async with house(tmp_path, extensions=all_extensions()) as home:
        assert [home.auth.plan.languages.gaps(tag) for tag in ("en", "de", "fr")] == [(), (), ()]


def test_the_source_of_a_catalogue_stands_beside_what_is_read(tmp_path: Path) -> None:
    assert source(tmp_path, "pt-BR") == tmp_path / "pt_BR" / "LC_MESSAGES" / "powauth.po"
    assert len(english()) > 100
