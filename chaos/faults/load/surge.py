"""`surge`: more sessions than the profile says, at once or falling back to its rate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from chaos.faults.load.demand import DemandSpec, unknown_tenant
from loadprofiles.sessions.profile import Profile
from reports.shared.documents import Duration, Mistake

__all__ = ["Surge"]


class Surge(DemandSpec):
    """A multiple of the sessions that the profile says."""

    kind: ClassVar[str] = "surge"

    factor: float = Field(gt=1, le=1000, allow_inf_nan=False, description="how many times the profile's rate")
    tenant: str | None = Field(
        default=None, min_length=1, description="whose the extra sessions are; as drawn if absent"
    )
    shape: Literal["step", "decay"] = Field(
        default="step",
        description="step: all the time; decay: what is above the profile's rate is halved again and again",
    )
    half_life: Duration | None = Field(default=None, gt=0, description="with decay: how often it is halved, as 10s")

    @model_validator(mode="after")
    def _decays_by_a_half_life(self) -> Surge:
        if self.shape == "decay" and self.half_life is None:
            raise Mistake("shape: decay does not say how fast", "add half_life: 10s")
        if self.shape == "step" and self.half_life is not None:
            raise Mistake("half_life goes with shape: decay", "add shape: decay, or take half_life: out")
        return self

    def params(self) -> dict[str, Any]:
        given = {"factor": self.factor, "tenant": self.tenant, "half_life_s": self.half_life}
        return {key: value for key, value in given.items() if value is not None}

    def mistakes(self, profile: Profile) -> Iterator[tuple[str, str, str]]:
        if self.tenant is not None:
            yield from unknown_tenant(profile, self.tenant)
