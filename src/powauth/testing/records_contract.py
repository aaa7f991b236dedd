"""RecordsContract: what every database adapter promises about records, each promise with its breach."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any

import pytest

from powauth.accounts import Handle
from powauth.database import Schema
from powauth.errors import ConfigurationError, Stale, Taken
from powauth.records import Index, Json, Key, Owner, Record, Text, Unique
from powauth.testing.backend import OTHER, Backend

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


class Note(Record, table="notes"):
    """One of every type."""

    id: Annotated[str, Key()]
    slug: Annotated[str | None, Unique()] = None
    room: Annotated[str | None, Unique("place")] = None
    shelf: Annotated[int | None, Unique("place")] = None
    at: Annotated[datetime, Index()] = NOW
    text: Annotated[str, Text(100_000)] = ""
    count: int = 0
    weight: float | None = None
    is_done: bool = False
    blob: bytes = b""
    seal: Annotated[bytes | None, Text(32), Unique()] = None
    data: Annotated[Any, Json()] = None
    seen_at: datetime | None = None


class Seat(Record, table="seats"):
    """Two fields are one key together; what an erased owner leaves is told per owner."""

    row: Annotated[int, Key()]
    name: Annotated[str, Key()]
    guest: Annotated[Handle | None, Owner("anonymise")] = None
    host: Annotated[Handle, Owner("anonymise")] = Handle("")


class Entry(Record, table="entries"):
    """Kept or deleted with its owner."""

    id: Annotated[str, Key()]
    owner: Annotated[Handle | None, Owner()] = None
    about: Annotated[Handle | None, Owner("keep")] = None


class Line(Record, table="lines", append_only=True):
    """Only ever added; found by one field in the order of another."""

    id: Annotated[str, Key()]
    page: Annotated[str, Index(then=("at", "id"))]
    at: datetime = NOW


class Stranger(Record, table="strangers"):
    """A record that no schema here has."""

    id: Annotated[str, Key()]


SCHEMA = Schema("auth", (Note, Seat, Entry, Line))


class RecordsContract:
    """Subclass it and define a fixture `backend` that declared `SCHEMA`."""

    async def test_a_row_comes_back_as_it_was(self, backend: Backend) -> None:
        note = Note(
            id="é",
            text="x" * 90_000 + "🐍",
            count=2**62,
            weight=0.1,
            is_done=True,
            blob=bytes(range(256)) * 300,
            seal=b"\x00\xff",
            data={"list": [1, None, "é"], "deep": {"yes": True}},
            seen_at=NOW,
        )
        async with backend.unit() as unit:
            assert (await unit.records(Note).add(note)).version == 1
        async with backend.unit(writes=False) as unit:
            assert await unit.records(Note).get("é") == note

    async def test_times_come_back_in_utc_whatever_zone_they_had(self, backend: Backend) -> None:
        async with backend.unit() as unit:
            await unit.records(Note).add(Note(id="1", at=NOW.astimezone(timezone(timedelta(hours=5)))))
        async with backend.unit(writes=False) as unit:
            note = await unit.records(Note).get("1")
        assert note
        assert (note.at, note.at.utcoffset()) == (NOW, timedelta(0))

    async def test_keys_are_compared_byte_by_byte(self, backend: Backend) -> None:
        async with backend.unit() as unit:
            for key in ("e", "é", "E", "É"):
                await unit.records(Note).add(Note(id=key, slug=key))
        async with backend.unit(writes=False) as unit:
            assert [note.id for note in await unit.records(Note).find(order=["slug"])] == ["E", "e", "É", "é"]
            assert await unit.records(Note).find(where={"slug": "É"}) == [Note(id="É", slug="É")]

    async def test_a_taken_key_or_unique_value_is_told_by_field(self, backend: Backend) -> None:
        first = Note(id="1", slug="s", room="r", shelf=1, seal=b"x")
        async with backend.unit() as unit:
            await unit.records(Note).add(first)
        for again, field in (
            (Note(id="1"), "id"),
            (Note(id="2", slug="s"), "slug"),
            (Note(id="2", room="r", shelf=1), "room"),
            (Note(id="2", seal=b"x"), "seal"),
        ):
            async with backend.unit() as unit:
                with pytest.raises(Taken) as taken:
                    await unit.records(Note).add(again)
                assert taken.value.field == field
                await unit.records(Note).add(Note(id=f"after {field}"))  # the unit goes on
        async with backend.unit() as unit:
            await unit.records(Note).add(Note(id="2", room="r", shelf=2))
            with pytest.raises(Taken) as taken:
                await unit.records(Note).update(Note(id="2", version=1), slug="s")
            assert taken.value.field == "slug"

    async def test_an_update_stands_only_on_the_state_that_was_read(self, backend: Backend) -> None:
        async with backend.unit() as unit:
            note = await unit.records(Note).add(Note(id="1"))
        async with backend.unit() as unit:
            changed = await unit.records(Note).update(note, count=5)
            assert (changed.count, changed.version) == (5, 2)
            with pytest.raises(Stale):
                await unit.records(Note).update(note, count=6)
            same = await unit.records(Note).update(changed, count=5)
            assert same.version == 3  # a change that changes nothing is one all the same
            assert await unit.records(Note).get("1") == replace(note, count=5)

    async def test_a_key_cannot_change(self, backend: Backend) -> None:
        async with backend.unit() as unit:
            note = await unit.records(Note).add(Note(id="1"))
            for change in ({"id": "2"}, {"version": 9}, {"tenant": "x"}, {"nothing": 1}):
                with pytest.raises(ValueError, match="cannot change"):
                    await unit.records(Note).update(note, **change)

    async def test_a_delete_says_whether_the_row_was_still_this_one(self, backend: Backend) -> None:
        async with backend.unit() as unit:
            note = await unit.records(Note).add(Note(id="1"))
            changed = await unit.records(Note).update(note, count=1)
            assert not await unit.records(Note).delete(note)
            assert await unit.records(Note).delete(changed)
            assert not await unit.records(Note).delete(changed)
            with pytest.raises(Stale):
                await unit.records(Note).update(changed, count=2)

    async def test_find_takes_values_any_of_and_none(self, backend: Backend) -> None:
        async with backend.unit() as unit:
            for number in range(4):
                await unit.records(Note).add(Note(id=str(number), count=number, room="a" if number else None))
        async with backend.unit(writes=False) as unit:
            notes = unit.records(Note)

            async def ids(**where: object) -> list[str]:
                return [note.id for note in await notes.find(where=where)]

            assert await ids(count=2) == ["2"]
            assert await ids(count=[1, 3]) == ["1", "3"]
            assert await ids(count=()) == []
            assert await ids(room=None) == ["0"]
            assert await ids(room=(None, "b")) == ["0"]
            assert await ids(count=(1, 2), id={"2", "\x00"}) == ["2"]
            assert await ids(id="\x00") == await ids(count=2**70) == await ids(id="\ud800") == []

    async def test_find_takes_what_lies_below(self, backend: Backend) -> None:
        async with backend.unit() as unit:
            for number in range(4):
                at = NOW + timedelta(microseconds=number)
                await unit.records(Note).add(Note(id=str(number), at=at, seen_at=at if number else None))
        async with backend.unit(writes=False) as unit:
            two = NOW + timedelta(microseconds=2)
            assert [note.id for note in await unit.records(Note).find(below={"at": two})] == ["0", "1"]
            assert [note.id for note in await unit.records(Note).find(below={"seen_at": two})] == ["1"]

    @pytest.mark.parametrize("order", [["count"], ["-count"], ["room", "-shelf"], ["-room", "shelf", "-id"], []])
    async def test_pages_follow_the_order_and_show_every_row_once(self, backend: Backend, order: list[str]) -> None:
        async with backend.unit() as unit:
            for number in range(9):
                room, shelf = (None, "a", "b")[number % 3], None if number % 4 == 0 else number
                await unit.records(Note).add(Note(id=str(number), count=number % 2, room=room, shelf=shelf))
        async with backend.unit(writes=False) as unit:
            everything = await unit.records(Note).find(order=order)
            seen: list[Note] = []
            while page := await unit.records(Note).find(order=order, limit=2, after=seen[-1] if seen else None):
                seen += page
        assert len(seen) == 9
        assert seen == everything
        assert [n.id for n in seen] == [n.id for n in _sorted(seen, order)]

    async def test_a_key_of_two_fields_is_one_key(self, backend: Backend) -> None:
        async with backend.unit() as unit:
            seats = unit.records(Seat)
            await seats.add(Seat(row=1, name="a"))
            await seats.add(Seat(row=1, name="b"))
            with pytest.raises(Taken):
                await seats.add(Seat(row=1, name="a"))
            assert await seats.get(1, "b") == Seat(row=1, name="b")
            assert await seats.get(2, "b") is None
            with pytest.raises(ValueError, match="row, name"):
                await seats.get(1)

    async def test_delete_all_counts_and_stops_at_its_limit(self, backend: Backend) -> None:
        async with backend.unit() as unit:
            notes = unit.records(Note)
            for number in range(7):
                await notes.add(Note(id=str(number), count=number, is_done=number > 0))
            assert await notes.delete_all(where={"is_done": True}, below={"count": 6}, limit=2) == 2
            assert await notes.delete_all(where={"is_done": True}, below={"count": 6}) == 3
            assert await notes.delete_all(where={"is_done": True}, below={"count": 6}, limit=2) == 0
            assert [note.id for note in await notes.find()] == ["0", "6"]

    async def test_rows_that_are_only_added_are_not_changed_and_end_by_age(self, backend: Backend) -> None:
        async with backend.unit() as unit:
            lines = unit.records(Line)
            first = await lines.add(Line(id="1", page="a"))
            await lines.add(Line(id="2", page="a", at=NOW + timedelta(days=1)))
            await lines.add(Line(id="3", page="b", at=NOW + timedelta(days=2)))
            with pytest.raises(TypeError, match="only ever added"):
                await lines.update(first, page="b")
            with pytest.raises(TypeError, match="only ever added"):
                await lines.delete(first)
            for where, below in (({}, None), ({"page": "a"}, None), ({"page": "a"}, {"at": NOW + timedelta(days=9)})):
                with pytest.raises(TypeError, match="only ever added"):
                    await lines.delete_all(where=where, below=below)
            assert [line.id for line in await lines.find(where={"page": "a"}, order=("-at",))] == ["2", "1"]
            assert await lines.delete_all(where={}, below={"at": NOW + timedelta(days=1)}) == 1
            assert [line.id for line in await lines.find()] == ["2", "3"]

    async def test_tenants_see_nothing_of_each_other(self, backend: Backend) -> None:
        async with backend.unit() as unit:
            ours = await unit.records(Note).add(Note(id="1", slug="s"))
        async with backend.unit(OTHER) as unit:
            notes = unit.records(Note)
            assert await notes.get("1") is None
            assert await notes.find() == []
            assert await notes.delete_all(where={}) == 0
            assert not await notes.delete(ours)
            with pytest.raises(Stale):
                await notes.update(ours, count=1)
            await notes.add(Note(id="1", slug="s"))
        async with backend.unit(writes=False) as unit:
            assert await unit.records(Note).get("1") == ours

    async def test_what_an_owner_leaves_is_deleted_kept_or_anonymised(self, backend: Backend) -> None:
        ada, grace = Handle("a" * 32), Handle("b" * 32)
        async with backend.unit() as unit:
            await unit.records(Entry).add(Entry(id="hers", owner=ada))
            await unit.records(Entry).add(Entry(id="about her", owner=grace, about=ada))
            seat = await unit.records(Seat).add(Seat(row=1, name="a", guest=ada, host=ada))
            await unit.records(Seat).add(Seat(row=2, name="a", guest=grace, host=grace))
        async with backend.unit(OTHER) as unit:
            await unit.erase(ada)  # another tenant's erasure
        async with backend.unit() as unit:
            await unit.erase(ada)
            assert await unit.records(Entry).find() == [Entry(id="about her", owner=grace, about=ada)]
            assert await unit.records(Seat).get(1, "a") == Seat(row=1, name="a", guest=None, host=Handle(""))
            assert await unit.records(Seat).get(2, "a") == Seat(row=2, name="a", guest=grace, host=grace)
            with pytest.raises(Stale):
                await unit.records(Seat).update(seat, guest=ada)

    async def test_what_does_not_fit_is_told_before_it_is_sent(self, backend: Backend) -> None:
        async with backend.unit() as unit:
            for wrong in (Note(id="x" * 191), Note(id="\x00"), Note(id="1", count=2**63), Note(id="\ud800")):
                with pytest.raises(ValueError, match=r"Note\."):
                    await unit.records(Note).add(wrong)
            await unit.records(Note).add(Note(id="x" * 190))

    async def test_what_cannot_be_searched_is_told(self, backend: Backend) -> None:
        async with backend.unit(writes=False) as unit:
            for name in ("data", "missing"):
                with pytest.raises(ValueError, match=name):
                    await unit.records(Note).find(where={name: 1})

    async def test_a_record_that_was_not_declared_is_refused(self, backend: Backend) -> None:
        async with backend.unit() as unit:
            with pytest.raises(ConfigurationError):
                unit.records(Stranger)


def _sorted(notes: list[Note], order: list[str]) -> list[Note]:
    """Sort by the last step first; Python's sort is stable."""
    result = sorted(notes, key=lambda note: note.id)
    for step in reversed(order):
        name = step.removeprefix("-")

        def value(note: Note, name: str = name) -> tuple[bool, Any]:
            found = getattr(note, name)
            return (found is not None, found if found is not None else 0)

        result.sort(key=value, reverse=step.startswith("-"))
    return result
