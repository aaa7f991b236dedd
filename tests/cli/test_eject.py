"""`powauth eject`: templates copied into an application."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powauth.jinja import JinjaTemplates
from powauth.jinja.merging import Names, has_conflicts, merge
from tests.cli.shop import MAKER, Shop, write


def test_what_can_be_copied_is_listed_and_nothing_is_written(shop: Shop) -> None:
    names = {row["name"] for row in shop.data("eject")}
    assert {"layout.html", "sign_in/new.html", "sign_up/mails/welcome.txt", "static/powauth.css"} <= names
    assert not (shop.folder / "templates").exists()


def test_one_template_is_copied_and_draws_pages(shop: Shop) -> None:
    assert shop.run("eject", "sign_in/new.html").exit_code == 0
    copy = shop.folder / "templates" / "sign_in" / "new.html"
    assert copy.read_text().startswith("{# Copied from Powauth")
    assert [path for path in (shop.folder / "templates").rglob("*.html") if path.is_file()] == [copy]
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


# ---- after an upgrade ----

FIRST = "<h1>Hello</h1>\n<p>one</p>\n<p>two</p>\n<p>three</p>\n"
SECOND = "<h1>Hello</h1>\n<p>one</p>\n<p>two</p>\n<p>new</p>\n<p>three, better</p>\n"


@pytest.fixture
def themed(folder: Path) -> Shop:
    """A shop with an extension that has a template, as its first release had it; it was copied."""
    (folder / "ours").mkdir()
    (folder / "ours" / "page.html").write_text(FIRST)
    shop = write(folder, more=MAKER.format(folder=folder / "ours"), extensions="(SignIn(), Ours())")
    assert shop.run("eject", "ours").exit_code == 0
    return shop


def upgrade(shop: Shop, text: str = SECOND) -> None:
    """Imitate an upgrade of the package that brought the template."""
    (shop.folder / "ours" / "page.html").write_text(text)


def copy_of(shop: Shop) -> Path:
    return shop.folder / "templates" / "ours" / "page.html"


def change(shop: Shop, old: str, new: str) -> None:
    text = copy_of(shop).read_bytes().decode()
    assert old in text
    copy_of(shop).write_bytes(text.replace(old, new).encode())


def body_of(shop: Shop) -> str:
    first, _, rest = copy_of(shop).read_bytes().decode().partition("\n")
    assert "Copied from Powauth" in first
    return rest


def test_what_changed_in_the_package_since_is_shown(themed: Shop) -> None:
    assert "up to date" in themed.run("eject", "--diff").output
    change(themed, "one", "mine")
    upgrade(themed)
    shown = themed.run("eject", "--diff")
    assert shown.exit_code == 0
    assert "+<p>new</p>" in shown.output
    assert "-<p>three</p>" in shown.output
    assert "mine" not in shown.output
    assert themed.data("eject", "--diff", "ours/page.html")[0]["name"] == "ours/page.html"
    assert themed.data("eject", "--diff", "layout.html") == []


def test_what_changed_in_the_package_comes_into_the_copy_beside_what_its_owner_changed(themed: Shop) -> None:
    change(themed, "one", "mine")
    upgrade(themed)
    path = "templates/ours/page.html"
    assert themed.data("eject", "--merge") == [{"name": "ours/page.html", "path": path, "conflicts": []}]
    assert body_of(themed) == SECOND.replace("one", "mine")
    assert themed.data("eject", "--outdated") == []
    assert "nothing to merge" in themed.run("eject", "--merge").output
    upgrade(themed, SECOND.replace("new", "newer"))
    assert themed.run("eject", "--merge", "ours").exit_code == 0
    assert body_of(themed) == SECOND.replace("one", "mine").replace("new", "newer")


def test_where_both_changed_a_line_both_stand_in_the_copy_and_nothing_is_lost(themed: Shop) -> None:
    change(themed, "three", "three, mine")
    before = copy_of(themed).read_text()
    upgrade(themed)
    error = themed.refusal("eject", "--merge")
    assert error["code"] == "conflicts"
    text = copy_of(themed).read_text()
    assert "<<<<<<< yours\n<p>three, mine</p>\n||||||| Powauth" in text
    assert "=======\n<p>new</p>\n<p>three, better</p>\n>>>>>>> Powauth" in text
    assert (themed.folder / "templates" / ".powauth" / "yours" / "ours" / "page.html").read_text() == before
    assert themed.data("eject", "--outdated") == []
    upgrade(themed, SECOND + "<p>more</p>\n")
    assert "earlier merge" in themed.refusal("eject", "--merge")["messages"][0]
    assert copy_of(themed).read_text() == text


def test_the_lines_of_conflicts_are_told(themed: Shop) -> None:
    change(themed, "three", "three, mine")
    upgrade(themed)
    result = themed.run("eject", "--merge")
    assert result.exit_code == 1
    assert copy_of(themed).read_text().splitlines()[4].startswith("<<<<<<<")
    assert "conflicts at line 5" in result.stdout


def test_a_copy_with_other_line_ends_keeps_them(themed: Shop) -> None:
    copy_of(themed).write_bytes(copy_of(themed).read_bytes().replace(b"\n", b"\r\n"))
    change(themed, "one", "mine")
    upgrade(themed)
    assert themed.run("eject", "--merge").exit_code == 0
    assert body_of(themed) == SECOND.replace("one", "mine").replace("\n", "\r\n")


@pytest.mark.parametrize("spoil", ["gone", "changed"])
def test_without_what_it_was_made_from_a_copy_is_left_alone(themed: Shop, spoil: str) -> None:
    memory = next((themed.folder / "templates" / ".powauth" / "originals" / "ours").iterdir())
    if spoil == "gone":
        memory.unlink()
    else:
        memory.write_text("something else")
    before = copy_of(themed).read_text()
    upgrade(themed)
    assert themed.refusal("eject", "--merge")["code"] == "forgotten"
    assert themed.run("eject", "--diff").exit_code == 1
    assert copy_of(themed).read_text() == before


def test_a_file_that_was_not_ejected_is_never_merged(themed: Shop) -> None:
    copy_of(themed).write_text("my own")
    upgrade(themed)
    assert themed.data("eject", "--merge") == []
    assert copy_of(themed).read_text() == "my own"


def test_a_copy_that_is_a_link_out_of_the_folder_is_left_alone(themed: Shop) -> None:
    elsewhere = themed.folder / "elsewhere.html"
    copy_of(themed).rename(elsewhere)
    copy_of(themed).symlink_to(elsewhere)
    before = elsewhere.read_text()
    upgrade(themed)
    assert themed.refusal("eject", "--merge")["code"] == "outside"
    assert elsewhere.read_text() == before


# ---- merging ----

NAMES = Names("yours", "before", "theirs")
TEXTS = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "{% block %}\n", "\n"]), max_size=12).map("".join)


@given(TEXTS, TEXTS)
def test_a_change_on_one_side_alone_is_taken_whole(base: str, changed: str) -> None:
    assert merge(base, changed, base, NAMES) == merge(base, base, changed, NAMES)
    assert merge(base, changed, base, NAMES).text == changed
    assert merge(base, changed, changed, NAMES).text == changed


@given(TEXTS, TEXTS, TEXTS)
def test_no_line_of_either_side_is_lost(base: str, yours: str, theirs: str) -> None:
    merged = merge(base, yours, theirs, NAMES)
    assert has_conflicts(merged.text) == bool(merged.conflicts)
    for side in (yours, theirs):
        for line in set(side.splitlines()) - set(base.splitlines()):
            assert line in merged.text.splitlines()
    lines = merged.text.splitlines()
    assert all(lines[at - 1] == "<<<<<<< yours" for at in merged.conflicts)


@pytest.mark.parametrize(
    ("yours", "theirs"),
    [
        ("1\n2\n3\n4\n5\n6 mine\n", "1 new\n2\n3\n4\n5\n6\n"),
        ("1\n2\n3 mine\n4\n5\n6\n", "1\n2\n3 new\n4\n5\n6\n"),
        ("1\n2\n5\n6\n", "1\n2\n3\n4 new\n5\n6\n"),
        ("0\n1\n2\n3\n4\n5\n6\n7", "1\n2\n3\n4\n5\n6\n"),
        ("", "1\n2\n3\n4\n5\n6\n7\n"),
    ],
)
def test_git_merges_the_same(tmp_path: Path, yours: str, theirs: str) -> None:
    base = "1\n2\n3\n4\n5\n6\n"
    for name, text in (("yours", yours), ("before", base), ("theirs", theirs)):
        (tmp_path / name).write_text(text)
    command = ["git", "merge-file", "-p", "--diff3", "yours", "before", "theirs"]
    witness = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    merged = merge(base, yours, theirs, NAMES)
    assert (merged.text, len(merged.conflicts)) == (witness.stdout, witness.returncode)
