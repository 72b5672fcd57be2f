"""What an experiment file says of a fault: whom it takes (the selectors) and the kind's own parameters."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from chaos.faults.base import Fault, ReplicaView
from chaos.faults.behaviour import BehaviourFault
from chaos.faults.selection import Names, Selector
from reports.shared.attributes import TARGET_GATEWAY
from reports.shared.documents import Mistake, Percentage

__all__ = ["FaultSpec", "InReplica", "OnGateway", "OnReplicas", "OnRequests", "OnStreams", "WholeReplica"]


class FaultSpec(BaseModel):
    """One kind's entry of a file. Each kind has a subclass."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ClassVar[str]
    needs_duration: ClassVar[bool] = True
    """Whether the entry must say `for`."""
    stops_process: ClassVar[bool] = False
    """Whether its targets answer nothing while it is on."""
    of_load: ClassVar[bool] = False
    """Whether it is the load that it changes, so that it works on any target."""

    @property
    def requests_share(self) -> float | None:
        """The share of the requests that it hits; None: all, or the replica as a whole."""
        return None

    @property
    def requests_only(self) -> dict[str, Any]:
        """Which requests, beside the share, as the control port names it; empty: all."""
        return {}

    @property
    def cold_start_s(self) -> float:
        """How long its targets need to be ready again after its end."""
        return 0.0

    @abstractmethod
    def select(self, replicas: Iterable[ReplicaView], seed: int, fault_id: str) -> list[str]:
        """The names of its targets: replicas, the gateway or the load."""

    @abstractmethod
    def params(self) -> dict[str, Any]:
        """Its parameters as the record and the control port name them (`docs/wire.md`)."""

    @abstractmethod
    def build(self, fault_id: str, targets: Sequence[str], seed: int) -> Fault:
        """The fault, ready to be injected."""


class OnGateway(FaultSpec):
    """A fault of the gateway itself: it takes no replica."""

    def select(self, replicas: Iterable[ReplicaView], seed: int, fault_id: str) -> list[str]:
        return [TARGET_GATEWAY]


class OnReplicas(Selector, FaultSpec):
    """A fault of replicas, taken by the selectors."""


class WholeReplica(OnReplicas):
    """A fault of a replica as a whole: it cannot hit a share of the requests (`chaos.experiment.checks` says so)."""


class InReplica(WholeReplica):
    """A behaviour of a replica as a whole: of its engine, of its health, of its metrics."""

    def build(self, fault_id: str, targets: Sequence[str], seed: int) -> Fault:
        return BehaviourFault(fault_id, self.kind, targets, self.params(), None, seed)


class OnRequests(OnReplicas):
    """A fault of single requests: all of them, or those that fit everything that is given."""

    share: Percentage | None = Field(
        default=None, description="share of the requests that it hits, as 30%; drawn by the seed, a request at a time"
    )
    tenant: Names | None = Field(default=None, description="only requests of this tenant of the profile, or of these")
    model: Names | None = Field(default=None, description="only requests that ask for this model, or for these")
    header: dict[str, str] | None = Field(
        default=None, min_length=1, description="only requests that have each of these headers, with this value"
    )
    after_requests: int = Field(
        default=0, ge=0, description="the first so many that fit are left alone, counted at each replica"
    )
    at_most: int | None = Field(default=None, ge=1, description="how many it hits, at each replica")

    @model_validator(mode="after")
    def _hits_something(self) -> OnRequests:
        if self.share == 0:
            raise Mistake("share: 0% hits nothing", "give a share above 0%, or take it out for all requests")
        return self

    @property
    def requests_share(self) -> float | None:
        return self.share

    @property
    def requests_only(self) -> dict[str, Any]:
        given = {name: getattr(self, name) for name in ("tenant", "model", "header", "after_requests", "at_most")}
        return {name: value for name, value in given.items() if value}

    def build(self, fault_id: str, targets: Sequence[str], seed: int) -> Fault:
        return BehaviourFault(fault_id, self.kind, targets, self.params(), self.share, seed, self.requests_only)


class OnStreams(OnRequests):
    """A fault of single streams, at a point in each."""

    phase: Literal["prefill", "decode"] | None = Field(
        default=None, description="only streams that have sent no token yet (prefill), or only those that have (decode)"
    )

    @model_validator(mode="after")
    def _phase_can_be(self) -> OnStreams:
        if self.phase == "prefill" and self.params().get("after_tokens"):
            raise Mistake("phase: prefill ends with the first token", "take after_tokens: out, or say phase: decode")
        return self

    @property
    def requests_only(self) -> dict[str, Any]:
        return {**super().requests_only, **({} if self.phase is None else {"phase": self.phase})}
