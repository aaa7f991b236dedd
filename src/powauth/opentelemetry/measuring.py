"""OpenTelemetry: what Powauth does as spans and metrics, with names that do not change."""

import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager

from opentelemetry import metrics, trace
from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation
from opentelemetry.trace import Span, SpanKind, StatusCode, TracerProvider

from powauth.errors import AuthError
from powauth.telemetry import Counted, Fact, Facts, Gauged, Watched

SCOPE = "powauth"
DURATIONS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the buckets, in seconds: a look into memory takes microseconds, a hash a few hundredths."""
BROKEN = 500


class OpenTelemetry:
    """Measures an `Auth`: `Auth(telemetry=OpenTelemetry())`.

    Uses the application's own providers, the global ones if none are given; without an SDK, OpenTelemetry does nothing.
    """

    def __init__(
        self, *, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        self._tracer = trace.get_tracer(SCOPE, tracer_provider=tracer_provider)
        self._meter = metrics.get_meter(SCOPE, meter_provider=meter_provider)
        self._durations = {
            name: self._meter.create_histogram(
                f"{name}.duration", unit="s", description=text, explicit_bucket_boundaries_advisory=DURATIONS
            )
            for name, text in _WATCHED.items()
        }
        self._counters = {
            name: self._meter.create_counter(name, unit=unit, description=text)
            for name, (unit, text) in _COUNTED.items()
        }

    @contextmanager
    def watch(self, what: Watched, facts: Facts) -> Generator["Watching"]:
        """Measure what happens inside the block: a span, and its duration."""
        kind = SpanKind.SERVER if what == "powauth.request" else SpanKind.INTERNAL
        began = time.perf_counter()
        # No exception is recorded: its words and its trace could hold what somebody typed.
        with self._tracer.start_as_current_span(
            what, kind=kind, attributes=dict(facts), record_exception=False, set_status_on_exception=False
        ) as span:
            watching = Watching(span, dict(facts))
            try:
                yield watching
            except BaseException as error:
                watching.fail(error)
                raise
            finally:
                self._durations[what].record(time.perf_counter() - began, watching.facts)

    def count(self, what: Counted, facts: Facts) -> None:
        """Add one."""
        self._counters[what].add(1, dict(facts))

    def gauge(self, what: Gauged, read: Callable[[], int], facts: Facts) -> None:
        """Ask for a value whenever somebody looks."""
        known = dict(facts)

        def observe(_: CallbackOptions) -> Iterable[Observation]:
            return (Observation(read(), known),)

        self._meter.create_observable_gauge(what, (observe,), unit="{job}", description=_GAUGED[what])


class Watching:
    """An open span, and what its duration will be told by."""

    def __init__(self, span: Span, facts: dict[str, Fact]) -> None:
        self._span = span
        self.facts = facts

    def note(self, name: str, fact: Fact) -> None:
        """Say something more of it."""
        self.facts[name] = fact
        self._span.set_attribute(name, fact)
        if name == "http.response.status_code" and isinstance(fact, int) and fact >= BROKEN:
            self._span.set_status(StatusCode.ERROR)

    def fail(self, error: BaseException) -> None:
        """Say what was raised, by its class; what a visitor is answered is no error of the program's."""
        self.note("error.type", type(error).__qualname__)
        if not isinstance(error, AuthError) or error.status >= BROKEN:
            self._span.set_status(StatusCode.ERROR)


_WATCHED: dict[Watched, str] = {
    "powauth.request": "A request to a page of Powauth, until its answer is ready.",
    "powauth.operation": "Something done to an account.",
    "powauth.store": "A call of the store.",
    "powauth.hashing": "A password hashed or verified, waiting included.",
}
_COUNTED: dict[Counted, tuple[str, str]] = {
    "powauth.sign_ins": ("{attempt}", "Attempts to sign in, by how they ended."),
    "powauth.events": ("{event}", "Events, once they are committed."),
    "powauth.store.cache": ("{read}", "Reads of the near cache, by whether it had the value."),
}
_GAUGED: dict[Gauged, str] = {"powauth.hashing.waiting": "Passwords that wait for a thread."}
