"""Identities at providers: who signed in with one there signs in with it here, and with nobody else's."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from powauth import Auth
from powauth.accounts import Handle, NewAccount
from powauth.extensions.providers.records import IdentityRecord, identity_key
from powauth.operations import change_password, confirm_email
from tests.cli.importing.world import BCRYPT, database_of, insert, move, new_home, people
from tests.cli.shop import Shop

THEN = "2022-05-04T03:02:01"
MORE = f"""{BCRYPT}
from powauth.extensions.providers import Providers
from powauth.providers import Entra, GitHub, Google, Reddit

def app(kind, **settings):
    return kind(client_id="id", client_secret="secret", **settings)

LISTED = [
    app(GitHub), app(Google), app(GitHub, name="work").at("https://git.example.com"),
    app(Entra, tenant="72f988bf-86f1-41af-91ab-2d7cd011db47"), app(Entra, name="anybody", tenant="common"),
    app(Reddit, user_agent="web:com.example:1 (by /u/ada)"),
]
"""
TENANT = "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0"
GITHUB = ("--provider", "github=github")


def with_providers(folder: Path, **settings: str) -> Shop:
    return new_home(folder, more=MORE, extensions="(SignIn(), Providers(providers=LISTED))", **settings)


@pytest.fixture
def home(folder: Path) -> Shop:
    return with_providers(folder)


@pytest.fixture
def source(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(database_of("pow.sql", folder / "phoenix.db")) as database:
        yield database


def person(source: sqlite3.Connection, name: str, *identities: tuple[str, str], proved: bool = True) -> None:
    proof = {"email_confirmation_token": name, "email_confirmed_at": THEN if proved else None}
    insert(source, "users", email=f"{name}@example.com", inserted_at=THEN, updated_at=THEN, **proof)
    (id,) = source.execute("SELECT max(id) FROM users").fetchone()
    for provider, uid in identities:
        insert(source, "user_identities", provider=provider, uid=uid, user_id=id, inserted_at=THEN, updated_at=THEN)


def rows(home: Shop) -> dict[tuple[str, str], tuple[str, str]]:
    """Return the identities of an application: provider and address by issuer and subject."""

    async def read(auth: Auth[Any]) -> Sequence[IdentityRecord]:
        async with auth.begin(writes=False) as ctx:
            return await ctx.records(IdentityRecord).find()

    names = {account.handle: account.email or "" for account in people(home).values()}
    found: Sequence[IdentityRecord] = home.work(read)
    assert all(row.id == identity_key(row.issuer, row.subject) for row in found)
    return {(row.issuer, row.subject): (row.provider, names[row.owner]) for row in found}


def aside(home: Shop) -> list[tuple[str, str]]:
    """Return the identities that are set aside."""
    path = home.folder / "powauth-set-aside.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [(line["provider"], line["subject"]) for line in lines if line["kind"] == "identity"]


def moved_in(home: Shop, *args: str) -> Any:
    return move(home, "pow", "sqlite:///phoenix.db", *args)


def test_who_came_by_a_provider_comes_by_it_here(home: Shop, source: sqlite3.Connection) -> None:
    """S47: by issuer and subject, and the issuer is that of the provider that is configured."""
    person(source, "ada", ("github", "583231"), ("google", "110"), ("facebook", "7"))
    moved = moved_in(home, *GITHUB, "--provider", "google=google")
    assert moved.data["identities"] == 2
    assert rows(home) == {
        ("https://github.com", "583231"): ("github", "ada@example.com"),
        ("https://accounts.google.com", "110"): ("google", "ada@example.com"),
    }
    assert aside(home) == [("facebook", "7")]
    assert moved.says("identities") == [
        "its identity at facebook is set aside: --provider facebook=NAME connects it",
    ]


def test_the_value_that_is_named_says_whose_people_they_are(home: Shop, source: sqlite3.Connection) -> None:
    person(source, "ada", ("github", "1"))
    moved_in(home, "--provider", "github=work")
    assert rows(home) == {("https://git.example.com", "1"): ("work", "ada@example.com")}


def test_a_dry_run_counts_and_writes_nothing(home: Shop, source: sqlite3.Connection) -> None:
    person(source, "ada", ("github", "1"), ("facebook", "2"))
    moved = moved_in(home, *GITHUB, "--dry-run")
    assert (moved.data["identities"], len(moved.says("identities"))) == (1, 1)
    assert (rows(home), people(home), aside(home)) == ({}, {}, [])
    text = home.run("import", "pow", "--from", "sqlite:///phoenix.db", *GITHUB, "--dry-run").output
    assert "identities that would be connected: 1" in text


def test_running_twice_changes_nothing(home: Shop, source: sqlite3.Connection) -> None:
    person(source, "ada", ("github", "1"), ("facebook", "2"))
    moved_in(home, *GITHUB)
    before = (rows(home), aside(home))
    again = moved_in(home, *GITHUB)
    assert (again.data["identities"], again.data["already"], again.data["remarks"]) == (0, 1, [])
    assert (rows(home), aside(home)) == before


def test_what_its_owner_disconnected_does_not_come_back(home: Shop, source: sqlite3.Connection) -> None:
    """S51: nor with another run."""
    person(source, "ada", ("github", "1"))
    moved_in(home, *GITHUB)

    async def disconnect(auth: Auth[Any]) -> None:
        async with auth.begin() as ctx:
            await ctx.records(IdentityRecord).delete_all(where={"provider": "github"})

    home.work(disconnect)
    assert moved_in(home, *GITHUB).data["identities"] == 0
    assert rows(home) == {}


def test_what_was_set_aside_before_has_its_place_when_it_is_said_whose_it_is(
    home: Shop, source: sqlite3.Connection
) -> None:
    person(source, "ada", ("github", "1"), ("facebook", "2"))
    person(source, "grace", ("github", "3"))
    moved_in(home)
    assert (rows(home), len(aside(home))) == ({}, 3)
    dry = moved_in(home, *GITHUB, "--dry-run")
    assert (dry.data["identities"], rows(home)) == (2, {})
    assert moved_in(home, *GITHUB).data["identities"] == 2
    assert sorted(rows(home)) == [("https://github.com", "1"), ("https://github.com", "3")]
    assert aside(home) == [("facebook", "2")]
    assert moved_in(home, *GITHUB).data["identities"] == 0


def test_the_file_is_gone_when_everything_has_its_place(home: Shop, source: sqlite3.Connection) -> None:
    person(source, "ada", ("github", "1"))
    moved_in(home)
    other = home.folder / "other.jsonl"
    other.write_text('{"handle": "' + "0" * 32 + '", "key": "1", "kind": "role", "role": "x"}\n')
    moved_in(home, *GITHUB, "--set-aside", "other.jsonl")
    assert other.exists()  # of another import: nobody's to remove
    moved_in(home, *GITHUB)
    assert not (home.folder / "powauth-set-aside.jsonl").exists()


@pytest.mark.parametrize("change", ["password", "confirmed"])
def test_a_stranger_s_identity_does_not_come_into_an_account_that_its_owner_made_theirs_since(
    home: Shop, source: sqlite3.Connection, change: str
) -> None:
    """S48: whoever signed up there with somebody else's address never proved it."""
    person(source, "ada", ("github", "666"), proved=False)
    moved_in(home)

    async def make_theirs(auth: Auth[Any]) -> None:
        async with auth.begin() as ctx:
            account = await ctx.accounts.by_email("ada@example.com")
            assert account is not None
            if change == "password":
                await change_password(ctx, account, "five loud red foxes")
            else:
                await confirm_email(ctx, await ctx.lock(account.handle))

    home.work(make_theirs)
    moved = moved_in(home, *GITHUB)
    assert (moved.data["identities"], rows(home), aside(home)) == (0, {}, [("github", "666")])
    assert "its owner changed how they sign in since" in moved.says("identities")[0]


