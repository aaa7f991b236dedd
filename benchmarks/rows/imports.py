"""What `import powauth` costs, and what it brings."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence

from benchmarks.results import Result, Run, Spread, verdict

FOREIGN = (
    *("aiosqlite", "alembic", "asyncmy", "asyncpg", "bcrypt", "click", "django", "fastapi", "flask", "httpx2"),
    *("jinja2", "litestar", "psycopg", "pydantic", "redis", "rich", "sqlalchemy", "starlette", "uvicorn", "valkey"),
)
SCRIPT = """
import json, sys, time
began = time.perf_counter()
import powauth
print(json.dumps([time.perf_counter() - began, sorted(sys.modules)]))
"""


def once() -> tuple[float, list[str]]:
    """Import it in a new process; return the milliseconds, and which frameworks, ORMs and drivers came along."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", SCRIPT]
    said = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    seconds, modules = json.loads(said)
    return seconds * 1e3, [name for name in FOREIGN if name in modules]


def imports(run: Run) -> Sequence[Result]:
    once()  # so that bytecode is there
    measured = [once() for _ in range(max(3, run.rounds * 2))]
    took, foreign = Spread([each for each, _ in measured]), measured[0][1]
    return [
        Result(
            what="`import powauth`",
            bound="< 150 ms; no framework, ORM or driver",
            measured=f"{took.text('.0f')} ms; {', '.join(foreign) or 'none of them'}",
            numbers=f"{len(measured)} new processes",
            holds=verdict(took.middle < 150 and not foreign),
        )
    ]
