"""What the pages show works: code runs or compiles, commands exist, links lead somewhere."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

from powauth.cli import COMMANDS
from tests.docs.pages import DOCS, ROOT, Block, anchors, blocks, links, pages
from tests.house import whole_house
from tests.test_repository import INDEX, MACHINE_PATH

STEPS = sorted((DOCS / "tutorial").glob("[0-9]*.md"))
GUIDES = sorted((DOCS / "guides").glob("*.md"))
SECRET = "d41f6c0a97b2e85316c04f7a9be2d853"


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def every_block(language: str) -> list[Block]:
    return [block for page in pages() for block in blocks(page, language)]


def parts_of_files() -> list[Block]:
    """Return the blocks that show a part of a file of this repository."""
    return [block for page in pages() for block in blocks(page) if block.title and (ROOT / block.title).exists()]


def write(page: Path, folder: Path) -> list[Path]:
    """Write the files that a page shows whole, and return them."""
    made: list[Path] = []
    for block in blocks(page):
        if block.title and not (ROOT / block.title).exists():
            path = folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
            made.append(path)
    return made


def run(folder: Path, *command: str) -> str:
    """Run a command as a reader would, in the folder, and return what it said."""
    environment = {
        **os.environ,
        "AUTH_SECRET": SECRET,
        "DATABASE_URL": f"sqlite+aiosqlite:///{folder}/notes.db",
        "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def run_tests(folder: Path) -> str:
    return run(folder, "pytest", "-q", "-W", "error", "-p", "no:cacheprovider")


# ---- the tutorial ----

VISIT = """
import asyncio
from app import app
from auth import auth
from powauth.testing import Site

async def main():
    async with app.router.lifespan_context(app):
        site = Site(auth, app)
        {steps}

