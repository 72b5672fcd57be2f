"""Balancing by predicted work and price, and by what replicas report: exact numbers."""

from __future__ import annotations

from random import Random

import pytest

from targets.gateway.policies.balancing.cheapest import Cheapest, price_usd
from targets.gateway.policies.balancing.forecast import CallSize, OutputForecast, step_share_s, work_s
from targets.gateway.policies.balancing.least_work import LeastWork
from targets.gateway.policies.balancing.reported_load import ReportedLoad, read_load
from tests.support.candidates import SIZE, FakeCandidate, upstream

RNG = Random(1)


def test_work_is_prefill_and_what_the_sequence_adds_to_each_step() -> None:
    assert step_share_s(upstream(), SIZE) == pytest.approx(0.001 + 0.001050)
    assert work_s(upstream(), SIZE) == pytest.approx(0.1 + 100 * 0.00205)
    assert work_s(upstream(), SIZE, cached_tokens=900) == pytest.approx(0.05 + 0.205)  # half of it is believed


def test_a_call_that_thinks_long_is_as_much_work_as_many_short_ones() -> None:
    long, short = CallSize(1000, 5000.0), CallSize(1000, 100.0)
    assert work_s(upstream(), long) / work_s(upstream(), short) == pytest.approx((0.1 + 5000 * 0.0045) / 0.305)


def test_expected_output_is_the_share_of_the_limit_that_answers_use() -> None:
    forecast = OutputForecast()
    assert forecast.expect(400) == 400.0
    assert forecast.expect(None) == 256.0
    forecast.learn(400, 200)
    assert forecast.expect(400) == pytest.approx(400 * 0.975)
    assert forecast.expect(None) == pytest.approx(256 - 0.05 * 56)
    for _ in range(400):
        forecast.learn(32_000, 320)
    assert forecast.expect(32_000) == pytest.approx(320, rel=0.01)


def test_least_work_looks_at_what_is_owed_and_not_at_how_many() -> None:
    one_long, many_short = (
        FakeCandidate("one-long", 1, outstanding_work_s=20.0),
        FakeCandidate("many-short", 6, outstanding_work_s=1.8),
    )
    assert LeastWork().pick(0.0, [one_long, many_short], RNG, SIZE) is many_short
    assert LeastWork().load(0.0, one_long) == 20.0
    many_short.share = 0.1  # (1.8 + 0.305) / 0.1 > 20.305
    assert LeastWork().pick(0.0, [one_long, many_short], RNG, SIZE) is one_long


def test_the_price_of_a_call_is_its_time_at_the_replicas_price() -> None:
    assert price_usd(upstream(usd_per_hour=36.0), SIZE) == pytest.approx(0.305 * 0.01)


def test_the_cheapest_is_taken_while_it_is_predicted_to_meet_the_slo() -> None:
    cheap, dear = (
        FakeCandidate("cheap", upstream=upstream(usd_per_hour=10.0)),
        FakeCandidate("dear", upstream=upstream(usd_per_hour=30.0)),
    )
    policy = Cheapest(slo_ttft_s=2.0, slo_tpot_s=0.1)
    assert policy.pick(0.0, [dear, cheap], RNG, SIZE) is cheap
    cheap.waiting_prefill_s = 1.9  # and 0.1 of its own: just
    assert policy.pick(0.0, [dear, cheap], RNG, SIZE) is cheap
    cheap.waiting_prefill_s = 1.91
    assert policy.pick(0.0, [dear, cheap], RNG, SIZE) is dear
    cheap.waiting_prefill_s, cheap.step_load_s = 0.0, 0.078  # 20 + 78 + 2.05 ms a token
    assert policy.pick(0.0, [dear, cheap], RNG, SIZE) is dear
    cheap.step_load_s = 0.0
    cheap.latency.observe(0.0, 2.5)  # measured, whatever is predicted
    assert policy.pick(0.0, [dear, cheap], RNG, SIZE) is dear
    dear.latency.observe(0.0, 3.0)  # nobody meets it: the faster one
    assert policy.pick(0.0, [dear, cheap], RNG, SIZE) is cheap


def test_a_report_is_believed_unless_it_is_checked() -> None:
    liar, honest = FakeCandidate("liar", 9, reported_load=0.0), FakeCandidate("honest", 3, reported_load=3.0)
    assert ReportedLoad(cross_check=False).pick(0.0, [honest, liar], RNG, SIZE) is liar
    assert ReportedLoad(cross_check=True).pick(0.0, [honest, liar], RNG, SIZE) is honest
    assert ReportedLoad(cross_check=False).load(0.0, FakeCandidate("silent", 4)) == 4.0


def test_a_page_of_metrics_is_read_for_requests_running_and_waiting() -> None:
    page = (
        b"# HELP vllm:num_requests_running Number\n# TYPE vllm:num_requests_running gauge\n"
        b'vllm:num_requests_running{model_name="m"} 3.0\nvllm:num_requests_waiting{model_name="m"} 4.0\n'
        b'vllm:kv_cache_usage_perc{model_name="m"} 0.5\n'
    )
    assert read_load(page) == 7.0
    assert read_load(b"up 1\n") is None
    assert read_load(b"vllm:num_requests_running oops\n") is None
    assert read_load(b'vllm:num_requests_running{model_name="m"} 3 1700000000000\n') == 3.0  # and when
    assert read_load(b"vllm:num_requests_waiting 3\nvllm:num_requests_waiting_by_reason 3\n") == 3.0


def test_a_report_that_is_no_number_is_none() -> None:
    for value in (b"NaN", b"+Inf", b"-Inf"):
        assert read_load(b"vllm:num_requests_running " + value + b"\n") is None
