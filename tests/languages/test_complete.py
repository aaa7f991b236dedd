"""Words are complete: every code has them in every language that ships, with the same places for values."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import powauth
from powauth.catalogues import places, source
from powauth.cli.catalogues import opened, said
from powauth.errors import AuthError
from powauth.forms import form_fields
from powauth.languages import Languages
from powauth.messages import CORE_MESSAGES
from powauth.routing import form_of
from tests.catalogues import TRANSLATED, english, houses, read, shipped, written
from tests.docs.test_reference import below

HOUSES = houses()
ALL = [
    pytest.param(folder, language, id=f"{folder.parent.name}-{language}")
    for folder in HOUSES
    for language in TRANSLATED
]
SOURCE = Path(powauth.__file__).parent


@pytest.mark.parametrize(("folder", "language"), ALL)
def test_no_code_is_without_words(folder: Path, language: str) -> None:
    assert HOUSES[folder].gaps(language) == ()


@pytest.mark.parametrize(("folder", "language"), ALL)
def test_no_words_are_without_a_code(folder: Path, language: str) -> None:
    assert set(read(folder, language)) <= set(HOUSES[folder].codes)


@pytest.mark.parametrize(("folder", "language"), ALL)
def test_a_translation_has_the_places_of_the_english_words(folder: Path, language: str) -> None:
    house = HOUSES[folder]
    said = house.said(language)
    assert {code: places(text) for code, text in said.items()} == {code: places(house.english[code]) for code in said}


@pytest.mark.parametrize(("folder", "language"), ALL)
def test_what_gettext_reads_is_what_translators_wrote(folder: Path, language: str) -> None:
    """`make messages` compiles what changed."""
    assert read(folder, language) == written(folder, language)


@pytest.mark.parametrize(("folder", "language"), ALL)
def test_the_english_words_that_were_translated_are_those_of_now(folder: Path, language: str) -> None:
    """`make messages` marks what has to be looked at again."""
    catalog = opened(source(folder, language), language)
    now = {code: " ".join(text.split()) for code, text in HOUSES[folder].english.items()}
    assert {str(message.id): said(message) for message in catalog if message.id} == now


@pytest.mark.parametrize(("folder", "language"), ALL)
def test_a_mail_has_as_many_paragraphs_as_in_english_and_a_line_nowhere_ends_in_a_space(
    folder: Path, language: str
) -> None:
    house = HOUSES[folder]
    for code, text in house.said(language).items():
        assert text.count("\n") == house.english[code].count("\n"), code
        assert all(line == line.strip() for line in text.split("\n")), code


@pytest.mark.parametrize("language", ["en", *TRANSLATED])
def test_the_months_are_twelve(language: str) -> None:
    months = next(iter(HOUSES.values())).said(language)["theme.months"]
    assert len(months.split()) == 12


# ---- every code that somebody may be shown has words at all ----


def test_every_outcome_has_words() -> None:
    codes = {f"problem.{kind.code}" if "." not in kind.code else kind.code for kind in below(AuthError)}
    assert codes <= set(english())


def test_every_field_has_words() -> None:
    words = english()
    for extension in shipped():
        manifest = extension.manifest()
        forms = [form_of(route.page) for route in manifest.served()] + [added.form for added in manifest.fields]
        for known in (known for form in forms if form for known in form_fields(form) if known.kind != "hidden"):
            codes = {f"field.{known.name}", f"{extension.name}.field.{known.name}"}
            assert codes & set(words), f"{extension.name}: {known.name}"


def calls(name: str) -> Iterator[tuple[Path, ast.Call]]:
    """Give every call of that name in the package."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                yield path, node


def test_every_error_of_a_field_has_words() -> None:
    codes: set[str] = set()
    for path, call in calls("FieldError"):
        if call.args and isinstance(call.args[0], ast.Constant):
            code = str(call.args[0].value)
            codes.add(
                code if "." in code else f"error.password_{code}" if "passwords" in path.parts else f"error.{code}"
            )
    assert len(codes) > 5
    assert codes <= set(english())


def test_every_notice_has_words() -> None:
    words, found = english(), 0
    for name in ("Done", "Proved"):
        for path, call in calls(name):
            for keyword in call.keywords:
                notice = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
                if keyword.arg == "notice" and isinstance(notice, str):
                    extension = path.relative_to(SOURCE / "extensions").parts[0]
                    assert f"{extension}.{notice}" in words, path
                    found += 1
    assert found > 5


def test_a_test_of_this_kind_sees_what_is_missing() -> None:
    broken: Mapping[str, str] = {**CORE_MESSAGES, "shop.new": "New words"}
    assert Languages(english=broken).gaps("de") == ("shop.new",)
