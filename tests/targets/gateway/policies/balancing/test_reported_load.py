"""Balancing by the load that replicas report. Exact numbers."""

from __future__ import annotations

from random import Random

from targets.gateway.policies.balancing.reported_load import ReportedLoad, read_load
from tests.support.candidates import SIZE, FakeCandidate

RNG = Random(1)


def test_reported_load_is_trusted_unless_cross_check_is_on() -> None:
    liar, honest = FakeCandidate("liar", 9, reported_load=0.0), FakeCandidate("honest", 3, reported_load=3.0)
    assert ReportedLoad(cross_check=False).pick(0.0, [honest, liar], RNG, SIZE) is liar
    assert ReportedLoad(cross_check=True).pick(0.0, [honest, liar], RNG, SIZE) is honest
    assert ReportedLoad(cross_check=False).load(0.0, FakeCandidate("silent", 4)) == 4.0


def test_running_and_waiting_requests_are_read_from_vllm_metrics() -> None:
    page = (
        b"# HELP vllm:num_requests_running Number\n# TYPE vllm:num_requests_running gauge\n"
        b'vllm:num_requests_running{model_name="m"} 3.0\nvllm:num_requests_waiting{model_name="m"} 4.0\n'
        b'vllm:kv_cache_usage_perc{model_name="m"} 0.5\n'
    )
    assert read_load(page) == 7.0
    assert read_load(b"up 1\n") is None
    assert read_load(b"vllm:num_requests_running oops\n") is None
    assert read_load(b'vllm:num_requests_running{model_name="m"} 3 1700000000000\n') == 3.0  # with a timestamp
    assert read_load(b"vllm:num_requests_waiting 3\nvllm:num_requests_waiting_by_reason 3\n") == 3.0


def test_a_reported_load_that_is_not_finite_is_ignored() -> None:
    for value in (b"NaN", b"+Inf", b"-Inf"):
        assert read_load(b"vllm:num_requests_running " + value + b"\n") is None
