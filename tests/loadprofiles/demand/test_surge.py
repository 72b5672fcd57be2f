from __future__ import annotations

import pytest

from loadprofiles.demand import Growth, Order, demand_of
from loadprofiles.demand.kind import ExtraSessions
from loadprofiles.sessions.profile_file import load_profile

PROFILE = load_profile("coding-agent-ci")


def test_a_surge_adds_the_part_above_the_profiles_rate() -> None:
    assert demand_of(Order("f1", "surge", {"factor": 10})).extra_sessions(PROFILE) == ExtraSessions(Growth(9), None)
    params = {"factor": 4, "tenant": "acme", "half_life_s": 5.0}
    assert demand_of(Order("f1", "surge", params)).extra_sessions(PROFILE) == ExtraSessions(Growth(3, 5.0), "acme")


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"factor": 1},
        {"factor": float("nan")},
        {"factor": "two"},
        {"factor": 2, "half_life_s": 0},
        {"factor": 2, "speed": 3},
    ],
)
def test_invalid_parameters_are_rejected(params: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="surge"):
        demand_of(Order("f1", "surge", params))
