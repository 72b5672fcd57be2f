"""Counters of the gateway, and `/metrics`, which is built from them on each scrape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from reports.shared.attributes import Outcome

__all__ = ["GatewayCounts", "Metrics"]

_FIRST_TOKEN_BUCKETS_S = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0)


class GatewayCounts:
    """Cumulative since the start. Plain integers, so that a request costs additions only."""

    def __init__(self) -> None:
        self.requests = 0
        self.attempts = 0
        self.migrations = 0
        self.retries = 0
        self.hedges = 0
        self.refused = 0
        self.outcomes: Counter[Outcome] = Counter()
        self.registry = CollectorRegistry()
        self._first_token = Histogram(
            "brownout_gateway_time_to_first_token_seconds",
            "Request received to first token, retries included",
            buckets=_FIRST_TOKEN_BUCKETS_S,
            registry=self.registry,
        )

    def attempt(self, reason: str) -> None:
        """An upstream attempt started; `reason` as on its span."""
        self.attempts += 1
        if reason == "hedge":
            self.hedges += 1

    def further_attempt(self, reason: str) -> None:
        """The policies decided on a further attempt."""
        if reason == "migration":
            self.migrations += 1
        else:
            self.retries += 1

    def ended(self, outcome: Outcome) -> None:
        """A request ended."""
        self.outcomes[outcome] += 1

    def first_token(self, seconds: float) -> None:
        """A request's first token arrived after so many seconds."""
        self._first_token.observe(seconds)


class Metrics(Collector):
    """`/metrics` in Prometheus' text format, from `snapshot()`."""

    def __init__(self, counts: GatewayCounts, snapshot: Callable[[], dict[str, Any]]) -> None:
        self._counts = counts
        self._snapshot = snapshot
        counts.registry.register(self)

    def text(self) -> bytes:
        return generate_latest(self._counts.registry)

    def describe(self) -> list[Any]:
        return []  # so that registering does not call `collect`

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        now = self._snapshot()
        for name in ("requests", "attempts", "migrations", "retries", "hedges", "refused"):
            yield CounterMetricFamily(f"brownout_gateway_{name}", f"Number of {name}", value=now[name])
        outcomes = CounterMetricFamily("brownout_gateway_outcomes", "Requests by how they ended", labels=["outcome"])
        for outcome, count in self._counts.outcomes.items():
            outcomes.add_metric([outcome.value], count)
        yield outcomes
        yield GaugeMetricFamily("brownout_gateway_panic", "1 in panic", value=float(now["panic"]))
        yield GaugeMetricFamily(
            "brownout_gateway_queued", "Requests in the gateway's queue", value=float(now["queued"])
        )
        operations = GaugeMetricFamily("brownout_gateway_operation", "1 while in force", labels=["setting", "value"])
        for setting, values in now["operations"].items():
            for value in values:
                operations.add_metric([setting, value], 1.0)
        yield operations
        labels = ["replica", "pool"]
        of_replica = {
            "in_flight": GaugeMetricFamily(
                "brownout_gateway_in_flight", "Attempts under way", labels=["replica", "pool"]
            ),
            "load_ms": GaugeMetricFamily("brownout_gateway_load_ms", "Load as balanced by", labels=labels),
            "ejected": GaugeMetricFamily("brownout_gateway_ejected", "1 if ejected", labels=labels),
            "drained": GaugeMetricFamily("brownout_gateway_drained", "1 if it gets no new attempts", labels=labels),
        }
        places = GaugeMetricFamily("brownout_gateway_places", "Its limit", labels=labels)
        breaker = GaugeMetricFamily("brownout_gateway_breaker", "1 for its state", labels=[*labels, "state"])
        for replica, state in now["replicas"].items():
            for name, family in of_replica.items():
                family.add_metric([replica, state["pool"]], float(state[name]))
            if state["places"] is not None:
                places.add_metric([replica, state["pool"]], float(state["places"]))
            breaker.add_metric([replica, state["pool"], state["breaker"]], 1.0)
        yield from of_replica.values()
        yield places
        yield breaker
