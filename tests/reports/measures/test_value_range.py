"""The samples of a range stand for all of its values, for comparisons with any bounds."""

from __future__ import annotations

import math

from hypothesis import example, given, settings
from hypothesis import strategies as st

from reports.gates.operators import OPERATORS
from reports.measures.value_range import ValueRange

RANGES = st.sampled_from(
    [
        ValueRange(0),
        ValueRange(0, above=True),
        ValueRange(0, 1),
        ValueRange(0, 1, exact=True),
        ValueRange(0, step=1),
        ValueRange(0, 1, step=1),
        ValueRange(0, step=0.2),
        ValueRange(1),
        ValueRange(-math.inf, 1),
    ]
)
NUMBERS = st.one_of(
    st.floats(-20, 20, allow_nan=False), st.integers(-20, 20).map(float), st.sampled_from([0.0, 1.0, 0.5, math.inf])
)


def answers(value: float, bounds: list[float]) -> tuple[bool, ...]:
    """What all comparisons with the bounds say about a value."""
    return tuple(operator.holds(value, bound) for bound in bounds for operator in OPERATORS.values())


@settings(deadline=None)
@given(RANGES, st.lists(NUMBERS.filter(math.isfinite), min_size=1, max_size=3))
def test_each_sample_is_a_value_of_the_range(values: ValueRange, bounds: list[float]) -> None:
    samples = values.samples(bounds)
    assert samples == sorted(samples)
    assert samples
    assert all(sample in values for sample in samples)


@settings(deadline=None)
@given(RANGES, st.lists(NUMBERS.filter(math.isfinite), min_size=1, max_size=3), NUMBERS)
@example(ValueRange(0, step=0.2), [8.2], 8.2)
@example(ValueRange(0, step=1), [-1.0], 5.0)
def test_each_value_of_the_range_has_a_sample_with_the_same_answers(
    values: ValueRange, bounds: list[float], value: float
) -> None:
    coincidence = not values.step and not values.exact and value in bounds and values.low < value < values.high
    if value not in values or coincidence or (values.step and math.isinf(value)):
        return
    if values.step:
        value = round(round(value / values.step) * values.step, 9)
    known = {answers(sample, bounds) for sample in values.samples(bounds)}
    assert answers(value, bounds) in known


@settings(deadline=None)
@given(st.floats(0.01, 0.99))
def test_the_interior_of_a_range_has_no_end_and_no_bound(bound: float) -> None:
    low, high = ValueRange(0, 1).interior([bound, 0.0, 1.0, 7.0])
    assert 0 < low < bound < high < 1


def test_a_value_of_a_range_with_a_step_is_a_multiple_of_it() -> None:
    assert 8.2 in ValueRange(0, step=0.2)
    assert 8.3 not in ValueRange(0, step=0.2)
    assert 0 not in ValueRange(0, above=True)
    assert math.inf in ValueRange(0)
