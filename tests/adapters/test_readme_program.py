"""The program of the README, as it is printed there, over HTTP."""

import os
import re
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests import servers

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "examples" / "readme" / "app.py"
PASSWORD = "four quiet green owls"
AS_PERSON = {"accept": "text/html", "sec-fetch-site": "same-origin"}
AS_PROGRAM = {"accept": "application/json"}


@contextmanager
def served(folder: Path) -> Generator[str]:
    """Run the program in a folder of its own and give its address."""
    address = f"http://127.0.0.1:{servers.free_port()}"
    environment = {
        **os.environ,
        "AUTH_SECRET": "7c1e0f5a9d3b8264e2f7a1c09b5d3e86",
        "AUTH_BASE_URL": f"{address}/auth",
    }
    printed = (folder / "printed").open("w")
    environment["PYTHONUNBUFFERED"] = "1"
    command = [sys.executable, "-m", "uvicorn", "app:app", "--app-dir", str(PROGRAM.parent), "--log-level", "warning"]
    port = ["--port", address.rsplit(":", 1)[1]]
    with printed, subprocess.Popen([*command, *port], cwd=folder, env=environment, stdout=printed) as process:
        try:
            servers.wait_until(lambda: answers(address), "the program to answer", seconds=60)
            yield address
        finally:
            process.terminate()


def answers(address: str) -> bool:
    try:
        return httpx2.get(f"{address}/docs").status_code == 200
    except httpx2.TransportError:
        return False


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("readme")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with served(folder) as address:
        yield address


def confirm(folder: Path, email: str) -> None:
    """Open the link that the console mailer printed, and press its button."""

    def link() -> str:
        mails = (folder / "printed").read_text().split("--- mail to ")
        found = [re.search(r"http\S+/confirm-email/\S+", mail) for mail in mails if mail.startswith(email)]
        return next((match.group() for match in found if match), "")

    servers.wait_until(lambda: bool(link()), "the mail")
    answer = httpx2.post(link(), headers=AS_PERSON)
    assert (answer.status_code, answer.headers["location"]) == (303, "/auth/sign-in")


@pytest.fixture
def person(address: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=address, headers=AS_PERSON) as client:
        yield client


def test_a_person_signs_up_confirms_is_known_to_the_page_and_signs_out(person: httpx2.Client, folder: Path) -> None:
    assert 'name="name"' in person.get("/auth/sign-up").text
    form = {"email": "ada@example.com", "password": PASSWORD, "name": "Ada"}
    signed_up = person.post("/auth/sign-up", data=form)
    assert (signed_up.status_code, signed_up.headers["location"]) == (303, "/auth/confirm-email")
    confirm(folder, "ada@example.com")
    signed_in = person.post("/auth/sign-in", data={"email": "ada@example.com", "password": PASSWORD})
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/")
    me = person.get("/me").json()
    assert (me["email"], me["name"]) == ("ada@example.com", "Ada")
    assert person.post("/auth/sign-out").status_code == 303
    assert person.get("/me").status_code == 303


def test_signed_out_people_go_to_sign_in_and_come_back(person: httpx2.Client) -> None:
    sent = person.get("/me?tab=1")
    assert (sent.status_code, sent.headers["location"]) == (303, "/auth/sign-in?next=%2Fme%3Ftab%3D1")
    assert 'name="next" value="/me?tab=1"' in person.get(sent.headers["location"]).text


def test_signed_out_programs_are_told_so(address: str) -> None:
    answer = httpx2.get(f"{address}/me", headers=AS_PROGRAM)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_program_signs_up_and_in_with_a_token(address: str, folder: Path) -> None:
    body = {"email": "grace@example.com", "password": PASSWORD, "name": "Grace"}
    made = httpx2.post(f"{address}/auth/sign-up", json=body, headers=AS_PROGRAM)
    assert (made.status_code, list(made.json())) == (201, ["action"])
    confirm(folder, "grace@example.com")
    proof = {"email": "grace@example.com", "password": PASSWORD, "transport": "bearer"}
    signed_in = httpx2.post(f"{address}/auth/sign-in", json=proof, headers=AS_PROGRAM)
    assert "set-cookie" not in signed_in.headers
    bearer = {"authorization": f"Bearer {signed_in.json()['token']}"}
    assert httpx2.get(f"{address}/me", headers=bearer).json()["name"] == "Grace"


def test_a_field_of_the_applications_own_is_required_like_any_other(address: str) -> None:
    body = {"email": "eve@example.com", "password": PASSWORD}
    answer = httpx2.post(f"{address}/auth/sign-up", json=body, headers=AS_PROGRAM)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["name"])


def test_the_routes_stand_in_the_openapi_document(address: str) -> None:
    assert {"/me", "/auth/sign-up", "/auth/sign-in", "/auth/session"} <= set(
        httpx2.get(f"{address}/openapi.json").json()["paths"]
    )


def test_the_readme_prints_this_very_program() -> None:
    readme = ROOT / "README.md"
    program = PROGRAM.read_text()
    blocks = re.findall(r"```python\n(.*?)```", readme.read_text() if readme.exists() else "", re.DOTALL)
    printed = [block for block in blocks if block.splitlines()[0] == program.splitlines()[0]]
    assert [block for block in printed if block != program] == []
