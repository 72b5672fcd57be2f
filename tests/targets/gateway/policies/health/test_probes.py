"""Readiness by active probes."""

from __future__ import annotations

from targets.gateway.config import Probes
from targets.gateway.policies.health.probes import ProbeResult, Readiness


def test_readiness_changes_after_fall_failures_and_rise_successes() -> None:
    readiness = Readiness(Probes(fall=2, rise=2, interval_s=1.0))
    assert readiness.record(ProbeResult(False)) is None
    assert readiness.pause_s(False) == 0.0  # repeated at once
    assert readiness.record(ProbeResult(True)) is None
    assert [readiness.record(ProbeResult(False)), readiness.record(ProbeResult(False))] == [None, False]
    assert readiness.pause_s(False) == 1.0
    assert [
        readiness.record(ProbeResult(True)),
        readiness.record(ProbeResult(False)),
        readiness.record(ProbeResult(True)),
    ] == [
        None,
        None,
        None,
    ]
    assert readiness.record(ProbeResult(True)) is True
    assert readiness.ready


def test_a_503_makes_a_replica_not_ready_at_once() -> None:
    readiness = Readiness(Probes(fall=3, rise=1))
    assert readiness.record(ProbeResult(False, "HTTP 503", says_not_ready=True)) is False
    assert readiness.draining
    assert readiness.record(ProbeResult(False, "refused", connection_refused=True)) is None
    assert (readiness.draining, readiness.refuses_connections) == (False, True)
    assert readiness.record(ProbeResult(True)) is True
    assert (readiness.draining, readiness.refuses_connections) == (False, False)