def test_an_identity_that_is_somebody_s_here_stays_theirs(home: Shop, source: sqlite3.Connection) -> None:
    person(source, "ada", ("github", "1"))

    async def grace(auth: Auth[Any]) -> Handle:
        async with auth.begin() as ctx:
            account = await ctx.accounts.add(NewAccount(email="grace@example.com"), now=ctx.now)
            extension = next(known for known in auth.extensions if known.name == "providers")
            await extension.take_over(  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  of Providers
                ctx, account.handle, provider="github", issuer="https://github.com", subject="1"
            )
            return account.handle

    home.work(grace)
    for args in (("--dry-run",), ()):
        moved = moved_in(home, *GITHUB, *args)
        assert (moved.codes("1"), moved.exit_code) == ({"identity_taken", "no_password"}, 1)
        assert rows(home) == {("https://github.com", "1"): ("github", "grace@example.com")}
    assert aside(home) == [("github", "1")]
    assert moved_in(home, *GITHUB).says("identity_taken")  # it is looked at again, and stays where it is
    assert rows(home) == {("https://github.com", "1"): ("github", "grace@example.com")}


def test_of_two_there_with_one_identity_neither_gets_it(home: Shop) -> None:
    identity = {"provider": "github", "subject": "1"}
    lines = [json.dumps({"id": n, "email": f"u{n}@example.com", "identities": [identity]}) for n in (1, 2)]
    (home.folder / "p.jsonl").write_text("\n".join(lines))
    moved = move(home, "json", home.folder / "p.jsonl", *GITHUB)
    assert [moved.codes(key) for key in ("1", "2")] == [{"duplicate", "no_password"}] * 2
    assert (rows(home), sorted(people(home))) == ({}, ["u1@example.com", "u2@example.com"])


