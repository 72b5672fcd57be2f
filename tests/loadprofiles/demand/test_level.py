"""The level of the load: which sessions it adds or leaves out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadprofiles.demand import Growth, Level, Thinning
from loadprofiles.sessions.profile_file import load_profile

PROFILE = load_profile("chat")


def test_a_level_above_one_adds_the_rest_without_a_mark() -> None:
    level = Level(2.5, 3, 7)
    assert level.extra_sessions(PROFILE).growth == Growth(1.5)
    assert (level.marked, level.order.id) == (False, "level3")


def test_a_level_below_one_adds_nothing() -> None:
    assert Level(0.5, 1, 7).extra_sessions(PROFILE).growth == Growth(0.0)


@given(st.floats(0.1, 10), st.integers(1, 500))
def test_thinning_keeps_its_share_of_any_number_of_sessions(factor: float, sessions: int) -> None:
    thinning = Thinning(factor)
    kept = sum(thinning.keeps() for _ in range(sessions))
    assert kept == pytest.approx(min(factor, 1.0) * sessions, abs=1.001)


def test_half_the_sessions_are_every_second_one() -> None:
    thinning = Thinning(0.5)
    kept = [thinning.keeps() for _ in range(6)]
    assert kept in ([True, False] * 3, [False, True] * 3, [True, True, False, True, False, True])
