"""What an experiment file says of a fault: whom it takes (the selectors) and the kind's own parameters."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from chaos.faults.base import Fault, ReplicaView
from chaos.faults.selection import Selector
from reports.documents import Mistake, Percentage

__all__ = ["FaultSpec", "OnReplicas", "OnRequests", "WholeReplica"]


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


class OnReplicas(Selector, FaultSpec):
    """A fault of replicas, taken by the selectors."""


class WholeReplica(OnReplicas):
    """A fault of a replica as a whole: it cannot hit a share of the requests (`chaos.experiment_checks` says so)."""


class OnRequests(OnReplicas):
    """A fault of single requests: all of them, or a share."""

    share: Percentage | None = Field(
        default=None, description="share of the requests that it hits, as 30%; drawn by the seed, a request at a time"
    )

    @model_validator(mode="after")
    def _hits_something(self) -> OnRequests:
        if self.share == 0:
            raise Mistake("share: 0% hits nothing", "give a share above 0%, or take it out for all requests")
        return self

    @property
    def requests_share(self) -> float | None:
        return self.share
