"""`surge`: more sessions than the profile offers, constant or decaying to its rate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from chaos.faults.load.demand import DemandSpec, unknown_tenant
from loadprofiles.sessions.profile import Profile
from reports.shared.documents import Duration, Mistake

__all__ = ["Surge"]


class Surge(DemandSpec):
    """Sessions arrive at a multiple of the profile's rate."""

    kind: ClassVar[str] = "surge"
    scaled_times: ClassVar[tuple[str, ...]] = ("half_life",)

    factor: float = Field(gt=1, le=1000, allow_inf_nan=False, description="multiplies the profile's rate")
    tenant: str | None = Field(
        default=None, min_length=1, description="tenant of the additional sessions; drawn as in the profile if absent"
    )
    shape: Literal["step", "decay"] = Field(
        default="step",
        description="step: constant; decay: the excess over the profile's rate halves every half_life",
    )
    half_life: Duration | None = Field(
        default=None, gt=0, description="with decay: time in which the excess halves, as 10s"
    )

    @model_validator(mode="after")
    def _decays_by_a_half_life(self) -> Surge:
        if self.shape == "decay" and self.half_life is None:
            raise Mistake("shape: decay needs a half-life", "add half_life: 10s")
        if self.shape == "step" and self.half_life is not None:
            raise Mistake("half_life goes with shape: decay", "add shape: decay, or remove half_life:")
        return self

    def params(self) -> dict[str, Any]:
        given = {"factor": self.factor, "tenant": self.tenant, "half_life_s": self.half_life}
        return {key: value for key, value in given.items() if value is not None}

    def mistakes(self, profile: Profile) -> Iterator[tuple[str, str, str]]:
        if self.tenant is not None:
            yield from unknown_tenant(profile, self.tenant)
