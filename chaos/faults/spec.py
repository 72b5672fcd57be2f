"""What an experiment file says of a fault: whom it takes (the selectors) and the kind's own parameters."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field, model_validator

from chaos.faults.base import Fault
from chaos.faults.selection import Selector
from reports.documents import Mistake, Percentage

__all__ = ["FaultSpec", "OnRequests", "WholeReplica"]


class FaultSpec(Selector):
    """One kind's entry of a file. Each kind has a subclass."""

    kind: ClassVar[str]
    needs_duration: ClassVar[bool] = True
    """Whether the entry must say `for`."""
    stops_process: ClassVar[bool] = False
    """Whether its targets answer nothing while it is on."""

    @property
    def requests_share(self) -> float | None:
        """The share of the requests that it hits; None: all, or the replica as a whole."""
        return None

    @property
    def cold_start_s(self) -> float:
        """How long its targets need to be ready again after its end."""
        return 0.0

    @abstractmethod
    def params(self) -> dict[str, Any]:
        """Its parameters as the record and the control port name them (`docs/wire.md`)."""

    @abstractmethod
    def build(self, fault_id: str, targets: Sequence[str], seed: int) -> Fault:
        """The fault, ready to be injected."""


class WholeReplica(FaultSpec):
    """A fault of a replica as a whole: it cannot hit a share of the requests (`chaos.experiment_checks` says so)."""


class OnRequests(FaultSpec):
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
