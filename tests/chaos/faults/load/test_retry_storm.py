"""`retry_storm`: its parameters, the order to the load generators, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from loadprofiles.demand import Order
from tests.support.demand_orders import demand_spec, ordered


@pytest.mark.parametrize(("given", "params"), [({}, {}), ({"timeout": "5s"}, {"timeout_s": 5})])
async def test_the_timeout_is_ordered_if_it_is_given(given: dict[str, Any], params: dict[str, Any]) -> None:
    spec = demand_spec("retry_storm", given)
    assert spec.params() == params
    assert await ordered(spec) == Order("f1", "retry_storm", params, 9)


def test_a_timeout_of_zero_is_refused() -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        demand_spec("retry_storm", {"timeout": "0s"})


def test_it_changes_every_call() -> None:
    assert demand_spec("retry_storm", {}).changed_calls_share == 1.0
