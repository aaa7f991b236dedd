"""What clients send. S4: what is too long is refused; S58: malformed bodies are a client's error, never ours."""

import json
import math
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powauth.bodies import MAX_BODY, MAX_DEPTH, MAX_FIELDS, Body, essence, read_body
from powauth.errors import InvalidForm, TooLarge, Unreadable, UnsupportedMedia
from powauth.forms import Form
from powauth.http import RawRequest
from powauth.reading import read

pytestmark = pytest.mark.anyio

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
MULTIPART = "multipart/form-data; boundary=x"


def request(content: bytes, *types: str, headers: tuple[tuple[str, str], ...] = ()) -> RawRequest:
    async def body(most: int) -> bytes:
        return content[: most + 1]

    return RawRequest("POST", "/", headers=(*(("content-type", name) for name in types), *headers), body=body)


async def sent(content: bytes | str, *types: str) -> Body:
    return await read_body(request(content if isinstance(content, bytes) else content.encode(), *types))


# ---- the frame: type, length, encoding ----


@pytest.mark.parametrize("type_", [FORM, JSON, MULTIPART, "text/plain", "nonsense", ""])
async def test_an_empty_body_is_an_empty_form_whatever_its_type(type_: str) -> None:
    body = await sent(b"", type_)
    assert (body.data, body.sent, body.is_json) == ({}, frozenset(), type_ == JSON)


async def test_an_empty_body_needs_no_type_and_any_other_does() -> None:
    assert (await sent(b"")).data == {}
    with pytest.raises(UnsupportedMedia):
        await sent(b"a=1")


OTHER_TYPES = [
    "", "text/plain", "text/json", "application/jsonp", "application/problem+json", "application/xml", "*/*",
    "json", "application/json, text/plain", "text/plain, application/json", "application/json\0",
    "application /json", "text/plain; application/json", "multipart/mixed; boundary=x",
    "multipart/form-data, application/json",
]  # fmt: skip


@pytest.mark.parametrize("type_", OTHER_TYPES)
async def test_json_under_another_type_is_not_read(type_: str) -> None:
    """S54: a form of another site can send any text as text/plain."""
    with pytest.raises(UnsupportedMedia):
        await sent(b'{"a": "1"}', type_)


@pytest.mark.parametrize(
    "type_", ["Application/JSON", "application/json;charset=UTF-8", " application/json ; x", "application/json;;"]
)
async def test_types_are_compared_without_case_and_parameters(type_: str) -> None:
    body = await sent(b'{"a": "1"}', type_)
    assert (body.data, body.is_json) == ({"a": "1"}, True)


async def test_two_types_are_unreadable_even_if_they_agree() -> None:
    for types in ((JSON, FORM), (FORM, JSON), (JSON, JSON)):
        with pytest.raises(Unreadable):
            await sent(b"", *types)
        with pytest.raises(Unreadable):
            essence(request(b"", *types))


@pytest.mark.parametrize("coding", ["gzip", "br", "identity, gzip", "gzip, identity", "x", "deflate"])
async def test_packed_bodies_are_not_unpacked(coding: str) -> None:
    with pytest.raises(UnsupportedMedia):
        await read_body(request(b"a=1", FORM, headers=(("content-encoding", coding),)))


async def test_identity_is_no_packing() -> None:
    body = await read_body(request(b"a=1", FORM, headers=(("content-encoding", "Identity"),)))
    assert body.data == {"a": "1"}


@pytest.mark.parametrize("length", ["65537", "9" * 5000, "0065537", "65537, 65537"])
async def test_a_longer_body_is_refused_before_it_is_read(length: str) -> None:
    """S4."""

    async def never(most: int) -> bytes:
        raise AssertionError(most)

    with pytest.raises(TooLarge):
        await read_body(RawRequest("POST", "/", headers=(("content-length", length),), body=never))


@pytest.mark.parametrize(
    "length", ["", "-1", "+1", "1.0", "x", "1 2", "0x1", "1_0", "٣", "²", "3, 4", "3,", ",", "3;3"]
)
async def test_a_malformed_length_is_unreadable(length: str) -> None:
    """S58."""
    with pytest.raises(Unreadable):
        await read_body(request(b"a=1", FORM, headers=(("content-length", length),)))


