from __future__ import annotations

import math
import re
import statistics
from collections.abc import Callable
from typing import get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadprofiles.draws import Distribution, Draws, Key, constant, filler, lognormal, lognormal_p90, uniform

KeyPath = tuple[Key, ...]
KEYS = st.lists(st.one_of(st.integers(-(10**9), 10**9), st.text(max_size=5)), min_size=1, max_size=4).map(tuple)
UNIT = st.floats(0, 1, exclude_min=True, exclude_max=True)


@given(st.integers(), KEYS, KEYS)
def test_draws_of_different_keys_differ_and_of_equal_keys_agree(seed: int, one: KeyPath, other: KeyPath) -> None:
    assert (Draws(seed).bits(*one) == Draws(seed).bits(*other)) == (repr(one) == repr(other))


@given(KEYS, KEYS, KEYS, KEYS)
def test_different_paths_through_the_tree_give_different_draws(a: KeyPath, b: KeyPath, c: KeyPath, d: KeyPath) -> None:
    same = repr((a, b)) == repr((c, d))
    assert (Draws(7).of(*a).bits(*b) == Draws(7).of(*c).bits(*d)) == same


def test_a_draw_does_not_depend_on_the_draws_before_it() -> None:
    used = Draws(1)
    for i in range(10):
        used.uniform("other", i)
    assert used.uniform("this") == Draws(1).uniform("this")


def test_uniform_draws_are_uniform() -> None:
    draws = [Draws(3).uniform(i) for i in range(4000)]
    assert all(0 < u < 1 for u in draws)
    assert statistics.fmean(draws) == pytest.approx(0.5, abs=0.02)
    assert statistics.pstdev(draws) == pytest.approx(math.sqrt(1 / 12), abs=0.01)


def test_a_lognormal_has_the_median_and_the_p90_it_was_given() -> None:
    spread = lognormal_p90(200, 1000)
    assert spread.at(0.5) == pytest.approx(200)
    assert spread.at(0.9) == pytest.approx(1000)
    assert lognormal(6, 0.35).at(0.5) == pytest.approx(6)


@given(UNIT)
def test_draws_stay_within_their_bounds(u: float) -> None:
    assert 3 <= lognormal(6, 0.35, 3, 12).at(u) <= 12
    assert 1.5 <= uniform(1.5, 4).at(u) <= 4
    assert constant(5).at(u) == 5
    assert uniform(1, 4).whole(u) in (1, 2, 3, 4)


def test_whole_numbers_of_a_uniform_distribution_are_equally_likely() -> None:
    counts = [sum(uniform(1, 4).whole(Draws(2).uniform(i)) == n for i in range(4000)) for n in (1, 2, 3, 4)]
    assert all(900 < count < 1100 for count in counts)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: uniform(2, 1),
        lambda: lognormal(0, 1),
        lambda: lognormal(1, -1),
        lambda: lognormal_p90(10, 5),
        lambda: Distribution("lognormal", 0, 1),
    ],
)
def test_an_invalid_distribution_is_rejected(wrong: Callable[[], Distribution]) -> None:
    with pytest.raises(ValueError, match=r"bound|lognormal"):
        wrong()


@given(st.text(max_size=8), st.integers(0, 300), st.integers(0, 300))
def test_filler_has_the_requested_length_and_is_a_prefix_of_longer_filler(key: str, a: int, b: int) -> None:
    text = filler(key, a)
    assert len(text) == a
    assert re.fullmatch(r"[a-z ]*", text)
    assert filler(key, a + b).startswith(text)


def test_every_kind_of_distribution_is_implemented() -> None:
    made = {constant(1).kind: 1.0, uniform(0, 1).kind: 0.25, lognormal(6, 0.35).kind: 6 * math.exp(0.35 * -0.67449)}
    assert set(made) == set(get_args(get_type_hints(Distribution)["kind"]))
    for distribution in (constant(1), uniform(0, 1), lognormal(6, 0.35)):
        assert distribution.at(0.25) == pytest.approx(made[distribution.kind], rel=1e-4)


def test_fillers_of_different_keys_share_no_block() -> None:
    blocks = [filler(f"session {i}", 640)[at : at + 64] for i in range(200) for at in range(0, 640, 64)]
    assert len({*blocks}) == len(blocks)
