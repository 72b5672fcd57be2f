from __future__ import annotations

from loadprofiles.player import counters
from loadprofiles.player.counters import Counters
from loadprofiles.player.load_config import Slo
from reports.shared.attributes import SessionOutcome
from tests.support.player_rig import Rig, call, plan
from tests.support.scripted_server import prove


def test_a_call_outside_its_slo_is_ok_but_not_good() -> None:
    with Rig(lambda server: prove(server, gap_s=0.12), iter([plan(0, 0.0, call("r-0", 0))])) as rig:
        assert rig.player.wait(5)
    assert (rig.counters.calls_ok, rig.counters.good_calls) == (1, 0)


def test_snapshot_returns_the_counters_of_the_registered_load() -> None:
    with Rig(lambda server: prove(server), iter([plan(0, 0.0, call("r-0", 0))])) as rig:
        counters.register(rig.counters, rig.player)
        assert rig.player.wait(5)
        assert counters.snapshot()["arrivals"] == 1
        counters.register(Counters(Slo()), None)
        assert counters.snapshot()["load_started"] is None


def test_sessions_later_than_100_ms_are_late_and_posted_counts_are_complete() -> None:
    counts = Counters(Slo())
    counts.session_started(0.05)
    counts.session_started(0.15)
    counts.session_ended(SessionOutcome.LOST)
    found = counts.snapshot(None)
    assert (found["arrivals"], found["late_arrivals"]) == (2, 1)
    assert found["sessions"] == {"running": 1, "succeeded": 0, "lost": 1, "unfinished": 0}
