"""The arrivals of a profile: one shape, `poisson`, `trace` or a sum; and the registry of kinds."""

from __future__ import annotations

from dataclasses import fields
from itertools import islice, takewhile

import pytest

from loadprofiles.arrivals import ArrivalsSpec, Constant, Poisson, Shapes, Spike, Step, Trace
from loadprofiles.arrivals.file import KINDS, SHAPES, ArrivalsFile
from loadprofiles.draws import Draws


def test_arrivals_need_exactly_one_kind() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        ArrivalsSpec()
    with pytest.raises(ValueError, match="exactly one"):
        ArrivalsSpec(constant=Constant(1), spike=Spike(1, 2, 3))


def test_a_sum_spreads_its_shapes_as_one_rate_and_keeps_the_other_times() -> None:
    chance = Poisson(constant=Constant(1.0))
    trace = Trace((0.7, 3.1))
    one, other = ArrivalsSpec(constant=Constant(1.0)), ArrivalsSpec(spike=Spike(0.0, 1.0, 10.0))
    spec = ArrivalsSpec(sum=(one, ArrivalsSpec(poisson=chance), other, ArrivalsSpec(trace=trace)))
    draws = Draws(5)
    found = list(takewhile(lambda at: at < 10, spec.arrivals(draws)))
    theirs = list(takewhile(lambda at: at < 10, chance.arrivals(draws.of("sum", 1))))
    even = [0.25 + 0.5 * i for i in range(20)]
    assert found == pytest.approx(sorted([*even, *theirs, *trace.times_s]))
    assert spec.rate(3.5) == pytest.approx(1 + 1 + 1)
    assert spec.rate(2.0) == pytest.approx(1 + 1 + 1 + 1 / 2.4)


def test_a_sum_of_shapes_only_is_one_rate() -> None:
    spec = ArrivalsSpec(sum=(ArrivalsSpec(constant=Constant(3.0)), ArrivalsSpec(step=Step(0.0, 2.0, 10.0))))
    assert list(islice(spec.arrivals(Draws(1)), 3)) == pytest.approx([1 / 6, 1 / 2, 5 / 6])
    assert spec.curve().cumulative(20) == pytest.approx(80)


def test_the_shapes_of_a_profile_file_are_the_shapes_that_exist() -> None:
    assert tuple(field.name for field in fields(Shapes) if field.name != "sum") == SHAPES


def test_the_kinds_of_a_profile_file_are_those_of_the_resolved_arrivals() -> None:
    assert set(KINDS) - {"gamma"} == {field.name for field in fields(ArrivalsSpec)}  # `gamma` is `poisson` with a cv
    assert set(KINDS) == set(ArrivalsFile.model_fields)
