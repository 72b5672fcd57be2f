from __future__ import annotations

from loadprofiles.demand.kind import Demand, Order
from loadprofiles.sessions.profile_file import load_profile
from loadprofiles.sessions.session import Call
from reports.shared.tokens import Marker


def test_a_demand_without_overrides_changes_nothing() -> None:
    demand = Demand(Order("f1", "any"))
    call = Call("main", 0, (), 20, True, Marker("s7-1", "main", 0), True)
    assert demand.extra_sessions(load_profile("coding-agent-ci")) is None
    assert demand.change_call(call) is call
    assert demand.override is None
