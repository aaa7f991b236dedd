"""What Powauth does is seen as spans and metrics, under names that stay, and no secret is in them."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from powauth import MemoryStore
from powauth.errors import StoreUnavailable
from powauth.near_cache import NearCache
from powauth.opentelemetry import OpenTelemetry
from powauth.stores import Entry, Key
from powauth.testing import FrozenClock, Site
from powauth.testing.factor import CodeFactor
from tests.house import PASSWORD, House, all_extensions, house, settle, sign_in, sign_up, whole_house

pytestmark = pytest.mark.anyio


@dataclass
class Seen:
    """What an application's own OpenTelemetry has collected."""

    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    reader: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)

    def telemetry(self) -> OpenTelemetry:
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        return OpenTelemetry(tracer_provider=tracers, meter_provider=MeterProvider([self.reader]))

    def spans(self, name: str = "") -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if not name or span.name == name]

    def points(self, name: str) -> list[Any]:
        """Return the data points of a metric, each with its attributes."""
        data = self.reader.get_metrics_data()
        metrics = [m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics] if data else []
        return [point for metric in metrics if metric.name == name for point in metric.data.data_points]

    def counted(self, name: str, fact: str) -> Mapping[str, int]:
        return {str(point.attributes[fact]): int(point.value) for point in self.points(name)}

    def forget(self) -> None:
        self.exporter.clear()


def facts(span: ReadableSpan) -> Mapping[str, object]:
    return dict(span.attributes or {})


class Failing(MemoryStore):
    """A store that does not answer while `is_away`."""

    is_away = False

    async def get(self, key: Key) -> Entry | None:
        if self.is_away:
            raise StoreUnavailable
        return await super().get(key)


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
async def home(tmp_path: Path, seen: Seen) -> AsyncGenerator[House]:
    clock = FrozenClock()
    async with house(
        tmp_path, extensions=all_extensions(), telemetry=seen.telemetry(), clock=clock, store=Failing(clock)
    ) as opened:
        yield opened


@pytest.fixture
def site(home: House) -> Site:
    return home.site()


async def test_a_request_is_a_span_with_the_pages_name_and_never_its_path(site: Site, seen: Seen) -> None:
    await sign_up(site)
    (request,) = seen.spans("powauth.request")
    assert facts(request) == {
        "http.request.method": "POST",
        "powauth.page": "sign_up.new",
        "http.response.status_code": 303,
    }


async def test_operation_store_and_hashing_are_spans_within_it(site: Site, seen: Seen) -> None:
    await sign_up(site)
    (request,) = seen.spans("powauth.request")
    assert request.context is not None
    of_request = [span for span in seen.spans() if span.context and span.context.trace_id == request.context.trace_id]
    assert {span.name for span in of_request} == {
        f"powauth.{what}" for what in ("request", "operation", "store", "hashing")
    }
    operations = {str(facts(span)["powauth.operation"]): facts(span) for span in seen.spans("powauth.operation")}
    assert operations["sign_up"]["powauth.outcome"] == "ok"
    assert operations["sign_in"]["powauth.outcome"] == "ok"
    assert [facts(span)["powauth.hashing.verb"] for span in seen.spans("powauth.hashing")] == ["hash"]
    (put,) = [span for span in seen.spans("powauth.store") if facts(span)["powauth.store.verb"] == "put"]
    inside = next(span for span in seen.spans("powauth.operation") if facts(span)["powauth.operation"] == "sign_up")
    assert inside.parent is not None
    assert inside.parent.span_id == request.context.span_id
    assert "session" in str(facts(put)["powauth.store.kind"])


async def test_sign_ins_are_counted_by_how_they_ended(site: Site, seen: Seen) -> None:
    await sign_up(site)
    await site.post("/sign-out")
    await site.browser().post("/sign-in", email="ada@example.com", password="wrong words here")
    await site.browser().post("/sign-in", email="nobody@example.com", password="wrong words here")
    await sign_in(site)
    assert seen.counted("powauth.sign_ins", "powauth.outcome") == {"ok": 2, "invalid_credentials": 2}
    assert seen.counted("powauth.events", "powauth.event")["SignedIn"] == 2


