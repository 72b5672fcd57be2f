"""`surge`: its parameters, the order to the load generators, and what is refused."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from pydantic import ValidationError

from chaos.faults.load.surge import Surge
from loadprofiles.demand import Order
from tests.support.demand_orders import demand_spec, ordered, profile_mistakes


@pytest.mark.parametrize(
    ("given", "params"),
    [
        ({"factor": 10}, {"factor": 10}),
        ({"factor": 10, "tenant": "acme"}, {"factor": 10, "tenant": "acme"}),
        ({"factor": 10, "shape": "step"}, {"factor": 10}),
        ({"factor": 4, "shape": "decay", "half_life": "5s"}, {"factor": 4, "half_life_s": 5}),
    ],
)
async def test_factor_tenant_and_half_life_are_ordered(given: dict[str, Any], params: dict[str, Any]) -> None:
    spec = demand_spec("surge", given)
    assert spec.params() == params
    assert await ordered(spec) == Order("f1", "surge", params, 9)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Field required"),
        ({"factor": 1}, "greater than 1"),
        ({"factor": "many"}, "valid number"),
        ({"factor": 2, "shape": "decay"}, "shape: decay needs a half-life"),
        ({"factor": 2, "half_life": "5s"}, "half_life goes with shape: decay"),
        ({"factor": 2, "shape": "wave"}, "Input should be 'step' or 'decay'"),
    ],
)
def test_an_invalid_entry_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        demand_spec("surge", given)


@pytest.mark.parametrize("shape", get_args(Surge.model_fields["shape"].annotation))
async def test_each_shape_can_be_ordered_and_only_decay_has_a_half_life(shape: str) -> None:
    half_life = {"half_life": "10s"} if shape == "decay" else {}
    order = await ordered(demand_spec("surge", {"factor": 3, "shape": shape, **half_life}))
    assert ("half_life_s" in order.params) == (shape == "decay")


def test_it_matches_any_profile_without_a_tenant_and_a_profile_with_its_tenant() -> None:
    assert profile_mistakes(demand_spec("surge", {"factor": 2}), tenants=False) == []
    assert profile_mistakes(demand_spec("surge", {"factor": 2, "tenant": "acme"})) == []


def test_it_adds_sessions_and_changes_no_call_of_the_load() -> None:
    assert demand_spec("surge", {"factor": 2}).changed_calls_share is None
