"""Multipart forms. S58: whatever is cut off, nested or ambiguous is unreadable, never mended."""

from email.message import MIMEPart
from email.policy import HTTP

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powauth.bodies import MAX_FIELDS, Body, read_body
from powauth.errors import Unreadable
from powauth.http import RawRequest

pytestmark = pytest.mark.anyio

FROM_CHROMIUM = (
    b"------WebKitFormBoundary7MA4YWxkTrZu0gW\r\n"
    b'Content-Disposition: form-data; name="email"\r\n\r\nada@example.com\r\n'
    b"------WebKitFormBoundary7MA4YWxkTrZu0gW\r\n"
    b'Content-Disposition: form-data; name="about"\r\n\r\nfirst\r\nsecond: \xc3\xb6\r\n\r\n'
    b"\r\n------WebKitFormBoundary7MA4YWxkTrZu0gW\r\n"
    b'Content-Disposition: form-data; name="photo"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n\r\n'
    b"------WebKitFormBoundary7MA4YWxkTrZu0gW--\r\n"
)


async def sent(content: bytes, type_: str = "multipart/form-data; boundary=x") -> Body:
    async def body(most: int) -> bytes:
        return content[: most + 1]

    return await read_body(RawRequest("POST", "/", headers=(("content-type", type_),), body=body))


def part(value: bytes = b"1", *, name: str = 'name="a"', more: str = "") -> bytes:
    return (
        b"--x\r\nContent-Disposition: form-data; " + name.encode() + b"\r\n" + more.encode() + b"\r\n" + value + b"\r\n"
    )


async def test_a_browser_s_form_is_read_and_its_files_are_left_out() -> None:
    body = await sent(FROM_CHROMIUM, "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW")
    assert body.data == {"email": "ada@example.com", "about": "first\r\nsecond: ö\r\n\r\n"}
    assert body.sent == {"email", "about"}
    assert not body.is_json


BOUNDARIES = [
    "boundary=x",
    'boundary="x"',
    "charset=utf-8; boundary=x",
    "BOUNDARY = x ",
    "boundary=x; boundary=y",
    'a="; boundary=y"; boundary=x',
]


@pytest.mark.parametrize("parameters", BOUNDARIES)
async def test_the_boundary_is_found_among_other_parameters(parameters: str) -> None:
    body = await sent(part() + b"--x--", f"Multipart/Form-Data; {parameters}")
    assert body.data == {"a": "1"}


BAD_BOUNDARIES = [
    "", ";", "; boundary", "; boundary=", '; boundary=""', "; boundary=" + "x" * 71, "; boundary=ü",
    "; boundary=x\0", '; boundary="x "', "; x=boundary=x", "; boundary=<x>", "; boundary=x\r\n",
]  # fmt: skip


@pytest.mark.parametrize("parameters", BAD_BOUNDARIES)
async def test_without_a_proper_boundary_nothing_is_read(parameters: str) -> None:
    with pytest.raises(Unreadable):
        await sent(part() + b"--x--", f"multipart/form-data{parameters}")


async def test_of_two_values_of_one_name_the_first_counts() -> None:
    body = await sent(part(b"1") + part(b"2") + part(b"utf-8", name='name="_charset_"') + b"--x--\r\n")
    assert body.data == {"a": "1"}


@pytest.mark.parametrize(
    "name", ['name="a"; filename="x"', "filename=x; name=a", "name=a; filename*=utf-8''x", 'name=a; FileName=""']
)
async def test_a_file_is_no_value(name: str) -> None:
    assert (await sent(part(name=name) + b"--x--")).data == {}


@pytest.mark.parametrize(
    "name", ['name="a"', "name=a", 'NAME = "a"', 'x=y; name="a"', 'x="; name=b"; name="a"', 'name="a"; name="b"']
)
async def test_a_name_is_found_among_other_parameters(name: str) -> None:
    assert (await sent(part(name=name) + b"--x--")).data == {"a": "1"}


BAD = [
    *(b"x", b"--", b"--x", b"--x\r\n", b"--x--x", b"--x-", b"--y--", b"\r\n", b"--x\r\n--x--", b"--x\r\n\r\n--x--"),
    part(),  # never closed
    part()[:-4],
    part() + b"--x",
    part() + b"--xy--",
    part().replace(b"\r\n", b"\n") + b"--x--",
    part().replace(b"--x", b"--x ") + b"--x--",
    part(b"1\r\n--xy") + b"--x--",  # its boundary inside a value
    part() + b"--x--\r\n" + part() + b"--x--",  # something after the end that another reader might take
    part(name="") + b"--x--",
    part(name="name") + b"--x--",
    part(name='xname="a"') + b"--x--",
    part(b"\xff") + b"--x--",
    part(name="name=\ud800".encode("utf-8", "surrogatepass").decode("latin-1")).replace(b"\xc3", b"\xff") + b"--x--",
    part(more="Content-Transfer-Encoding: base64\r\n") + b"--x--",
    part(more="Content-Transfer-Encoding: quoted-printable\r\n") + b"--x--",
    part(more='Content-Disposition: form-data; name="b"\r\n') + b"--x--",
    part(more="no header\r\n") + b"--x--",
    part().replace(b"form-data", b"attachment") + b"--x--",
    b"--x\r\n\r\n1\r\n--x--",
    part() * (MAX_FIELDS + 1) + b"--x--",
    b"\r\n--x" * 10_000,
]


@pytest.mark.parametrize("content", BAD)
async def test_what_is_no_whole_form_is_unreadable(content: bytes) -> None:
    with pytest.raises(Unreadable):
        await sent(content)


async def test_as_many_fields_as_a_form_may_have_are_read() -> None:
    parts = [part(name=f"name=n{number}") for number in range(MAX_FIELDS)]
    assert len((await sent(b"".join(parts) + b"--x--")).data) == MAX_FIELDS


async def test_nested_parts_are_one_text_and_cost_no_stack() -> None:
    more = "Content-Type: multipart/mixed; boundary=y\r\n"
    body = await sent(part(b"--y\r\n" * 9000, more=more) + b"--x--")
    assert body.data == {"a": "--y\r\n" * 9000}


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=20)


@given(st.dictionaries(st.from_regex(r"\A[a-z_]{1,9}\Z"), TEXTS, min_size=1, max_size=5))
@settings(deadline=None)
async def test_a_form_written_by_another_library_is_read_as_it_was_meant(fields: dict[str, str]) -> None:
    form = MIMEPart(HTTP)
    form["Content-Type"] = 'multipart/form-data; boundary="next one"'
    for name, value in fields.items():
        inner = MIMEPart(HTTP)
        inner.add_header("Content-Disposition", "form-data", name=name)
        inner.set_payload(value.encode().decode("ascii", "surrogateescape"))
        form.attach(inner)
    head, _, content = form.as_bytes().partition(b"\r\n\r\n")
    body = await sent(content, head.decode().removeprefix("Content-Type: "))
    assert body.data == {name: value for name, value in fields.items() if name != "_charset_"}