def test_one_identity_under_two_names_is_one(home: Shop, source: sqlite3.Connection) -> None:
    person(source, "ada", ("github", "1"), ("gh", "1"))
    moved = moved_in(home, *GITHUB, "--provider", "gh=github")
    assert (moved.data["identities"], aside(home)) == (1, [])
    assert rows(home) == {("https://github.com", "1"): ("github", "ada@example.com")}


@pytest.mark.parametrize(
    ("identity", "why"),
    [
        ({"provider": "google", "subject": "1", "issuer": "https://evil.example"}, "of another issuer"),
        ({"provider": "anybody", "subject": "1"}, "does not say of which one"),
        ({"provider": "anybody", "subject": "1", "issuer": "https://login.microsoftonline.com/x/y/v2.0"}, "another"),
        ({"provider": "entra", "subject": "1", "issuer": TENANT.replace("72", "73")}, "of another issuer"),
        ({"provider": "google", "subject": "x" * 256}, "is none"),
        ({"provider": "google", "subject": " 1"}, "is none"),
        ({"provider": "google", "subject": "a\0b"}, "is none"),
        ({"provider": "google"}, "is none"),
    ],
)
def test_what_cannot_be_its_provider_s_is_set_aside(home: Shop, identity: dict[str, str], why: str) -> None:
    line = json.dumps({"id": 1, "email": "ada@example.com", "identities": [identity]})
    (home.folder / "p.jsonl").write_text(line)
    args = [f"--provider={name}={name}" for name in ("google", "entra", "anybody")]
    moved = move(home, "json", home.folder / "p.jsonl", *args)
    assert why in moved.says("identities")[0]
    assert (rows(home), len(aside(home)), len(people(home))) == ({}, 1, 1)


def test_an_issuer_that_is_given_and_right_is_taken(home: Shop) -> None:
    given = [
        {"provider": "google", "subject": "1", "issuer": "https://accounts.google.com"},
        {"provider": "entra", "subject": "2"},
        {"provider": "anybody", "subject": "3", "issuer": TENANT},
    ]
    (home.folder / "p.jsonl").write_text(json.dumps({"id": 1, "email": "ada@example.com", "identities": given}))
    args = [f"--provider={name}={name}" for name in ("google", "entra", "anybody")]
    assert move(home, "json", home.folder / "p.jsonl", *args).data["identities"] == 3
    assert sorted(rows(home)) == [("https://accounts.google.com", "1"), (TENANT, "2"), (TENANT, "3")]


@pytest.mark.parametrize(
    ("given", "says"),
    [("github=gitlab", "gitlab is no provider of the application"), ("github", "write it as --provider")],
)
def test_a_provider_that_nobody_knows_here_is_refused_before_anything_is_read(
    home: Shop, source: sqlite3.Connection, given: str, says: str
) -> None:
    result = home.run("import", "pow", "--from", "sqlite:///phoenix.db", "--provider", given)
    assert (result.exit_code, people(home)) == (2, {})
    assert says in result.output


def test_without_providers_in_the_application_none_is_connected(folder: Path, source: sqlite3.Connection) -> None:
    home = new_home(folder)
    result = home.run("import", "pow", "--from", "sqlite:///phoenix.db", *GITHUB)
    assert (result.exit_code, people(home)) == (2, {})
    assert "Providers()" in result.output


def test_providers_of_a_request_are_asked_for_as_each_request_asks(folder: Path, source: sqlite3.Connection) -> None:
    more = f"{MORE}\nasync def listed(ctx):\n    return LISTED\n"
    home = new_home(folder, more=more, extensions="(SignIn(), Providers(providers=listed))")
    person(source, "ada", ("github", "1"))
    assert moved_in(home, *GITHUB).data["identities"] == 1
