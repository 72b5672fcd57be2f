"""Sliding windows: shares per window, and the start of a recovery."""

from __future__ import annotations

import numpy as np
import pytest

from reports.history.windows import STEP_S, recovered_at, window_shares
from reports.shared.thresholds import WINDOW_S

SENT = np.arange(0.0, 20.0, 0.5)  # two calls per second for 20 s
ONES = np.ones(SENT.size)


def good_outside(begin: float, end: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """1 for each call that was not sent from `begin` to `end`."""
    return np.where((begin <= SENT) & (end > SENT), 0.0, 1.0)


def test_a_window_begins_each_step_and_the_last_one_ends_with_the_time() -> None:
    starts, shares = window_shares(SENT, ONES, ONES, 2.0, 10.0)
    assert starts[0] == 2.0
    assert starts[1] - starts[0] == pytest.approx(STEP_S)
    assert starts[-1] == pytest.approx(10.0 - WINDOW_S)
    assert shares.tolist() == [1.0] * starts.size


def test_the_share_of_a_window_is_part_over_whole_of_the_calls_sent_in_it() -> None:
    _, shares = window_shares(SENT, good_outside(4.0, 6.0), ONES, 1.0, 6.0)
    assert shares.tolist() == [0.6]  # 4 of the 10 calls from 1 to 6 s


def test_a_window_without_calls_has_no_share_and_a_short_time_has_no_window() -> None:
    _, shares = window_shares(SENT, ONES, ONES, 30.0, 35.0)
    assert np.isnan(shares).tolist() == [True]
    assert window_shares(SENT, ONES, ONES, 0.0, WINDOW_S - 0.2)[0].size == 0


def test_recovery_begins_with_the_first_window_after_the_last_one_below_the_limit() -> None:
    good = good_outside(4.0, 6.0)
    assert recovered_at(SENT, good, ONES, 0.9, 0.0, 20.0) == pytest.approx(5.1)  # 1 of 10 calls may fail
    assert recovered_at(SENT, good, ONES, 1.0, 0.0, 20.0) == pytest.approx(5.6)
    assert recovered_at(SENT, good, ONES, 0.9, 6.0, 20.0) == 6.0


def test_without_a_window_at_the_limit_at_the_end_there_is_no_recovery() -> None:
    assert recovered_at(SENT, good_outside(4.0, 20.0), ONES, 0.9, 0.0, 20.0) is None
