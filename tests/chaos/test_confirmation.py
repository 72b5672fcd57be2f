"""Confirmation by shedding: what counts as down, as recovered, and what the live counters say."""

from __future__ import annotations

import pytest

from chaos.confirmation import LiveShare, grace_s, is_down, is_recovered


@pytest.mark.parametrize(
    ("share", "baseline", "down", "recovered"),
    [
        (0.69, 1.0, True, False),
        (0.70, 1.0, False, False),
        (0.90, 1.0, False, True),
        (0.62, 0.9, True, False),
        (0.80, 0.9, False, True),
        (None, 1.0, False, False),
        (0.1, None, False, False),
        (0.0, 0.0, False, True),
    ],
)
def test_down_is_below_70_percent_of_the_baseline_and_recovered_within_10_points(
    share: float | None, baseline: float | None, down: bool, recovered: bool
) -> None:
    assert (is_down(share, baseline), is_recovered(share, baseline)) == (down, recovered)


def test_a_grace_period_is_the_clients_timeout_and_a_little_and_bounded() -> None:
    assert [grace_s(5.0), grace_s(600.0)] == [10.0, 20.0]


def test_a_share_is_of_the_calls_between_two_moments() -> None:
    watch = LiveShare()
    for at_s, good, sent in ((0.0, 0, 0), (5.0, 50, 50), (10.0, 60, 90), (15.0, 60, 90)):
        watch.observe(at_s, {"good_calls": good, "calls": {"sent": sent}})
    assert watch.share(0.0, 5.0) == 1.0
    assert watch.share(5.0, 10.0) == 0.25
    assert watch.share(5.0, 12.0) == 0.25
    assert watch.share(10.0, 15.0) is None
    assert watch.share(-1.0, 5.0) is None


def test_counters_without_calls_and_those_out_of_order_are_passed_over() -> None:
    watch = LiveShare()
    watch.observe(1.0, {})
    watch.observe(2.0, {"good_calls": 1, "calls": {"sent": 1}})
    watch.observe(1.5, {"good_calls": 9, "calls": {"sent": 9}})
    assert watch.share(2.0, 3.0) is None
