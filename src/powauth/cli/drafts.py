"""Drafts: the file that makes an `Auth`, as `powauth init` writes it."""

from collections.abc import Sequence
from pathlib import Path

from powauth.cli.writing.projects import Survey, Thing, dependency, module_name

AUTH = '''"""Sign-up, sign-in and what belongs to them."""

{imports}{models}
{engine}database = SQLAlchemyDatabase({sessions}, {user})
auth = Auth(
    secret=os.environ["AUTH_SECRET"],  # `powauth secret` makes one
    database=database,
    base_url=os.environ.get("AUTH_BASE_URL", "http://127.0.0.1:8000/auth"),
    extensions=[
        SignUp(),
        SignIn(),
        ManageAccount(),
        EmailConfirmation(),
        ResetPassword(),
    ],
)
{lifespan}{guard}'''

BASE = """

class Base(DeclarativeBase):
    pass
"""
USER = """

class User(AccountColumns, {base}):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)

"""
ENGINE = 'engine = create_async_engine(os.environ.get("DATABASE_URL", "sqlite+aiosqlite:///app.db"))\n'
SESSIONS = "sessions = async_sessionmaker({engine}, expire_on_commit=False)\n"
LIFESPAN = '''

@asynccontextmanager
async def lifespan(app: {app}) -> AsyncGenerator[None]:
    """Make the tables that are missing: for first steps, until there are migrations."""
    await database.create_tables()
    yield
'''
GET_DB = """

async def get_db() -> AsyncGenerator[AsyncSession]:
    async with {sessions}() as db:
        yield db
"""
GUARD = "\n\nCurrentUser = Annotated[{user}, Depends(current_user(auth, db={get_db}))]\n"

EXTENSIONS = (
    ("email_confirmation", "EmailConfirmation"),
    ("manage_account", "ManageAccount"),
    ("reset_password", "ResetPassword"),
    ("sign_in", "SignIn"),
    ("sign_up", "SignUp"),
)
STANDARD = frozenset({"collections", "contextlib", "typing", "uuid"})
LIBRARIES = frozenset({"fastapi", "powauth", "sqlalchemy", "starlette"})


def drafted(app: Thing, found: Survey, folder: Path, *, makes_tables: bool) -> str:
    """Return the file that makes the `Auth`, with as much of the project's own as it has."""
    wanted = [("powauth", "Auth"), ("powauth.sqlalchemy", "SQLAlchemyDatabase")]
    wanted += [(f"powauth.extensions.{name}", kind) for name, kind in EXTENSIONS]
    models, user = _models(found, folder, wanted)
    engine, sessions = _engine(found, folder, wanted)
    is_fastapi = app.kind == "fastapi"
    framework = ("fastapi", "FastAPI") if is_fastapi else ("starlette.applications", "Starlette")
    if makes_tables:
        wanted += [("collections.abc", "AsyncGenerator"), ("contextlib", "asynccontextmanager"), framework]
    guard = _guard(found, folder, wanted, sessions=sessions, user=user) if is_fastapi else ""
    return AUTH.format(
        imports=_imports(wanted),
        models=models,
        engine=engine,
        sessions=sessions,
        user=user,
        lifespan=LIFESPAN.format(app=framework[1]) if makes_tables else "",
        guard=guard,
    )


def _guard(found: Survey, folder: Path, wanted: list[tuple[str, str]], *, sessions: str, user: str) -> str:
    """Return the guard; it reads the user with the project's own dependency: two would be two transactions."""
    wanted += [("typing", "Annotated"), ("fastapi", "Depends"), ("powauth.fastapi", "current_user")]
    if found.sessions and (known := dependency(found.sessions[0])):
        wanted.append((module_name(found.sessions[0].source.path, folder), known))
        return GUARD.format(user=user, get_db=known)
    wanted += [("collections.abc", "AsyncGenerator"), ("sqlalchemy.ext.asyncio", "AsyncSession")]
    return GET_DB.format(sessions=sessions) + GUARD.format(user=user, get_db="get_db")


def _imports(wanted: Sequence[tuple[str, str]]) -> str:
    """Return imports as they are usually ordered: the standard library, libraries, the project's own."""
    modules: dict[str, set[str]] = {}
    for module, name in wanted:
        modules.setdefault(module, set()).add(name)
    lines = {module: f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(modules.items())}
    tops = {module: module.partition(".")[0] for module in lines}
    groups = [
        ["import os", *(line for module, line in lines.items() if tops[module] in STANDARD)],
        [line for module, line in lines.items() if tops[module] in LIBRARIES],
        [line for module, line in lines.items() if tops[module] not in STANDARD | LIBRARIES],
    ]
    return "\n\n".join("\n".join(group) for group in groups if group) + "\n"


def _models(found: Survey, folder: Path, wanted: list[tuple[str, str]]) -> tuple[str, str]:
    """Return the models that are written, and what the user's is called; the rest is imported."""
    known = (*found.users, *found.likely)
    if known:
        wanted.append((module_name(known[0].source.path, folder), known[0].name))
        return "", known[0].name
    wanted += [("powauth.sqlalchemy", "AccountColumns"), ("uuid", "UUID"), ("uuid", "uuid4")]
    wanted += [("sqlalchemy.orm", "Mapped"), ("sqlalchemy.orm", "mapped_column")]
    if found.bases:
        wanted.append((module_name(found.bases[0].source.path, folder), found.bases[0].name))
        return USER.format(base=found.bases[0].name), "User"
    wanted.append(("sqlalchemy.orm", "DeclarativeBase"))
    return BASE + USER.format(base="Base"), "User"


def _engine(found: Survey, folder: Path, wanted: list[tuple[str, str]]) -> tuple[str, str]:
    """Return the lines that make sessions, and what makes them; the project's own are imported."""
    if found.sessions:
        wanted.append((module_name(found.sessions[0].source.path, folder), found.sessions[0].name))
        return "", found.sessions[0].name
    wanted.append(("sqlalchemy.ext.asyncio", "async_sessionmaker"))
    if found.engines:
        wanted.append((module_name(found.engines[0].source.path, folder), found.engines[0].name))
        return SESSIONS.format(engine=found.engines[0].name), "sessions"
    wanted.append(("sqlalchemy.ext.asyncio", "create_async_engine"))
    return ENGINE + SESSIONS.format(engine="engine"), "sessions"
