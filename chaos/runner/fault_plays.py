"""Prepares the faults of a run, or of a stack that is up, to be played. All of them share one tracer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Tracer

from chaos.children.telemetry import SpanCount, resource
from chaos.experiment.schedule import Occurrence
from chaos.faults.world import World
from chaos.runner.collector import Collector, CollectorExporter
from chaos.runner.fault_play import FaultPlay
from chaos.runner.record_writer import EventLog
from reports.shared.attributes import SERVICE_RUNNER

__all__ = ["FaultPlays"]


class FaultPlays:
    """`spans` counts the spans of the faults. `say` prints a line for the user."""

    def __init__(self, collector: Collector, events: EventLog, seed: int, say: Callable[[str], None]) -> None:
        self.spans = SpanCount()
        self._collector = collector
        self._events = events
        self._seed = seed
        self._say = say

    @cached_property
    def _tracer(self) -> Tracer:
        provider = TracerProvider(resource=resource(SERVICE_RUNNER, "runner", 1))
        provider.add_span_processor(self.spans)
        provider.add_span_processor(SimpleSpanProcessor(CollectorExporter(self._collector)))
        return provider.get_tracer("brownout.chaos")

    def make(self, fault: Occurrence, pools: Sequence[str], world: World) -> FaultPlay:
        """One occurrence of a fault, ready to be played once: it counts hits. `pools`: those of its targets."""
        spec = fault.spec
        return FaultPlay(
            spec.build(fault.id, fault.targets, self._seed),
            world,
            self._events,
            self._tracer,
            pools=list(pools),
            params=spec.params(),
            share=spec.requests_share,
            only=spec.requests_only,
            traits=spec.traits().recorded(),
            say=self._say,
        )