async def test_a_sign_in_that_needs_one_more_step_is_counted_as_a_detour(tmp_path: Path, seen: Seen) -> None:
    async with house(tmp_path, extensions=(*all_extensions(), CodeFactor()), telemetry=seen.telemetry()) as home:
        await sign_up(home.site())
        assert seen.counted("powauth.sign_ins", "powauth.outcome") == {"detour": 1}


async def test_what_a_visitor_is_answered_is_no_error_and_what_is_broken_is(
    site: Site, home: House, seen: Seen
) -> None:
    await site.post("/sign-in", email="nobody@example.com", password="wrong words here")
    assert {span.status.status_code for span in seen.spans()} == {StatusCode.UNSET}
    await sign_up(site)
    seen.forget()
    home.auth.store.is_away = True  # type: ignore[union-attr]
    assert (await site.get("/account")).status == 503
    (store,) = seen.spans("powauth.store")
    (request,) = seen.spans("powauth.request")
    assert (store.status.status_code, facts(store)["error.type"]) == (StatusCode.ERROR, "StoreUnavailable")
    assert request.status.status_code == StatusCode.ERROR
    assert not store.events, "an exception's words could hold what somebody typed"


async def test_durations_are_in_seconds_and_the_queue_of_hashes_is_a_gauge(site: Site, seen: Seen) -> None:
    await sign_up(site)
    for name in ("request", "operation", "store", "hashing"):
        points = seen.points(f"powauth.{name}.duration")
        assert points
        assert all(0 < point.sum < 10 for point in points)
    assert [point.value for point in seen.points("powauth.hashing.waiting")] == [0]


async def test_no_secret_and_nobodys_name_is_in_spans_and_metrics(tmp_path: Path, seen: Seen) -> None:
    async with house(tmp_path, extensions=whole_house(), telemetry=seen.telemetry()) as home:
        site = home.site()
        await settle(site)
        cookie = site.cookie or "there is none"
        await site.post("/reset-password", email="ada@example.com")
        link = site.outbox.link
        await site.get(link)
        await site.get(link + "x")
        await site.send("TRICK-ada@example.com", "/sign-in")
        await site.post("/sign-in", email="eve@example.com", password=PASSWORD + "?")
        everything = " ".join(span.to_json() for span in seen.spans()) + str(seen.reader.get_metrics_data())
        assert len(seen.spans()) > 30
        for planted in ("ada@example.com", "eve@example.com", PASSWORD, cookie, link.rsplit("/", 1)[-1], "127.0.0.1"):
            assert planted not in everything, planted


async def test_without_telemetry_the_parts_are_the_plain_ones(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        plan = home.auth.plan
        assert plan.watched is plan.store
        assert type(plan.hasher).__name__ == "Hasher"
        assert all(event.__name__ != "Event" for event in plan.hooks)


async def test_events_of_work_that_was_rolled_back_are_not_counted(site: Site, seen: Seen) -> None:
    await sign_up(site)
    before = seen.counted("powauth.events", "powauth.event")
    answer = await site.browser().post("/sign-up", email="ada@example.com", password=PASSWORD)
    assert answer.status == 422
    assert seen.counted("powauth.events", "powauth.event") == before


class Near(MemoryStore):
    """A store with a near cache, of which nobody else changes anything."""

    def __init__(self, clock: FrozenClock) -> None:
        super().__init__(clock)
        self.near_cache = NearCache(clock)
        self.near_cache.vouch(float("inf"))

    async def get(self, key: Key) -> Entry | None:
        return await self.near_cache.get(key, super().get)


async def test_reads_of_a_near_cache_are_counted_by_whether_it_had_the_session(tmp_path: Path, seen: Seen) -> None:
    clock = FrozenClock()
    async with house(tmp_path, telemetry=seen.telemetry(), clock=clock, store=Near(clock)) as home:
        site = home.site()
        await sign_up(site)
        for _ in range(3):
            assert (await site.get("/account")).status == 200
    assert seen.counted("powauth.store.cache", "powauth.outcome") == {"miss": 1, "hit": 2}
