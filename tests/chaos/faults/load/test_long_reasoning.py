"""`long_reasoning`: its parameters, the order to the load generators, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from loadprofiles.demand import Order
from tests.support.demand_orders import demand_spec, ordered


async def test_factor_and_share_are_ordered() -> None:
    spec = demand_spec("long_reasoning", {"factor": 50, "share": "3%"})
    assert spec.params() == {"factor": 50, "share": 0.03}
    assert await ordered(spec) == Order("f1", "long_reasoning", {"factor": 50, "share": 0.03}, 9)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"factor": 5, "share": "0%"}, "share: 0% hits nothing"),
        ({"factor": 1, "share": "3%"}, "greater than 1"),
        ({"factor": 5}, "share\n  Field required"),
    ],
)
def test_an_invalid_entry_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        demand_spec("long_reasoning", given)


def test_it_changes_its_share_of_the_calls() -> None:
    assert demand_spec("long_reasoning", {"factor": 50, "share": "3%"}).changed_calls_share == 0.03
