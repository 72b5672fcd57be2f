from __future__ import annotations

import pytest

from loadprofiles.demand import Order, demand_of
from loadprofiles.demand.kind import ClientOverride
from loadprofiles.sessions.profile_file import load_profile
from loadprofiles.sessions.session import Call
from reports.shared.tokens import Marker


def test_only_the_clients_policy_and_timeout_change() -> None:
    storm = demand_of(Order("f1", "retry_storm", {"timeout_s": 5.0}))
    assert storm.override == ClientOverride("aggressive", 5.0)
    assert storm.extra_sessions(load_profile("coding-agent-ci")) is None
    call = Call("main", 0, (), 20, True, Marker("s7-1", "main", 0), True)
    assert storm.change_call(call) is call
    assert demand_of(Order("f1", "retry_storm")).override == ClientOverride("aggressive", None)


def test_a_negative_timeout_is_rejected() -> None:
    with pytest.raises(ValueError, match="timeout_s of retry_storm"):
        demand_of(Order("f1", "retry_storm", {"timeout_s": -1}))
