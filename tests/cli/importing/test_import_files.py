"""CSV and JSON: whatever a file holds, it is read in bounded memory, and what cannot be read is said."""

import csv
import json
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from powauth import Auth
from powauth.cli.importing.files import MAX_LINE
from tests.cli.importing.world import database_of, insert, move, new_home, people, upgraded
from tests.cli.shop import PASSWORD, Shop

HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
HEADER = "id,email,password_hash,confirmed_at,locked_at,active,created_at"


@pytest.fixture
def home(folder: Path) -> Shop:
    return new_home(folder)


def written(home: Shop, name: str, *lines: str) -> Path:
    path = home.folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_csv_file_moves_in(home: Shop) -> None:
    rows = [f"1,ada@example.com,{HASH},2020-01-02T03:04:05Z,,,2019-01-01", "2,grace@example.com,,,2024-01-01,,"]
    moved = move(home, "csv", written(home, "people.csv", HEADER, *rows, "3,eve@example.com,,,,no,"))
    assert (moved.exit_code, moved.data["taken_over"]) == (0, 3)
    found = people(home)
    assert found["ada@example.com"].is_confirmed
    assert found["ada@example.com"].created_at.year == 2019
    assert [found[f"{name}@example.com"].is_locked for name in ("ada", "grace", "eve")] == [False, True, True]
    upgraded(home, "ada@example.com")


def test_semicolons_quotes_a_byte_order_mark_and_line_breaks_are_read(home: Shop) -> None:
    (home.folder / "people.csv").write_bytes(
        '\ufeffid;email;name\r\n1;ada@example.com;"Ada; the\r\n""first"""\r\n'.encode()
    )
    move(home, "csv", "people.csv", "--map", "name=name")

    async def read(auth: Auth[Any]) -> object:
        async with auth.begin(writes=False) as ctx:
            (ada,) = await ctx.accounts.find()
            return (await ctx.accounts.user(ada)).name

    assert home.work(read) == 'Ada; the\r\n"first"'


def test_json_lines_and_a_json_list_say_the_same(folder: Path) -> None:
    rows = [
        {
            "id": 7,
            "email": "ada@example.com",
            "confirmed_at": "2020-01-02T03:04:05+01:00",
            "active": True,
            "addresses": [{"email": "ada@elsewhere.example", "confirmed": True}],
            "identities": [{"provider": "google", "issuer": "https://accounts.google.com", "subject": "1"}],
            "roles": ["editor", "reader"],
        }
    ]
    home = new_home(folder)
    moved = move(home, "json", written(home, "people.jsonl", *map(json.dumps, rows)))
    assert moved.codes("7") == {"addresses", "identities", "roles", "no_password"}
    first = (folder / "powauth-set-aside.jsonl").read_text()
    other = new_home(folder)
    journal = ("--journal", "other.journal", "--set-aside", "other.jsonl", "--dry-run")
    again = move(other, "json", written(other, "people.json", json.dumps(rows, indent=1)), *journal)
    assert again.codes("7") == {"exists"}
    handle = people(home)["ada@example.com"].handle
    assert [json.loads(line) for line in first.splitlines()] == [
        {
            "handle": handle,
            "key": "7",
            "kind": "identity",
            "provider": "google",
            "subject": "1",
            "issuer": "https://accounts.google.com",
        },
        {"handle": handle, "key": "7", "kind": "address", "email": "ada@elsewhere.example", "confirmed": True},
        {"handle": handle, "key": "7", "kind": "role", "role": "editor"},
        {"handle": handle, "key": "7", "kind": "role", "role": "reader"},
    ]


def test_lines_that_cannot_be_read_are_said_and_the_others_move(home: Shop) -> None:
    path = home.folder / "people.csv"
    bad = b"2,b@example.com,x,y\n3,\xff\xfe@example.com,\n4," + b"x" * (MAX_LINE * 3) + b",\n"
    path.write_bytes(b"id,email,name\n1,a@example.com,\n" + bad + b"5,e@example.com,\n")
    moved = move(home, "csv", path)
    assert sorted(people(home)) == ["a@example.com", "e@example.com"]
    assert [moved.codes(f"line {number}") for number in (3, 4, 5)] == [{"unreadable"}] * 3
    assert moved.exit_code == 1


def test_a_quote_that_never_closes_swallows_no_more_than_a_row_may_have(home: Shop) -> None:
    lines = ["id,email", '1,"a@example.com', *(f"{number},{number}@example.com" for number in range(2, 30_000))]
    moved = move(home, "csv", written(home, "people.csv", *lines), "--dry-run")
    assert moved.says("unreadable")
    assert moved.data["read"] > 1000