async def test_two_lengths_have_to_agree() -> None:
    same, other = (("content-length", "3"),), (("content-length", "4"),)
    assert (await read_body(request(b"a=1", FORM, headers=same + same))).data == {"a": "1"}
    with pytest.raises(Unreadable):
        await read_body(request(b"a=1", FORM, headers=same + other))


async def test_a_body_that_is_longer_than_it_said_is_refused() -> None:
    assert len((await sent(b"a=" + b"b" * (MAX_BODY - 2), FORM)).data) == 1
    with pytest.raises(TooLarge):
        await sent(b"a=" + b"b" * (MAX_BODY - 1), FORM)
    with pytest.raises(TooLarge):
        await read_body(request(b"a=1", FORM), most=2)


async def test_a_body_does_not_show_its_values() -> None:
    assert "hunter2" not in repr(await sent(b"password=hunter2", FORM))


@pytest.mark.parametrize("type_", [FORM, JSON, MULTIPART])
async def test_what_cannot_be_read_is_in_no_error(type_: str) -> None:
    """An error is logged with all that led to it."""
    with pytest.raises(Unreadable) as caught:
        await sent(b"hunter2=\xff", type_)
    assert (caught.value.args, caught.value.__cause__, caught.value.__context__) == ((), None, None)


# ---- URL-encoded forms ----


async def test_a_form_is_names_and_texts() -> None:
    body = await sent("email=ada%40example.com&name=Ada+L%C3%B6v&empty=&bare&raw=ö&_charset_=utf-8", FORM)
    assert body.data == {"email": "ada@example.com", "name": "Ada Löv", "empty": "", "bare": "", "raw": "ö"}
    assert body.sent == {"email", "name", "empty", "bare", "raw"}
    assert not body.is_json


async def test_of_two_values_of_one_name_the_first_counts() -> None:
    assert (await sent(b"a=1&a=2&%61=3", FORM)).data == {"a": "1"}


async def test_a_semicolon_separates_nothing() -> None:
    assert (await sent(b"a=1;b=2", FORM)).data == {"a": "1;b=2"}


@pytest.mark.parametrize(
    "content", [b"a=\xff", b"a=%ff", b"%ff=a", b"a=%c3%28", b"a=%ed%a0%80", b"a=%c0%af", b"\xfe\xff\0a"]
)
async def test_a_form_that_is_not_utf_8_is_unreadable(content: bytes) -> None:
    """S58."""
    with pytest.raises(Unreadable):
        await sent(content, FORM)


@pytest.mark.parametrize("content", [b"a=1&" * MAX_FIELDS + b"a=1", b"&" * MAX_FIELDS, b"&" * 60_000])
async def test_a_form_with_too_many_fields_is_unreadable(content: bytes) -> None:
    with pytest.raises(Unreadable):
        await sent(content, FORM)


# ---- JSON ----


async def test_a_json_object_keeps_its_types() -> None:
    body = await sent('{"a": "ö", "b": 1, "c": true, "d": null, "e": [1.5, {}], "f": ""}', JSON)
    assert body.data == {"a": "ö", "b": 1, "c": True, "d": None, "e": [1.5, {}], "f": ""}
    assert body.sent == set("abcdef")
    assert body.is_json


BAD_JSON = [
    "[]", '"a"', "1", "null", "true", "{", "{}x", "{} {}", "{'a': 1}", '{"a": 1,}', '{"a": 01}', '{"a": .5}',
    "a=1", " ", '{"a": NaN}', '{"a": Infinity}', '{"a": -Infinity}', '{"a": 1e999}', '{"a": [-1e999]}',
    '{"a": "\n"}', '{"a": "\\x"}', '{"a": 1, "a": 1}', '{"a": 1, "\\u0061": 2}', '{"x": {"a": 1, "a": 2}}',
    '{"x": [{"a": 1, "a": 2}]}', "\ufeff{}", "[{}]",
]  # fmt: skip


@pytest.mark.parametrize("content", BAD_JSON)
async def test_what_is_not_one_plain_json_object_is_unreadable(content: str) -> None:
    """S58."""
    with pytest.raises(Unreadable):
        await sent(content, JSON)


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "latin-1"])
async def test_json_in_another_encoding_is_unreadable(codec: str) -> None:
    with pytest.raises(Unreadable):
        await sent('{"a": "ö"}'.encode(codec), f"application/json; charset={codec}")


