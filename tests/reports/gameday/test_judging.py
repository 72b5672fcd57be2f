"""The verdict on a belief is that of the best match among the faults that were active."""

from __future__ import annotations

import pytest

from reports.gameday.judging import VERDICTS, Truth, judge

SLOW = Truth("replica_slow", ("replica:tpu-0", "pool:tpu"))
RETRIES = Truth("retries", ("load",))


@pytest.mark.parametrize(
    ("cause", "component", "truths", "verdict"),
    [
        ("replica_slow", "pool:tpu", [SLOW], "right"),
        ("retries", "load", [SLOW, RETRIES], "right"),
        ("replica_slow", "load", [SLOW, RETRIES], "cause"),
        ("demand", "load", [SLOW, RETRIES], "component"),
        ("demand", "gateway", [SLOW], "wrong"),
        ("replica_slow", "pool:tpu", [], "no fault"),
    ],
)
def test_a_belief_is_judged_by_cause_and_component(
    cause: str, component: str, truths: list[Truth], verdict: str
) -> None:
    assert judge(cause, component, truths) == verdict
    assert verdict in VERDICTS
