from __future__ import annotations

import pytest

from loadprofiles.demand import Order, demand_of
from loadprofiles.sessions.session import Call
from reports.shared.tokens import Marker


def call(turn: int) -> Call:
    return Call("main", turn, (), 20, True, Marker("s7-1", "main", turn), True)


def test_a_share_of_the_calls_gets_longer_and_equal_seeds_select_equal_calls() -> None:
    calls = [call(turn) for turn in range(400)]

    def longer(seed: int) -> list[int]:
        demand = demand_of(Order("f2", "long_reasoning", {"factor": 50, "share": 0.25}, seed))
        changed = [demand.change_call(one) for one in calls]
        assert {one.max_tokens for one in changed} == {20, 1000}
        assert all(one is before for one, before in zip(changed, calls, strict=True) if one.max_tokens == 20)
        return [one.turn for one in changed if one.max_tokens == 1000]

    assert longer(7) == longer(7)
    assert 70 <= len(longer(7)) <= 130
    assert longer(7) != longer(8)


@pytest.mark.parametrize("params", [{"factor": 0.5, "share": 0.1}, {"factor": 5, "share": 0}])
def test_invalid_parameters_are_rejected(params: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="of long_reasoning"):
        demand_of(Order("f1", "long_reasoning", params))
