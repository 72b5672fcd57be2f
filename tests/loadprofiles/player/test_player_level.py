"""The level of a load that is played: sessions added and left out, without the mark of a fault."""

from __future__ import annotations

from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from reports.shared import attributes as names
from tests.loadprofiles.player.test_player_demand import rig
from tests.support.player_rig import attrs, named


def test_a_level_above_one_adds_sessions_without_a_mark(spans: InMemorySpanExporter) -> None:
    with rig() as here:
        before = here.counters.arrivals
        here.player.level(5.0, 1)
        here.until(lambda: here.counters.arrivals >= before + 10)
        here.player.level(1.0, 2)
        ended = here.player.arrivals_due()
        here.until(lambda: here.counters.arrivals >= ended + 2)
        here.player.drain()
        here.player.wait(5)
        assert here.player.demand() == {"demand": {}, "demand_over": {}}
    sessions = [attrs(span) for span in named(spans, names.SPAN_SESSION)]
    assert len(sessions) > before + 10
    assert not [one for one in sessions if names.FAULT_ID in one]


def test_a_level_below_one_leaves_sessions_out() -> None:
    with rig() as here:
        here.player.level(0.25, 1)
        here.until(lambda: here.counters.held >= 6)
        held, played = here.counters.held, here.counters.arrivals
        assert here.player.arrivals_due() <= played + 1
        assert held >= 2 * played


def test_a_change_of_the_level_that_is_repeated_adds_nothing_twice() -> None:
    with rig() as here:
        here.player.level(5.0, 1)
        queue = here.player._of_level
        here.player.level(5.0, 1)
        assert here.player._of_level is queue
