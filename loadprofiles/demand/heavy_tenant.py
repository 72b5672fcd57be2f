"""`heavy_tenant`: one tenant's sessions grow until they are a share of all that are offered."""

from __future__ import annotations

from loadprofiles.demand.growth import Growth
from loadprofiles.demand.kind import Demand, Extra, Order
from loadprofiles.sessions.profile import Profile

__all__ = ["HeavyTenant"]


class HeavyTenant(Demand):
    """With a base rate B of which the tenant has the share p, it adds X = B (share - p) / (1 - share): then
    (p B + X) / (B + X) is `share`."""

    def __init__(self, order: Order, tenant: str, share: float) -> None:
        super().__init__(order)
        if not 0 < share < 1:
            raise ValueError("a tenant's share is above 0 and below 1")
        self._tenant, self._share = tenant, share

    def extra(self, profile: Profile) -> Extra:
        """See `Demand.extra`."""
        before = profile.tenant_share(self._tenant)
        return Extra(Growth(max(self._share - before, 0.0) / (1 - self._share)), self._tenant)
