"""`heavy_tenant`: one tenant's sessions grow until they are a given share of all sessions."""

from __future__ import annotations

from loadprofiles.demand.growth import Growth
from loadprofiles.demand.kind import Demand, ExtraSessions, Order
from loadprofiles.sessions.profile import Profile

__all__ = ["HeavyTenant"]


class HeavyTenant(Demand):
    """Adds sessions of `tenant` until it has the share `share` (0 to 1) of all sessions.

    With a base rate B, of which the tenant has the share p, it adds the rate X = B (share - p) / (1 - share): then
    (p B + X) / (B + X) = share.
    """

    def __init__(self, order: Order, tenant: str, share: float) -> None:
        super().__init__(order)
        if not 0 < share < 1:
            raise ValueError("the share of heavy_tenant must be above 0 and below 1")
        self._tenant, self._share = tenant, share

    def extra_sessions(self, profile: Profile) -> ExtraSessions:
        """See `Demand.extra_sessions`."""
        before = profile.tenant_share(self._tenant)
        return ExtraSessions(Growth(max(self._share - before, 0.0) / (1 - self._share)), self._tenant)
