"""What an import promises whatever it reads: nobody twice, nobody overwritten, and on from where it was cut off."""

import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from powauth import Auth, InvalidCredentials
from powauth.operations import Entered, authenticate, erase_account, sign_in
from tests.cli.importing.world import BCRYPT, move, new_home, people
from tests.cli.shop import PASSWORD, Shop, with_tables, write

KILLED = """
import os, signal
from sqlalchemy import event

def stop(*_):
    os.kill(os.getpid(), signal.SIGKILL)

class Countdown:
    left = {count}

    def __call__(self, *_):
        self.left -= 1
        if self.left == 0:
            stop()

if "{when}" == "insert":
    event.listen(User, "before_insert", Countdown())
elif "{when}" == "commit":
    from powauth.sqlalchemy.own import OwnTransaction
    former, count = OwnTransaction.commit, Countdown()

    async def commit(self):
        has_written = self.has_written
        await former(self)
        if has_written:
            count()

    OwnTransaction.commit = commit
elif "{when}" == "settle":
    from powauth.cli.importing.journal import Journal
    former, count = Journal.settle, Countdown()

    def settle(self, *args):
        former(self, *args)
        count()

    Journal.settle = settle
"""


@pytest.fixture
def home(folder: Path) -> Shop:
    return new_home(folder)


def listed(folder: Path, count: int, name: str = "people.csv") -> Path:
    path = folder / name
    path.write_text("id,email,identities\n" + "".join(f"{n},u{n}@example.com,\n" for n in range(1, count + 1)))
    return path


