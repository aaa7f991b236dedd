"""The pages of the documentation, and what stands in them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r'title="([^"]+)"')
_LINK = re.compile(r"(?<!\\)!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of code: its language, the file that it is, if it is one, and where it stands."""

    page: Path
    line: int
    language: str
    title: str | None
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> Sequence[Path]:
    """Return every page for people: those at the top of the repository, then those in `docs`."""
    return [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]


def blocks(page: Path, language: str | None = None) -> Iterator[Block]:
    """Give the blocks of code of a page, in their order."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        title = _TITLE.search(found["info"])
        kind = found["info"].split(" ")[0].strip()
        if language in {None, kind}:
            line = text.count("\n", 0, found.start()) + 1
            yield Block(page, line, kind, title[1] if title else None, found["text"])


def prose(page: Path) -> str:
    """Return a page without its blocks of code."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> list[str]:
    """Return where the links and images of a page lead."""
    return _LINK.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """Return the anchors that forges make of the headings of a page."""
    titles = [re.sub(r"[^\w\- ]", "", title.lower()) for title in _HEADING.findall(prose(page))]
    return {title.strip().replace(" ", "-") for title in titles}


def rows(page: Path, heading: str) -> list[list[str]]:
    """Return the cells of every table below a heading, up to the next one as high; without one, of the page."""
    text = page.read_text(encoding="utf-8")
    if heading:
        level = heading.partition(" ")[0]
        _, _, after = text.partition(f"\n{heading}\n")
        assert after, f"{page.name} has no {heading}"
        text = re.split(rf"^#{{1,{len(level)}}} ", after, maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    return [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def named(page: Path, heading: str = "", column: int = 0) -> set[str]:
    """Return what stands as code in a column of the tables below a heading."""
    cells = [row[column] for row in rows(page, heading) if len(row) > column]
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}
