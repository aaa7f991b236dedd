"""Files are edited in place: everything that is not meant keeps its bytes, and nothing is written by halves."""

import ast
import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powauth.cli.failures import Failure
from powauth.cli.writing.changes import Change, write
from powauth.cli.writing.imports import bring, drop
from powauth.cli.writing.items import Items, of_list
from powauth.cli.writing.sources import Edit, Source, parsed

A_FILE = Path("app.py")

LISTS = [
    "[]",
    "()",
    "[a()]",
    "(a(),)",
    "(\n    a(),\n)",
    "[a(), b()]",
    "[a(), b(),]",
    "(a(), b())",
    "[\n    a(),\n    b(),\n]",
    "[\n    a(),\n    b()\n]",
    "[\n    a(),  # the first\n    # the second, which matters\n    b(),  # done\n    # more to come\n]",
    "[  # all of them\n    a(),  # the first\n    b()  # no comma\n]",
    "[a(),\n b()]",
    "[\n\ta(1,\n\t\t2),\n\tb(\n\t\tx='é', y=',#'\n\t),\n]",
    "[\n    a(), b(),\n    c(),\n]",
    "[\n      a()\n    , b()\n    ]",
    "[\n    # nothing yet\n]",
    "[\n]",
]


def listed(text: str) -> Items:
    source = parsed(A_FILE, f"ä = 'é'; x = {text}\n".encode())
    assignment = source.tree.body[-1]
    assert isinstance(assignment, ast.Assign)
    assert isinstance(assignment.value, ast.List | ast.Tuple)
    return of_list(source, assignment.value)


def names(items: Items) -> list[str]:
    return [items.source.data[start:end].decode().partition("(")[0] for start, end in items.spans]


def again(source: Source) -> Items:
    return listed(source.data.decode().partition("x = ")[2].rstrip("\n"))


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("text", LISTS)
def test_an_item_that_is_put_in_anywhere_and_taken_out_leaves_every_byte(text: str, newline: str) -> None:
    items = listed(text.replace("\n", newline))
    for index in range(len(items.spans) + 1):
        wider = again(items.source.edited(items.insert(index, "new()")))
        assert names(wider) == [*names(items)[:index], "new", *names(items)[index:]]
        assert wider.source.edited(wider.remove(index)).data == items.source.data


@pytest.mark.parametrize("text", LISTS)
def test_any_item_can_be_taken_out_and_the_others_stay_in_order(text: str) -> None:
    items = listed(text)
    for index in range(len(items.spans)):
        rest = again(items.source.edited(items.remove(index)))
        assert names(rest) == [name for i, name in enumerate(names(items)) if i != index]
        assert rest.is_tuple == items.is_tuple


def test_a_new_line_is_written_where_each_has_its_own() -> None:
    items = listed("[\n    a(),  # the first\n    b()  # no comma\n]")
    assert items.source.edited(items.insert(2, "new()")).data.decode().partition("x = ")[2] == (
        "[\n    a(),  # the first\n    b(),  # no comma\n    new()\n]\n"
    )
    assert items.source.edited(items.insert(1, "new()")).data.decode().partition("x = ")[2] == (
        "[\n    a(),  # the first\n    new(),\n    b()  # no comma\n]\n"
    )


def test_a_list_that_is_too_unusual_is_left_to_its_owner() -> None:
    items = listed("[(a()), (b())]")
    with pytest.raises(Failure, match="by hand"):
        items.insert(2, "new()")


def test_what_would_not_compile_is_not_written() -> None:
    source = parsed(A_FILE, b"x = 1\n")
    with pytest.raises(Failure, match="no Python"):
        source.edited([Edit(0, 1, "1")])
    with pytest.raises(Failure, match="overlap"):
        source.edited([Edit(0, 3, ""), Edit(2, 4, "")])


LATIN = "# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1")


@pytest.mark.parametrize("data", [b"x = '\xff'\n", LATIN, b"x = 1\ry = 2\r", b"x = (\n", b"\0", b"\xff\xfe"])
def test_what_cannot_be_read_for_certain_is_left_alone(data: bytes) -> None:
    with pytest.raises(Failure):
        parsed(A_FILE, data)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    with contextlib.suppress(Failure):
        assert parsed(A_FILE, data).edited([]).data == data


# ---- imports ----

