"""`powauth eject`: templates copied into an application."""

from pathlib import Path

from powauth.jinja import JinjaTemplates
from tests.cli.shop import Shop


def test_what_can_be_copied_is_listed_and_nothing_is_written(shop: Shop) -> None:
    names = {row["name"] for row in shop.data("eject")}
    assert {"layout.html", "sign_in/new.html", "sign_up/mails/welcome.txt", "static/powauth.css"} <= names
    assert not (shop.folder / "templates").exists()


def test_one_template_is_copied_and_draws_pages(shop: Shop) -> None:
    assert shop.run("eject", "sign_in/new.html").exit_code == 0
    copy = shop.folder / "templates" / "sign_in" / "new.html"
    assert copy.read_text().startswith("{# Copied from Powauth")
    assert [path for path in (shop.folder / "templates").rglob("*") if path.is_file()] == [copy]
    drawn = JinjaTemplates("templates").environment.get_template("sign_in/new.html")
    assert Path(str(drawn.filename)).resolve() == copy.resolve()


def test_a_folder_of_templates_is_copied(shop: Shop) -> None:
    assert shop.run("eject", "sign_up", "--into", "pages").exit_code == 0
    assert (shop.folder / "pages" / "sign_up" / "mails" / "welcome.html").exists()
    assert not (shop.folder / "pages" / "layout.html").exists()


def test_all_are_copied(shop: Shop) -> None:
    rows = shop.data("eject", "--all")
    assert {row["name"] for row in rows} == {row["name"] for row in shop.data("eject")}
    assert all(row["is_new"] for row in rows)
    assert all(row["ejected"] for row in shop.data("eject"))


def test_a_copy_that_was_changed_is_only_overwritten_by_force(shop: Shop) -> None:
    shop.run("eject", "layout.html")
    copy = shop.folder / "templates" / "layout.html"
    copy.write_text("mine")
    result = shop.run("eject", "layout.html")
    assert result.exit_code == 1
    assert "--force" in result.output
    assert copy.read_text() == "mine"
    assert shop.run("eject", "layout.html", "--force").exit_code == 0
    assert copy.read_text() != "mine"


def test_a_template_that_nobody_has_is_not_understood_and_nothing_is_copied(shop: Shop) -> None:
    result = shop.run("eject", "layout.html", "nonsense.html")
    assert result.exit_code == 2
    assert "nonsense.html" in result.output
    assert not (shop.folder / "templates").exists()


def test_copies_of_an_older_original_are_listed(shop: Shop) -> None:
    shop.run("eject", "layout.html", "page.html")
    assert shop.data("eject", "--outdated") == []
    copy = shop.folder / "templates" / "layout.html"
    first, _, rest = copy.read_text().partition(" -#}")
    copy.write_text(first[:-16] + "0" * 16 + " -#}" + rest)
    result = shop.run("eject", "--outdated")
    assert result.exit_code == 1
    assert "layout.html" in result.output
    assert "page.html" not in result.output