def snapshot(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as known:
        return list(known.iterdump())


# ---- cut off ----


@pytest.mark.parametrize(
    ("when", "count"), [("insert", 1), ("insert", 35), ("commit", 1), ("commit", 3), ("settle", 3)]
)
def test_an_import_that_is_killed_goes_on_and_makes_nobody_twice(folder: Path, when: str, count: int) -> None:
    home = new_home(folder)
    people_csv = listed(folder, 50)
    doomed = write(folder, more=BCRYPT, after=KILLED.format(when=when, count=count))
    command = [sys.executable, "-c", "from powauth.cli import main; main()", "import", "csv", "--from", str(people_csv)]
    killed = subprocess.run([*command, "--batch", "10", "--app", doomed.app], check=False, timeout=60, cwd=folder)
    assert killed.returncode == -signal.SIGKILL
    before = {email: account.handle for email, account in people(home).items()}
    assert len(before) < 50
    moved = move(home, "csv", people_csv, "--batch", "10")
    assert moved.data["already"] == len(before)
    assert (moved.data["taken_over"], moved.exit_code) == (50 - len(before), 0)
    after = {email: account.handle for email, account in people(home).items()}
    assert len(after) == 50
    assert before.items() <= after.items()


def test_without_the_journal_the_same_people_would_be_conflicts(folder: Path, home: Shop) -> None:
    move(home, "csv", listed(folder, 3))
    (folder / "powauth-import.journal").unlink()
    moved = move(home, "csv", folder / "people.csv")
    assert (moved.data["taken_over"], moved.data["left_out"], moved.exit_code) == (0, 3, 1)
    assert len(people(home)) == 3


def test_an_import_that_runs_again_changes_nothing_and_takes_over_who_came_since(folder: Path, home: Shop) -> None:
    path = listed(folder, 5)
    move(home, "csv", path)
    before = snapshot(folder / "app.db")
    again = move(home, "csv", path)
    assert (again.data["taken_over"], again.data["already"], again.exit_code) == (0, 5, 0)
    assert snapshot(folder / "app.db") == before
    listed(folder, 6)
    assert move(home, "csv", path).data["taken_over"] == 1


def test_who_was_erased_since_does_not_come_back(folder: Path, home: Shop) -> None:
    path = listed(folder, 2)
    move(home, "csv", path)

    async def erase(auth: Auth[Any]) -> None:
        async with auth.begin() as ctx:
            account = await ctx.accounts.by_email("u1@example.com")
            assert account
            await erase_account(ctx, await ctx.lock(account.handle))

    home.work(erase)
    assert move(home, "csv", path).data["taken_over"] == 0
    assert list(people(home)) == ["u2@example.com"]


def test_two_imports_with_one_journal_do_not_run_at_once(folder: Path, home: Shop) -> None:
    move(home, "csv", listed(folder, 1))
    with closing(sqlite3.connect(folder / "powauth-import.journal", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        error = home.refusal("import", "csv", "--from", "people.csv")
    assert "another import is at work" in error["messages"][0]


def test_a_journal_of_another_import_is_not_gone_on_with(folder: Path, home: Shop) -> None:
    move(home, "csv", listed(folder, 1))
    result = home.run("import", "csv", "--from", str(listed(folder, 1, "other.csv")))
    assert result.exit_code == 2
    assert "is of another import" in result.output
    (folder / "no.journal").write_text("something else, and longer than a hundred characters: " * 9)
    result = home.run("import", "csv", "--from", "people.csv", "--journal", "no.journal")
    assert (result.exit_code, "is no journal" in result.output) == (2, True)


def test_the_journal_is_its_owner_s_only_and_follows_no_link(folder: Path, home: Shop) -> None:
    move(home, "csv", listed(folder, 1))
    assert stat.S_IMODE((folder / "powauth-import.journal").stat().st_mode) == 0o600
    (folder / "elsewhere").write_text("")
    (folder / "link").symlink_to(folder / "elsewhere")
    result = home.run("import", "csv", "--from", "people.csv", "--journal", "link")
    assert (result.exit_code, (folder / "elsewhere").read_text()) == (2, "")


@pytest.mark.parametrize("option", ["--report", "--journal", "--set-aside"])
def test_no_file_of_somebody_else_is_written_over(folder: Path, home: Shop, option: str) -> None:
    listed(folder, 1)
    for name in ("people.csv", "app.db"):
        before = (folder / name).read_bytes()
        result = home.run("import", "csv", "--from", "people.csv", option, name)
        assert result.exit_code == 2, result.output
        assert (folder / name).read_bytes() == before


# ---- a dry run ----


def test_a_dry_run_writes_nothing_anywhere_and_lists_everything(folder: Path, home: Shop) -> None:
    (folder / "source.db").unlink(missing_ok=True)
    with closing(sqlite3.connect(folder / "source.db")) as source:
        source.execute("CREATE TABLE accounts (id INTEGER PRIMARY KEY, email TEXT)")
        source.executemany("INSERT INTO accounts VALUES (?, ?)", [(1, "ada@example.com"), (2, "nobody"), (3, None)])
        source.commit()
    home.create()
    before = {path: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix == ".db"}
    names = {path.name for path in folder.iterdir()}
    moved = move(home, "csv", "sqlite:///source.db", "--dry-run")
    assert [moved.codes(key) for key in ("1", "2", "3")] == [{"exists"}, {"invalid_email"}, {"no_identifier"}]
    assert (moved.exit_code, moved.data["taken_over"], moved.data["left_out"]) == (1, 0, 3)
    assert {path: path.read_bytes() for path in before} == before
    assert {path.name for path in folder.iterdir()} == names


def test_a_dry_run_that_finds_nothing_ends_well(folder: Path, home: Shop) -> None:
    moved = move(home, "csv", listed(folder, 2), "--dry-run")
    assert (moved.exit_code, moved.data["taken_over"], people(home)) == (0, 2, {})


def test_a_dry_run_after_an_import_says_that_all_are_there(folder: Path, home: Shop) -> None:
    move(home, "csv", listed(folder, 2))
    before = (folder / "powauth-import.journal").read_bytes()
    moved = move(home, "csv", "people.csv", "--dry-run")
    assert (moved.data["already"], moved.data["taken_over"], moved.exit_code) == (2, 0, 0)
    assert (folder / "powauth-import.journal").read_bytes() == before


def test_people_read_what_programs_read(folder: Path, home: Shop) -> None:
    (folder / "people.csv").write_text("id,email\n1,ada@example.com\n2,nobody\n")
    result = home.run("import", "csv", "--from", "people.csv", "--dry-run")
    assert "left out  2: its address is none that mail can be sent to" in result.output
    assert "accounts read: 2; would be taken over: 1; before: 0; left out: 1" in result.output


# ---- conflicts ----


def test_an_account_that_is_here_is_never_changed(folder: Path, home: Shop) -> None:
    home.create("ada@example.com")
    before = people(home)["ada@example.com"]
    rows = "1,ADA@EXAMPLE.com,2020-01-01\n2,\uff41\uff44\uff41@example.com,\n3,new@example.com,\n"
    (folder / "people.csv").write_text("id,email,confirmed_at\n" + rows)
    moved = move(home, "csv", "people.csv")
    assert [moved.codes(key) for key in ("1", "2", "3")] == [{"exists"}, {"duplicate"}, {"no_password"}]
    assert people(home)["ada@example.com"] == before


@pytest.mark.parametrize(
    ("first", "second", "left_out"),
    [
        ("ada@example.com,", "ADA@example.com,", {"1", "2"}),
        ("ada@example.com,", "ADA@example.com,2020-01-01", {"1"}),
        ("ada@example.com,2020-01-01", "ADA@example.com,2020-01-01", {"1", "2"}),
        ("straße@example.com,", "strasse@example.com,", {"1", "2"}),
        ("ﬁne@example.com,", "fine@example.com,", {"1", "2"}),
    ],
)
def test_of_several_with_one_address_only_the_one_who_proved_it_comes(
    folder: Path, home: Shop, first: str, second: str, left_out: set[str]
) -> None:
    (folder / "people.csv").write_text(f"id,email,confirmed_at\n1,{first}\n2,{second}\n")
    moved = move(home, "csv", "people.csv")
    assert {key for key in ("1", "2") if moved.codes(key) == {"duplicate"}} == left_out


def test_rows_with_one_key_are_all_left_out(folder: Path, home: Shop) -> None:
    (folder / "people.csv").write_text("id,email\n1,a@example.com\n1,b@example.com\n")
    assert move(home, "csv", "people.csv").data["left_out"] == 2


def test_user_names_that_are_spelt_alike_are_given_to_nobody(folder: Path) -> None:
    home = new_home(folder, identifiers='("email", "username")')
    rows = "1,a@example.com,Bob\n2,b@example.com,bob\n3,,BOB\n4,,eve@example.com\n5,e@example.com,e@example.com\n"
    (folder / "people.csv").write_text("id,email,username\n" + rows)
    moved = move(home, "csv", "people.csv")
    assert [moved.codes(key) - {"no_password"} for key in "12345"] == [
        {"duplicate"},
        {"duplicate"},
        {"duplicate"},
        {"invalid_username"},
        set(),
    ]
    assert {email: known.username for email, known in people(home).items()} == {
        f"{name}@example.com": None for name in "abe"
    }


# ---- what stands between them and a session ----


def test_who_has_not_proved_an_address_proves_it_before_signing_in(folder: Path) -> None:
    confirming = f"{BCRYPT}\nfrom powauth.extensions.email_confirmation import EmailConfirmation"
    home = new_home(folder, more=confirming, extensions="(SignUp(), SignIn(), EmailConfirmation())")
    hash = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    rows = f"1,a@example.com,{hash},\n2,b@example.com,{hash},2020-01-01\n"
    (folder / "people.csv").write_text("id,email,password_hash,confirmed_at\n" + rows)
    move(home, "csv", "people.csv")

    async def enter(auth: Auth[Any], email: str) -> Any:
        async with auth.begin() as ctx:
            proved = await authenticate(ctx, email, PASSWORD)
        async with auth.begin() as ctx:
            return await sign_in(ctx, (proved.proof,), transport="cookie")

    with pytest.raises(InvalidCredentials):
        home.work(lambda auth: enter(auth, "a@example.com"))
    assert isinstance(home.work(lambda auth: enter(auth, "b@example.com")), Entered)


def test_no_mail_is_owed_to_anybody_who_moved_in(folder: Path, home: Shop) -> None:
    move(home, "csv", listed(folder, 3))
    assert home.data("mail", "list") == []


def test_an_import_is_for_one_tenant(folder: Path) -> None:
    tenants = '{"a.example": Tenant("acme", "https://a.example/auth"), "o.example": Tenant("other", "https://o.example/auth")}'
    home = new_home(folder, tenant=f"TenantsByHost({tenants})")
    listed(folder, 1)
    assert move(home, "csv", "people.csv", "--tenant", "acme").data["taken_over"] == 1
    result = home.run("import", "csv", "--from", "people.csv", "--tenant", "other")
    assert (result.exit_code, "tenant acme" in result.output) == (2, True)
    assert move(home, "csv", "people.csv", "--tenant", "other", "--journal", "other").data["taken_over"] == 1


# ---- the application's own columns ----

OWN = """
class User(AccountColumns, Base):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str | None]
    plan: Mapped[str] = mapped_column(String(5))
    points: Mapped[int]
    code: Mapped[str | None] = mapped_column(String(9), unique=True)
"""


@pytest.fixture
def rich(folder: Path) -> Shop:
    """An application whose model asks for more."""
    shop = write(folder, more=f"{BCRYPT}\nfrom sqlalchemy import String", passwords="Passwords(memory=64, time=1)")
    path = folder / f"{shop.module}.py"
    source = path.read_text()
    begin, end = source.index("class User("), source.index("engine = ")
    path.write_text(source[:begin] + OWN.lstrip() + "\n" + source[end:])
    return with_tables(shop)


def test_columns_of_the_application_s_own_are_filled_from_the_source_or_with_one_value(
    folder: Path, rich: Shop
) -> None:
    (folder / "people.csv").write_text("id,email,level\n1,a@example.com,7\n2,b@example.com,many\n3,c@example.com,\n")
    moved = move(rich, "csv", "people.csv", "--map", "level=points", "--set", "plan=basic")
    assert [moved.codes(key) - {"no_password"} for key in "123"] == [set(), {"bad_value"}, {"missing_column"}]

    async def read(auth: Auth[Any]) -> Any:
        async with auth.begin(writes=False) as ctx:
            user = await ctx.accounts.user((await ctx.accounts.find())[0])
            return user.points, user.plan

    assert rich.work(read) == (7, "basic")


def test_a_column_that_is_missing_too_long_or_not_the_application_s_to_give_is_said(folder: Path, rich: Shop) -> None:
    (folder / "people.csv").write_text("id,email\n1,a@example.com\n")
    assert move(rich, "csv", "people.csv", "--dry-run").codes("1") == {"missing_column"}
    args = ("--set", "points=1", "--set", "plan=enterprise", "--dry-run")
    assert move(rich, "csv", "people.csv", *args).codes("1") == {"too_long"}
    for name in ("epoch", "handle", "tenant", "id", "confirmed_at", "password_hash", "nothing"):
        result = rich.run("import", "csv", "--from", "people.csv", "--set", f"{name}=1")
        assert (result.exit_code, f"no column of its own {name}" in result.output) == (2, True)


def test_a_value_that_another_row_has_in_a_unique_column_leaves_out_that_one_only(folder: Path, rich: Shop) -> None:
    rows = "".join(f"{n},{n}@example.com,{'same' if n in {2, 4} else n}\n" for n in range(1, 6))
    (folder / "people.csv").write_text("id,email,code\n" + rows)
    moved = move(rich, "csv", "people.csv", "--map", "code=code", "--set", "plan=a", "--set", "points=1")
    assert [moved.codes(key) - {"no_password"} for key in "12345"] == [set(), set(), set(), {"exists"}, set()]
    assert len(people(rich)) == 4


def test_a_column_may_have_another_name_there_and_another_may_prove_addresses(folder: Path, home: Shop) -> None:
    (folder / "people.csv").write_text("id,mail,ok\n1,a@example.com,1\n2,b@example.com,0\n3,c@example.com,2020-01-01\n")
    move(home, "csv", "people.csv", "--rename", "mail=email", "--proved", "ok")
    found = people(home)
    assert [found[f"{name}@example.com"].is_confirmed for name in "abc"] == [True, False, True]
    result = home.run("import", "csv", "--from", "people.csv", "--rename", "nothing=email")
    assert (result.exit_code, "has no nothing" in result.output) == (2, True)