asyncio.run(main())
"""
SIGN_UP = 'await site.post("/sign-up", email="ada@example.com", password="four quiet green owls")'
STEPS_SHOWN = {
    "1-an-empty-folder.md": [],
    "2-sign-up-and-sign-in.md": [
        'assert "known to many" in (await site.post("/sign-up", email="a@example.com", password="password")).text',
        f"assert ({SIGN_UP}).location == '/'",
        'assert "ada@example.com" in (await site.get("/account")).text',
        'assert (await site.get("/auth/sessions")).status == 200',
        'assert (await site.program().get("/session")).json["account"] is None',
    ],
    "3-a-page-of-your-own.md": [
        'assert "Sign in" in (await site.get("/")).text',
        SIGN_UP,
        'assert "Hello ada@example.com" in (await site.get("/")).text',
        'assert (await site.send("POST", "/me?name=Ada")).json == {"name": "Ada"}',
        'assert (await site.get("/me")).json["name"] == "Ada"',
        'answer = await site.send("POST", "/me?name=Eve", headers={"origin": "https://evil.example"})',
        "assert answer.status == 403",
    ],
    "4-a-changed-page.md": [
        'page = (await site.get("/sign-in")).text',
        'assert "Open your notes" in page and "help@example.com" in page and "theme.css" in page',
    ],
    "5-a-hook.md": [
        'await site.post("/sign-up", email="ada@example.com", password="four quiet green owls")',
        'assert (await site.get("/me")).json["name"] == "Ada"',
    ],
    "6-a-test.md": [],
}


def test_every_step_of_the_tutorial_is_tried() -> None:
    assert [step.name for step in STEPS] == sorted(STEPS_SHOWN)


def test_the_tutorial_runs_step_by_step(tmp_path: Path) -> None:
    for step in STEPS:
        assert write(step, tmp_path)
        shown = STEPS_SHOWN[step.name]
        if shown:
            run(tmp_path, sys.executable, "-c", VISIT.format(steps="\n        ".join(shown)))
            (tmp_path / "notes.db").unlink()
    assert "3 passed" in run_tests(tmp_path)


def test_the_tutorial_s_template_can_be_ejected(tmp_path: Path) -> None:
    for step in STEPS[:2]:
        write(step, tmp_path)
    run(tmp_path, "powauth", "eject", "sign_in/new.html", "--app", "auth:auth")
    assert (tmp_path / "templates/sign_in/new.html").exists()


# ---- the guides ----


@pytest.mark.parametrize("page", GUIDES, ids=name_of)
def test_the_files_of_a_guide_work_in_the_application_of_the_tutorial(page: Path, tmp_path: Path) -> None:
    for step in STEPS[:-1]:
        write(step, tmp_path)
    made = write(page, tmp_path)
    modules = [path.stem for path in made if path.suffix == ".py" and not path.stem.startswith(("test_", "conftest"))]
    for module in modules:
        run(tmp_path, sys.executable, "-W", "error", "-c", f"import {module}")
    if any(path.stem.startswith("test_") for path in made):
        assert " passed" in run_tests(tmp_path)


@pytest.mark.parametrize("program", sorted((ROOT / "examples").glob("*/app.py")), ids=name_of)
def test_every_example_stands_in_a_page_and_has_its_tests(program: Path) -> None:
    folder = name_of(program.parent)
    shown = {block.title for block in parts_of_files() if block.title and block.title.startswith(f"{folder}/")}
    assert shown or folder == "examples/readme"  # which is held to the README below, and has no title there
    tested = ROOT / "tests/adapters/test_readme_program.py" if folder == "examples/readme" else None
    assert tested or list(program.parent.rglob("test_*.py"))


def test_every_guide_is_on_their_map_once() -> None:
    listed = [link for link in links(DOCS / "guides/index.md") if "/" not in link]
    assert sorted(listed) == sorted(guide.name for guide in GUIDES if guide.name != "index.md")


# ---- every block ----


@pytest.mark.parametrize("block", every_block("python"), ids=str)
def test_python_on_a_page_can_be_compiled(block: Block) -> None:
    compile(block.text, str(block), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)


@pytest.mark.parametrize("block", every_block("json"), ids=str)
def test_json_on_a_page_can_be_read(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("block", parts_of_files(), ids=str)
def test_what_is_shown_of_a_file_of_the_repository_stands_there(block: Block) -> None:
    assert block.title
    whole = (ROOT / block.title).read_text()
    for part in re.split(r"^\s*\.\.\.\n", block.text, flags=re.MULTILINE):
        assert part.strip("\n") in whole, f"{block}: {part}"


def test_the_program_of_the_readme_is_the_one_that_is_tested() -> None:
    program = next(blocks(ROOT / "README.md", "python")).text
    assert program == (ROOT / "examples/readme/app.py").read_text()


@pytest.mark.parametrize("block", every_block("sh"), ids=str)
def test_every_command_on_a_page_exists(block: Block) -> None:
    commands = {lazy.name for lazy in COMMANDS}
    commands |= {extension.name for extension in whole_house() if extension.manifest().commands}
    assert set(re.findall(r"\bpowauth ([a-z]+(?:-[a-z]+)*)\b", block.text)) <= commands
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^make ([a-z-]+)", block.text, re.MULTILINE)) <= targets


# ---- every page ----


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = unquote(link).partition("#")
        if re.match(r"[a-z]+:", path):
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name_of(page)}: {link}"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{name_of(page)}: {link}"


def test_every_page_can_be_reached_from_the_map() -> None:
    reached = {DOCS / "index.md"}
    while True:
        more = {
            (page.parent / link.partition("#")[0]).resolve()
            for page in reached
            for link in links(page)
            if link.partition("#")[0].endswith(".md") and ":" not in link
        }
        if more <= reached:
            break
        reached |= more
    assert [page for page in DOCS.rglob("*.md") if page not in reached] == []


def test_every_image_is_shown_and_small() -> None:
    shown = {(page.parent / link).resolve() for page in pages() for link in links(page) if link.endswith(".png")}
    images = set((DOCS / "images").iterdir())
    assert images == shown
    assert [image.name for image in images if image.stat().st_size > 120_000] == []


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_no_page_names_a_package_index_or_a_path_of_a_machine(page: Path) -> None:
    text = page.read_bytes()
    assert not INDEX.search(text)
    assert not MACHINE_PATH.search(text)
    assert b"pypi.org" not in text
    assert b"/home/" not in text


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_page_has_one_title(page: Path) -> None:
    lines = page.read_text().splitlines()
    assert lines[0].startswith("# ")