@pytest.mark.parametrize("line", ["{", "[1]", '"x"', '{"id": 1, "email": "\\ud800@example.com"}', "[" * 100_000])
def test_what_is_no_object_in_json_is_left_out(home: Shop, line: str) -> None:
    path = written(home, "people.jsonl", '{"id": 5, "email": "a@example.com"}', line)
    moved = move(home, "json", path)
    assert (moved.codes("line 2"), list(people(home))) == ({"unreadable"}, ["a@example.com"])


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("email", "a\0b@example.com", "invalid_email"),
        ("email", "a@b@example.com", "invalid_email"),
        ("email", "a" * 300 + "@example.com", "invalid_email"),
        ("email", "a@example.com\nbcc: b@example.com", "invalid_email"),
        ("email", "﹫@example.com", "invalid_email"),
        ("created_at", "yesterday", "unreadable"),
        ("locked_at", "0", "unreadable"),
        ("active", "maybe", "unreadable"),
        ("identities", "[1]", "unreadable"),
        ("identities", "[" * 100_000, "unreadable"),
        ("deleted_at", "2020-01-01", "deleted"),
    ],
)
def test_a_value_that_is_none_leaves_its_row_out(home: Shop, field: str, value: str, code: str) -> None:
    row = {"id": 1, "email": "ada@example.com", field: value}
    moved = move(home, "json", written(home, "people.jsonl", json.dumps(row)))
    assert (moved.codes("1"), people(home), moved.exit_code) == ({code}, {}, 1)


@pytest.mark.parametrize(
    ("hash", "code"),
    [
        ("$2b$31$" + HASH[7:], "unsound_hash"),
        ("$2b$04$short", "unsound_hash"),
        ("$argon2id$v=19$m=4194304,t=99,p=1$c29tZXNhbHQxMjM0NTY3OA$4OKpsbtHJZv3sCngqvXkvWC+4kAKkdEY", "unsound_hash"),
        ("pbkdf2_sha256$99999999$salt$" + "A" * 43 + "=", "unsound_hash"),
        ("scrypt$67108864$salt$8$1$" + "A" * 86 + "==", "unsound_hash"),
        ("$pepper=mine$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQxMjM0NTY3OA$4OKpsbtHJZv3sCngqvXk", "unknown_hash"),
        ("$6$salt$hash", "unknown_hash"),
        (PASSWORD, "unknown_hash"),
        (HASH + "\n", "unsound_hash"),
        ("$2b$04$" + "é" * 53, "unsound_hash"),
        (HASH + "x" * 5000, "unsound_hash"),
    ],
    ids=range(11),  # the hashes differ from process to process
)
def test_a_hash_that_no_password_could_have_or_that_costs_too_much_stays_behind(
    home: Shop, hash: str, code: str
) -> None:
    row = {"id": 1, "email": "ada@example.com", "password_hash": hash}
    result = home.run("import", "json", "--from", str(written(home, "people.jsonl", json.dumps(row))))
    assert (result.exit_code, people(home)["ada@example.com"].password_hash) == (1, None)
    assert hash.strip() not in result.output
    assert code in result.output


def test_a_report_holds_no_hash_no_address_and_no_formula(home: Shop) -> None:
    lines = ["id,email,password_hash", f"=HYPERLINK(1),ada@example.com,{PASSWORD}", "2,no address,"]
    result = home.run("import", "csv", "--from", str(written(home, "p.csv", *lines)), "--report", "report.csv")
    assert result.exit_code == 1
    path = home.folder / "report.csv"
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert {(row["severity"], row["code"], row["key"]) for row in rows} == {
        ("lost", "unknown_hash", "'=HYPERLINK(1)"),
        ("left_out", "invalid_email", "2"),
    }
    assert path.stat().st_mode & 0o777 == 0o600
    for secret in (PASSWORD, "ada@example.com", "no address"):
        assert secret not in path.read_text()


def test_a_report_of_json_lines_has_everything(home: Shop) -> None:
    lines = ["id,email", *(f"{number},nobody" for number in range(1, 1501))]
    args = ("--report", "report.jsonl", "--dry-run")
    moved = move(home, "csv", written(home, "p.csv", *lines), *args)
    reported = [json.loads(line) for line in (home.folder / "report.jsonl").read_text().splitlines()]
    assert (len(reported), len(moved.data["remarks"]), moved.data["more"]) == (1500, 1000, 500)


def test_a_table_of_another_system_moves_in_from_a_folder_of_csv(home: Shop) -> None:
    (home.folder / "export").mkdir()
    with database_of("pow.sql", home.folder / "phoenix.db") as source:
        insert(source, "users", email="ada@example.com", password_hash="x", inserted_at="2020-01-01", updated_at="")
        insert(source, "user_identities", provider="github", uid="1", user_id=1, inserted_at="", updated_at="")
        for table in ("users", "user_identities"):
            cursor = source.execute(f"SELECT * FROM {table}")  # noqa: S608
            with (home.folder / "export" / f"{table}.csv").open("w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow([column[0] for column in cursor.description])
                writer.writerows(cursor)
    moved = move(home, "pow", "export")
    assert moved.codes("1") == {"identities", "unknown_hash"}
    assert list(people(home)) == ["ada@example.com"]


def test_no_file_no_header_and_no_table_are_said_in_sentences(home: Shop) -> None:
    for origin, says in (
        ("nowhere.csv", "there is no file nowhere.csv"),
        (str(written(home, "empty.csv", "id,,email")), "the first line has to name the columns"),
        ("sqlite:///nowhere.db", "there is no file nowhere.db"),
        ("nonsense://x", "nonsense"),
        ("postgresql://ada:verysecret@127.0.0.1:1/x", "does not answer"),
    ):
        result = home.run("import", "csv", "--from", origin)
        assert result.exit_code in {1, 2}
        assert says in result.output, result.output
        assert "verysecret" not in result.output