MODULES = {
    "": "from powauth.x import New\n\n",
    '"""Words."""\n': '"""Words."""\n\nfrom powauth.x import New\n',
    "from __future__ import annotations\n": "from __future__ import annotations\nfrom powauth.x import New\n",
    "import os\nx = 1\n": "import os\nfrom powauth.x import New\nx = 1\n",
    "import os; x = 1\n": "import os; x = 1\nfrom powauth.x import New\n",
    "from powauth.a import A\nfrom powauth.z import Z\n": (
        "from powauth.a import A\nfrom powauth.x import New\nfrom powauth.z import Z\n"
    ),
    "import os\nfrom powauth.z import (\n    Z,\n)\n": (
        "import os\nfrom powauth.x import New\nfrom powauth.z import (\n    Z,\n)\n"
    ),
    "import os": "import os\nfrom powauth.x import New\n",
    "\ufeffimport os\n": "\ufeffimport os\nfrom powauth.x import New\n",
    "#!/usr/bin/env python\nx = 1\n": "#!/usr/bin/env python\nfrom powauth.x import New\n\nx = 1\n",
}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("text", MODULES)
def test_an_import_is_put_beside_its_like(text: str, newline: str) -> None:
    source = parsed(A_FILE, text.replace("\n", newline).encode())
    local, edits = bring(source, "powauth.x", "New")
    expected = MODULES[text].replace("\n", newline if newline in source.data.decode() else "\n")
    assert (local, source.edited(edits).data.decode()) == ("New", expected)


def test_an_import_that_is_there_is_used_by_the_name_it_has() -> None:
    source = parsed(A_FILE, b"from powauth.x import New as Old\n")
    assert bring(source, "powauth.x", "New") == ("Old", [])


def test_a_name_that_is_taken_gets_another() -> None:
    source = parsed(A_FILE, b"import os\nclass New: ...\n")
    local, edits = bring(source, "powauth.x", "New")
    assert local == "PowauthNew"
    assert b"from powauth.x import New as PowauthNew\n" in source.edited(edits).data


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("from p import New\nx = New()\n", "x = New()\n"),
        ("from p import New, Other\nx = New()\n", "from p import Other\nx = New()\n"),
        ("from p import (\n    New,\n    Other,\n)\nx = New()\n", "from p import (\n    Other,\n)\nx = New()\n"),
        ("from p import New\ny = New\nx = New()\n", None),
        ("from p import New\n__all__ = ['New']\nx = New()\n", None),
        ("from p import New; y = 1\nx = New()\n", "pass; y = 1\nx = New()\n"),
    ],
)
def test_an_import_goes_when_nobody_needs_it(text: str, left: str | None) -> None:
    source = parsed(A_FILE, text.encode())
    last = source.tree.body[-1]
    assert source.edited(drop(source, "New", besides=last)).data.decode() == (text if left is None else left)


# ---- writing ----


def test_all_files_are_written_or_none(tmp_path: Path) -> None:
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_bytes(b"1")
    two.write_bytes(b"changed meanwhile")
    with pytest.raises(Failure, match=r"two\.py was changed meanwhile"):
        write([Change(one, b"1", b"2"), Change(two, b"2", b"3")], tmp_path)
    assert one.read_bytes() == b"1"


def test_what_cannot_be_written_takes_the_others_back(tmp_path: Path) -> None:
    one, below = tmp_path / "one.py", tmp_path / "one.py" / "two.py"
    one.write_bytes(b"1")
    with pytest.raises(Failure):
        write([Change(one, b"1", b"2"), Change(below, None, b"3")], tmp_path)
    assert one.read_bytes() == b"1"
    assert [path.name for path in tmp_path.iterdir()] == ["one.py"]


def test_a_link_that_leads_outside_is_not_followed(tmp_path: Path) -> None:
    project, other = tmp_path / "project", tmp_path / "other.py"
    project.mkdir()
    other.write_bytes(b"1")
    (project / "app.py").symlink_to(other)
    (project / "more").symlink_to(tmp_path)
    for path in (project / "app.py", project / "more" / "other.py", project / ".." / "other.py"):
        with pytest.raises(Failure, match="outside"):
            write([Change(path, b"1", b"2")], project)
    with pytest.raises(Failure, match="outside"):
        write([Change(project / "more" / "new.py", None, b"2")], project)
    assert other.read_bytes() == b"1"


def test_a_link_within_the_project_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.py").write_bytes(b"1")
    (tmp_path / "app.py").symlink_to("real.py")
    write([Change(tmp_path / "app.py", b"1", b"2")], tmp_path)
    assert (tmp_path / "app.py").is_symlink()
    assert (tmp_path / "real.py").read_bytes() == b"2"


def test_a_read_only_file_stays_as_it_is_and_others_keep_their_mode(tmp_path: Path) -> None:
    locked, program = tmp_path / "locked.py", tmp_path / "program.py"
    for path in (locked, program):
        path.write_bytes(b"1")
    locked.chmod(0o444)
    program.chmod(0o750)
    with pytest.raises(Failure, match="read-only"):
        write([Change(locked, b"1", b"2")], tmp_path)
    write([Change(program, b"1", b"2")], tmp_path)
    assert program.stat().st_mode & 0o777 == 0o750


def test_a_file_that_came_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "new.py").write_bytes(b"mine")
    with pytest.raises(Failure, match="stands there"):
        write([Change(tmp_path / "new.py", None, b"2")], tmp_path)


def test_cut_off_in_the_middle_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "app.py"
    path.write_bytes(b"1")

    def cut(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", cut)
    with pytest.raises(KeyboardInterrupt):
        write([Change(path, b"1", b"2")], tmp_path)
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("app.py", b"1")]