@pytest.mark.parametrize("opened", ["[", '{"a":', '[{"a":', '[{"":['])
async def test_deep_nesting_is_unreadable_long_before_the_stack_is_full(opened: str) -> None:
    for text in (opened * (MAX_BODY // len(opened) - 8), '{"a":' + opened * MAX_DEPTH):
        with pytest.raises(Unreadable):
            await sent(text, JSON)


async def test_nesting_within_the_bound_is_read_and_brackets_in_texts_do_not_count() -> None:
    deep = "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)
    body = await sent(f'{{"a": {deep}, "b": "{"[" * 999}", "c": "\\"{"[" * 999}", "[[\\\\": 1}}', JSON)
    assert len(body.data) == 4
    with pytest.raises(Unreadable):
        await sent(f'{{"a": [{deep}]}}', JSON)


async def test_an_object_with_too_many_names_is_unreadable() -> None:
    most = {str(number): 1 for number in range(MAX_FIELDS)}
    assert len((await sent(json.dumps(most), JSON)).data) == MAX_FIELDS
    with pytest.raises(Unreadable):
        await sent(json.dumps(most | {"x": 1}), JSON)


class Sample(Form):
    number: int | None = None
    text: str | None = None
    ticked: bool = False


@pytest.mark.parametrize("digits", ["1" * 101, "1" * 5000, "-" + "9" * 5000, "1" * 20_000])
async def test_a_huge_number_is_a_bad_field_and_no_bad_body(digits: str) -> None:
    """S4, S58."""
    body = await sent(f'{{"number": {digits}, "text": {digits}, "ticked": {digits}}}', JSON)
    assert body.data["number"] == Decimal(digits)
    with pytest.raises(InvalidForm) as refused:
        read(Sample, body.data)
    assert set(refused.value.errors) == {"number", "text", "ticked"}


async def test_half_a_surrogate_pair_and_nul_reach_the_form_which_refuses_them() -> None:
    """S4."""
    for text in ("\\ud800", "\\udfff", "\\u0000"):
        body = await sent(f'{{"text": "{text}", "{text}": 1}}', JSON)
        with pytest.raises(InvalidForm):
            read(Sample, body.data)


async def test_null_is_as_good_as_absent() -> None:
    body = await sent('{"number": null, "text": null, "ticked": null}', JSON)
    assert read(Sample, body.data) == Sample()
    assert body.sent == {"number", "text", "ticked"}


# ---- any bytes at all ----

TYPES = st.lists(st.sampled_from([FORM, JSON, MULTIPART, "text/plain", ""]) | st.text(max_size=40), max_size=2)
PIECES = [
    b"{", b"}", b"[", b'"', b"\\", b":", b",", b"1e999", b"1" * 200, b"NaN", b"null", b"\\ud800", b"a", b"=", b"&",
    b"%f", b"%", b"--x", b"--", b"\r\n", b"\r\n\r\n", b'Content-Disposition: form-data; name="a"', b"; filename=",
    b"\xff", b"\0", b" ",
]  # fmt: skip
CONTENT = st.binary(max_size=300) | st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)
FRAMES = st.lists(st.tuples(st.sampled_from(["content-length", "content-encoding"]), st.text(max_size=8)), max_size=2)


@given(CONTENT, TYPES, FRAMES)
@settings(deadline=None)
async def test_any_bytes_are_read_or_refused_with_a_client_error(
    content: bytes, types: list[str], headers: list[tuple[str, str]]
) -> None:
    """S58."""
    with suppress(Unreadable, TooLarge, UnsupportedMedia):
        body = await read_body(request(content, *types, headers=tuple(headers)))
        assert body.sent == set(body.data)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), VALUES, max_size=5))
@settings(deadline=None)
async def test_whatever_json_can_say_is_read_as_it_was_said(data: dict[str, object]) -> None:
    text = json.dumps(data)
    if (
        "NaN" in text
        or "Infinity" in text
        or any(isinstance(value, int) and abs(value) >= 10**99 for value in data.values())
    ):
        return
    assert (await sent(text, JSON)).data == data
    assert all(not isinstance(value, float) or math.isfinite(value) for value in data.values())
