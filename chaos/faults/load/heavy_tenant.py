"""`heavy_tenant`: the sessions of one tenant grow to a given share of all offered sessions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import Field, model_validator

from chaos.faults.load.demand import DemandSpec, unknown_tenant
from loadprofiles.sessions.profile import Profile
from reports.shared.documents import Mistake, Percentage

__all__ = ["HeavyTenant"]


class HeavyTenant(DemandSpec):
    """One tenant's sessions grow to a given share of all offered sessions."""

    kind: ClassVar[str] = "heavy_tenant"

    tenant: str = Field(min_length=1, description="a tenant of the profile")
    share: Percentage = Field(description="the tenant's share of all offered sessions, as 60%")

    @model_validator(mode="after")
    def _share_is_between(self) -> HeavyTenant:
        if not 0 < self.share < 1:
            raise Mistake("the share must be above 0% and below 100%", "write it as share: 60%")
        return self

    def params(self) -> dict[str, Any]:
        return {"tenant": self.tenant, "share": self.share}

    def mistakes(self, profile: Profile) -> Iterator[tuple[str, str, str]]:
        wrong = list(unknown_tenant(profile, self.tenant))
        yield from wrong
        before = profile.tenant_share(self.tenant)
        if not wrong and before >= self.share:
            remedy = f"make share: more than {before * 100:.3g}%"
            yield "share", f"{self.tenant} has {before * 100:.3g}% of the sessions of {profile.name} already", remedy
