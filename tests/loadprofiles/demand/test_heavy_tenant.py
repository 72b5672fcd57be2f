from __future__ import annotations

from dataclasses import replace

import pytest

from loadprofiles.demand import Growth, Order, demand_of
from loadprofiles.demand.kind import ExtraSessions
from loadprofiles.sessions.profile import Tenant
from loadprofiles.sessions.profile_file import load_profile

PROFILE = replace(load_profile("coding-agent-ci"), tenants=(Tenant("acme", 1, "batch"), Tenant("bolt", 3)))


def test_sessions_are_added_until_the_tenant_has_its_share() -> None:
    extra = demand_of(Order("f1", "heavy_tenant", {"tenant": "acme", "share": 0.6})).extra_sessions(PROFILE)
    assert extra is not None
    assert extra.tenant == "acme"
    # acme has 25 of 100 sessions; with 87.5 more it has 112.5 of 187.5
    assert extra.growth.extra == pytest.approx(0.875)
    none = demand_of(Order("f1", "heavy_tenant", {"tenant": "bolt", "share": 0.6})).extra_sessions(PROFILE)
    assert none == ExtraSessions(Growth(0.0), "bolt")


def test_a_share_of_1_is_rejected() -> None:
    with pytest.raises(ValueError, match="share of heavy_tenant"):
        demand_of(Order("f1", "heavy_tenant", {"tenant": "acme", "share": 1}))
