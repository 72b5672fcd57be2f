"""Seeded draws: stored values, range and independence of state."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.shared.draws import bits, uniform


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("", 16476032584258269876),
        ("7/f1/target/tpu-0", 10544173406792425720),
        ("7/f1/target/tpu-1", 6669023211786500000),
    ],
)
def test_a_key_has_the_same_bits_in_every_process_and_version(key: str, expected: int) -> None:
    assert bits(key) == expected
    assert uniform(key) == expected / 2**64


@given(st.text())
def test_uniform_draws_lie_in_0_to_1(key: str) -> None:
    assert 0 <= uniform(key) < 1


def test_uniform_draws_of_many_keys_are_spread_evenly() -> None:
    draws = [uniform(f"7/{index}") for index in range(10_000)]
    tenths = [sum(tenth / 10 <= draw < (tenth + 1) / 10 for draw in draws) for tenth in range(10)]
    assert all(900 < count < 1100 for count in tenths)


def test_a_key_with_a_lone_surrogate_is_accepted() -> None:
    assert bits("caf\udce9") != bits("caf")
