from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

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


@pytest.mark.parametrize(
    ("ttft_s", "e2e_s", "tokens", "ok", "served"),
    [
        (5.9, 90.0, 9, True, True),  # within three times the objective
        (5.9, 7.0, 9, False, True),  # its stream broke later
        (6.1, 9.0, 9, True, False),
        (15.9, 16.0, 100, True, True),  # held back until it was complete
        (None, 1.0, 0, False, False),
    ],
)
def test_a_call_is_served_if_its_first_token_is_not_far_too_late(
    ttft_s: float | None, e2e_s: float, tokens: int, ok: bool, served: bool
) -> None:
    counts = Counters(Slo(2.0, 0.1))
    record: Any = SimpleNamespace(ttft_s=ttft_s, tpot_s=None, e2e_s=e2e_s, output_tokens=tokens, ok=ok)
    counts.call_ended(record)
    assert counts.snapshot(None)["served_calls"] == int(served)
