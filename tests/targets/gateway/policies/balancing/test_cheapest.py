"""The cheapest replica that meets the SLO. Exact numbers."""

from __future__ import annotations

from random import Random

import pytest

from targets.gateway.policies.balancing.cheapest import Cheapest, price_usd
from tests.support.candidates import SIZE, FakeCandidate, upstream

RNG = Random(1)


def test_the_price_of_a_call_is_its_engine_time_at_the_replicas_price() -> None:
    assert price_usd(upstream(usd_per_hour=36.0), SIZE) == pytest.approx(0.305 * 0.01)


def test_the_cheapest_replica_predicted_to_meet_the_slo_wins() -> None:
    cheap, dear = (
        FakeCandidate("cheap", upstream=upstream(usd_per_hour=10.0)),
        FakeCandidate("dear", upstream=upstream(usd_per_hour=30.0)),
    )
    policy = Cheapest(slo_ttft_s=2.0, slo_tpot_s=0.1)
    assert policy.pick(0.0, [dear, cheap], RNG, SIZE) is cheap
    cheap.waiting_prefill_s = 1.9  # + 0.1 s of its own: exactly the SLO
    assert policy.pick(0.0, [dear, cheap], RNG, SIZE) is cheap
    cheap.waiting_prefill_s = 1.91
    assert policy.pick(0.0, [dear, cheap], RNG, SIZE) is dear
    cheap.waiting_prefill_s, cheap.step_load_s = 0.0, 0.078  # 20 + 78 + 2.05 ms per token
    assert policy.pick(0.0, [dear, cheap], RNG, SIZE) is dear
    cheap.step_load_s = 0.0
    cheap.latency.observe(0.0, 2.5)  # measured, above the prediction
    assert policy.pick(0.0, [dear, cheap], RNG, SIZE) is dear
    dear.latency.observe(0.0, 3.0)  # no replica meets the SLO: the faster one wins
    assert policy.pick(0.0, [dear, cheap], RNG, SIZE) is cheap
