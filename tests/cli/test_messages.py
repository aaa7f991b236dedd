"""`powauth messages`: what has words in which language, and catalogues for those that are missing."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from powauth.catalogues import compiled, read, source
from powauth.cli.catalogues import compile_
from tests.cli.shop import Shop


def rows(shop: Shop, *args: str) -> dict[str, dict[str, str | None]]:
    return {row["code"]: row["words"] for row in shop.data("messages", *args)}


def test_every_code_is_listed_with_its_words_in_every_language(shop: Shop) -> None:
    found = rows(shop)
    assert found["sign_in.new.title"] == {"en": "Sign in", "de": "Anmelden", "fr": "Se connecter"}
    assert {"error.required", "theme.home", "session_list.end.submit"} <= set(found)
    text = shop.run("messages").output
    assert "sign_up.to_sign_in" in text
    assert "Ich habe schon ein Konto" in text


def test_where_nothing_is_missing_all_is_well(shop: Shop) -> None:
    result = shop.run("messages", "--gaps")
    assert (result.exit_code, result.output) == (0, "every message has words\n")


def test_a_gap_is_reported_and_fails(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(messages="{'shop.hello': 'Hello'}")
    result = shop.run("messages", "--gaps")
    assert result.exit_code == 1
    assert "shop.hello" in result.output
    assert "de, fr" in result.output
    assert "sign_in" not in result.output
    assert shop.run("messages", "--gaps", "--language", "en").exit_code == 0
    assert '"gaps": [' in shop.run("messages", "--gaps", "--json").output


def test_the_check_of_an_application_mentions_gaps(make_shop: Callable[..., Shop]) -> None:
    def found(shop: Shop) -> list[str]:
        findings = json.loads(shop.run("check", "--json").stdout)["findings"]
        return [finding["says"] for finding in findings if finding["code"] == "missing_words"]

    assert found(make_shop()) == []
    (says,) = found(make_shop(messages="{'shop.hello': 'Hello'}"))
    assert says.endswith("1 in de, 1 in fr")


def test_a_language_that_is_not_offered_yet_can_be_asked_for(shop: Shop) -> None:
    result = shop.run("messages", "--gaps", "--language", "it")
    assert result.exit_code == 1
    assert "sign_in.new.title" in result.output


@pytest.mark.parametrize("tag", ["italian", "it_IT", "../it", ""])
def test_what_is_no_language_is_not_understood(shop: Shop, tag: str) -> None:
    assert shop.run("messages", "--extract", "locale", "--language", tag).exit_code == 2
    assert not (shop.folder / "locale").exists()


def test_a_language_is_added_from_the_first_line_to_the_page(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(messages="{'shop.hello': 'Hello, {name}'}")
    folder = shop.folder / "locale"
    (row,) = shop.data("messages", "--extract", "locale", "--language", "it")
    path = source(folder, "it")
    assert (Path(row["path"]).resolve(), row["missing"]) == (path.resolve(), row["codes"])
    text = path.read_text()
    assert '#. Sign in\nmsgid "sign_in.new.title"\nmsgstr ""' in text
    assert '#. Hello, {name}\nmsgid "shop.hello"\nmsgstr ""' in text
    path.write_text(text.replace('msgid "shop.hello"\nmsgstr ""', 'msgid "shop.hello"\nmsgstr "Ciao, {name}"'))
    compile_(path, "it")
    assert read(folder, "it", ["shop.hello", "sign_in.new.title"]) == {"shop.hello": "Ciao, {name}"}


def test_what_was_translated_stays_and_what_is_no_more_is_set_aside(shop: Shop) -> None:
    folder = shop.folder / "locale"
    shop.run("messages", "--extract", "locale", "--language", "it")
    path = source(folder, "it")
    mine = path.read_text().replace(
        '#. Sign in\nmsgid "sign_in.new.title"\nmsgstr ""',
        '# As Giulia says.\nmsgid "sign_in.new.title"\nmsgstr "Accedi"',
    )
    path.write_text(mine + '\nmsgid "gone.title"\nmsgstr "Passato"\n')
    (row,) = shop.data("messages", "--extract", "locale", "--language", "it")
    text = path.read_text()
    assert '# As Giulia says.\n#. Sign in\nmsgid "sign_in.new.title"\nmsgstr "Accedi"' in text
    assert '#~ msgid "gone.title"\n#~ msgstr "Passato"' in text
    assert (row["missing"], row["obsolete"]) == (row["codes"] - 1, 1)
    shop.run("messages", "--extract", "locale", "--language", "it")
    assert path.read_text() == text


def test_a_translation_of_other_english_words_is_marked_and_not_compiled(make_shop: Callable[..., Shop]) -> None:
    before, now = make_shop(messages="{'shop.hello': 'Hello'}"), make_shop(messages="{'shop.hello': 'Goodbye'}")
    before.run("messages", "--extract", "locale", "--language", "it")
    path = source(before.folder / "locale", "it")
    path.write_text(path.read_text().replace('msgid "shop.hello"\nmsgstr ""', 'msgid "shop.hello"\nmsgstr "Ciao"'))
    (row,) = before.data("messages", "--extract", "locale", "--language", "it")
    assert row["unsure"] == 0
    (row,) = now.data("messages", "--extract", "locale", "--language", "it")
    assert row["unsure"] == 1
    assert '#. Goodbye\n#, fuzzy\nmsgid "shop.hello"\nmsgstr "Ciao"' in path.read_text()
    compile_(path, "it")
    assert read(now.folder / "locale", "it", ["shop.hello"]) == {}


def test_of_what_is_said_elsewhere_nothing_is_missing(shop: Shop) -> None:
    found = shop.data("messages", "--extract", "locale")
    assert [(Path(row["path"]).parts[-3], row["missing"]) for row in found] == [("de", 0), ("fr", 0)]


def test_other_compilers_read_it_too(shop: Shop) -> None:
    shop.run("messages", "--extract", "locale", "--language", "it")
    path = source(shop.folder / "locale", "it")
    path.write_text(
        path.read_text().replace('msgid "sign_in.new.title"\nmsgstr ""', 'msgid "sign_in.new.title"\nmsgstr "Accedi"')
    )
    commands = [[sys.executable, "-m", "babel.messages.frontend", "compile", "-D", "powauth", "-d", "locale"]]
    if shutil.which("msgfmt"):
        commands.append(["msgfmt", "--check", "-o", str(compiled(shop.folder / "locale", "it")), str(path)])
    for command in commands:
        compiled(shop.folder / "locale", "it").unlink(missing_ok=True)
        subprocess.run(command, check=True, capture_output=True, cwd=shop.folder)
        assert read(shop.folder / "locale", "it", ["sign_in.new.title"]) == {"sign_in.new.title": "Accedi"}
