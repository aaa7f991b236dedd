"""The production checklist and `powauth check` say the same, both ways."""

import ast
from pathlib import Path

import powauth.cli
import powauth.redis.examine
import powauth.sqlalchemy.examine
from tests.docs.pages import DOCS, named, rows

PAGE = DOCS / "guides/production.md"


def codes() -> set[str]:
    """Return every code that a finding of the command line may have."""
    found: set[str] = set()
    of_stores = (powauth.redis.examine, powauth.sqlalchemy.examine)
    sources = (*Path(powauth.cli.__file__).parent.rglob("*.py"), *(Path(str(module.__file__)) for module in of_stores))
    for path in sources:
        for call in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Name)
                and call.func.id in {"Finding", "Weakness"}
            ):
                named_so = [word.value for word in call.keywords if word.arg == "code"] or call.args[:1]
                # What a store says of itself is handed on with the code that stands there.
                found |= {str(code.value) for code in named_so if isinstance(code, ast.Constant)}
    return found


def test_every_line_of_the_production_checklist_names_a_finding_and_every_finding_has_a_line() -> None:
    assert named(PAGE, "## Checklist", column=1) == codes()


def test_no_line_names_more_or_less_than_one_finding() -> None:
    lines = rows(PAGE, "## Checklist")[1:]
    assert [line for line in lines if not (len(line) == 2 and line[0] and line[1].count("`") == 2)] == []
    assert len({line[1] for line in lines}) == len(lines)


def test_a_finding_that_the_checklist_forgot_would_be_seen() -> None:
    assert {"plain_http", "outdated_hashes", "redis_evicts", "configuration"} <= codes()
