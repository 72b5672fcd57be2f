"""Specifications of measures: statistics, kinds, units and ranges."""

from __future__ import annotations

import math

import pytest

from reports.measures.catalogue import CATALOGUE
from reports.measures.spec import is_percentile, quantile_of


@pytest.mark.parametrize(("stat", "quantile"), [("p50", 0.5), ("p99.9", 0.999), ("p1", 0.01)])
def test_a_percentile_has_its_quantile(stat: str, quantile: float) -> None:
    assert is_percentile(stat)
    assert quantile_of(stat) == pytest.approx(quantile)


@pytest.mark.parametrize("stat", ["p0", "p100", "max", "", "p", "p-5"])
def test_other_statistics_have_no_quantile(stat: str) -> None:
    assert not is_percentile(stat)
    with pytest.raises(ValueError, match="is not a percentile"):
        quantile_of(stat)


def test_an_extreme_is_a_fact_and_a_percentile_is_a_percentile() -> None:
    spec = CATALOGUE["failover"]
    assert (spec.kind_of("max"), spec.kind_of("p95"), spec.has_stat(""), spec.has_stat("p95")) == (
        "fact",
        "percentile",
        False,
        True,
    )


def test_a_statistic_may_have_its_own_kind_and_unit() -> None:
    assert (CATALOGUE["cost"].kind_of(""), CATALOGUE["cost"].kind_of("per_1k_sessions")) == ("fact", "ratio")
    assert (CATALOGUE["knee"].unit_of(""), CATALOGUE["knee"].unit_of("cost_per_1k_sessions")) == ("sessions/s", "USD")


@pytest.mark.parametrize(
    ("name", "stat", "low", "high"),
    [
        ("sessions_lost", "", 0, math.inf),
        ("session_success", "", 0, 1),
        ("ttft", "p95", 0, math.inf),
        ("goodput_lost", "", -math.inf, 1),
        ("metastable", "", 0, 1),
        ("load_imbalance", "", 1, math.inf),
        ("knee", "cost_per_1k_sessions", 0, math.inf),
    ],
)
def test_each_statistic_has_a_range(name: str, stat: str, low: float, high: float) -> None:
    values = CATALOGUE[name].range_of(stat)
    assert (values.low, values.high) == (low, high)


def test_only_counts_and_the_knee_have_a_step() -> None:
    stepped = {name for name, spec in CATALOGUE.items() if spec.default_stat is not None and spec.range_of("").step}
    assert stepped == {name for name, spec in CATALOGUE.items() if spec.unit == "count" and not spec.stats} | {"knee"}
