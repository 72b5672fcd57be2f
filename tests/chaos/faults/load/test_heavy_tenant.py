"""`heavy_tenant`: its parameters, the order to the load generators, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from loadprofiles.demand import Order
from tests.support.demand_orders import demand_spec, ordered, profile_mistakes


async def test_tenant_and_share_are_ordered() -> None:
    spec = demand_spec("heavy_tenant", {"tenant": "acme", "share": "60%"})
    assert spec.params() == {"tenant": "acme", "share": 0.6}
    assert await ordered(spec) == Order("f1", "heavy_tenant", {"tenant": "acme", "share": 0.6}, 9)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"tenant": "acme", "share": "100%"}, "the share must be above 0% and below 100%"),
        ({"tenant": "acme", "share": "0%"}, "the share must be above 0% and below 100%"),
        ({"share": "60%"}, "tenant\n  Field required"),
    ],
)
def test_an_invalid_entry_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        demand_spec("heavy_tenant", given)


def test_a_share_that_the_tenant_already_has_is_a_mistake() -> None:
    assert profile_mistakes(demand_spec("heavy_tenant", {"tenant": "bolt", "share": "80%"})) == []
    [(key, what, remedy)] = profile_mistakes(demand_spec("heavy_tenant", {"tenant": "bolt", "share": "75%"}))
    assert (key, what) == ("share", "bolt has 75% of the sessions of coding-agent-ci already")
    assert remedy == "make share: more than 75%"


def test_an_unknown_tenant_is_the_only_mistake_reported() -> None:
    [(key, what, _)] = profile_mistakes(demand_spec("heavy_tenant", {"tenant": "bold", "share": "1%"}))
    assert (key, what) == ("tenant", 'the profile coding-agent-ci has no tenant "bold"')
