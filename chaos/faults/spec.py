"""What an experiment file says about a fault: its targets (the selectors), the kind's parameters, and its traits.

Everything that other modules must know about a kind is a trait here, so that there is no list of kinds elsewhere.
`RecordedTraits` are written into the record of a run: the analysis reads them there and needs no list either.
"""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from chaos.faults.base import Fault
from chaos.faults.behaviour import BehaviourFault, GatewayBehaviourFault
from chaos.faults.selection import Names, Selector, unknown_names
from chaos.faults.world import ReplicaView, Where
from reports.shared.attributes import TARGET_GATEWAY
from reports.shared.documents import Mistake, Percentage
from reports.shared.fault_traits import FaultTraits

__all__ = [
    "OF_REQUESTS",
    "FaultSpec",
    "InReplica",
    "OnGateway",
    "OnProcess",
    "OnReplicas",
    "OnRequests",
    "OnStreams",
    "WholeReplica",
]


class FaultSpec(BaseModel):
    """One entry of an experiment file. Each kind of fault has a subclass, in a file of its own.

    Its docstring is the help text of the kind: `brownout list faults` and the JSON Schema show all of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ClassVar[str]
    where: ClassVar[Where]
    """The place in the stack where it acts: what it needs of the target (`chaos.faults.world.refusal`)."""
    needs_duration: ClassVar[bool] = True
    """Whether the entry must have `for`."""
    stops_process: ClassVar[bool] = False
    """Whether its targets send no response while it is active."""
    silences_calls: ClassVar[bool] = False
    """Whether calls that stay with a target receive nothing for a while: such a silence counts as an interruption."""
    loses_spans: ClassVar[bool] = False
    """Whether its targets end without exporting their last spans."""
    reclaims_hardware: ClassVar[bool] = False
    """Whether the provider takes the hardware back meanwhile, so that it costs nothing."""
    notice_key: ClassVar[str] = "notice"
    """What its parameter for `notice_s` is called."""
    scaled_times: ClassVar[tuple[str, ...]] = ()
    """Its durations that must fit into a phase: the short form of an experiment divides them."""
    kept_times: ClassVar[tuple[str, ...]] = ()
    """Its durations that the short form keeps: what it does to a single request."""

    @classmethod
    def traits(cls) -> FaultTraits:
        """What the record of a run says about the kind, for the analysis."""
        return FaultTraits(
            where=cls.where,
            stops_process=cls.stops_process,
            silences_calls=cls.silences_calls,
            loses_spans=cls.loses_spans,
            reclaims_hardware=cls.reclaims_hardware,
        )

    @classmethod
    def description(cls) -> str:
        """The help text of the kind: its whole docstring as one line."""
        return " ".join(inspect.cleandoc(cls.__doc__ or "").split())

    @property
    def requests_share(self) -> float | None:
        """The share of the requests that it hits; None: all, or the replica as a whole."""
        return None

    @property
    def requests_only(self) -> dict[str, Any]:
        """The selectors of requests besides the share, as the control port names them; empty: all requests."""
        return {}

    @property
    def notice_s(self) -> float:
        """How long its targets may go on after its begin, at most, seconds: the notice of a termination."""
        return 0.0

    @property
    def cold_start_s(self) -> float:
        """How long its targets take to be ready again after its end, seconds."""
        return 0.0

    def busy_s(self, for_s: float) -> float:
        """How long its targets are not as before at most, seconds: `for_s` or its notice, and a cold start."""
        return max(for_s, self.notice_s) + self.cold_start_s

    @property
    def changed_calls_share(self) -> float | None:
        """The share of the load's own calls that it changes; None: it changes none of them (it may add sessions)."""
        return None

    def unknown_replicas(self, replicas: Sequence[ReplicaView]) -> list[tuple[str, str, str]]:
        """Names in it that the stack does not have: (key, what is wrong, what would be right)."""
        return []

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
    """A fault of the gateway itself: it selects no replica."""

    where: ClassVar[Where] = "gateway"

    def select(self, replicas: Iterable[ReplicaView], seed: int, fault_id: str) -> list[str]:
        return [TARGET_GATEWAY]

    def build(self, fault_id: str, targets: Sequence[str], seed: int) -> Fault:
        return GatewayBehaviourFault(fault_id, self.kind, targets, self.params(), None, seed)


class OnReplicas(Selector, FaultSpec):
    """A fault of replicas, chosen by the selectors."""

    def unknown_replicas(self, replicas: Sequence[ReplicaView]) -> list[tuple[str, str, str]]:
        return unknown_names(self, replicas)


class WholeReplica(OnReplicas):
    """A fault of a whole replica: it cannot hit a share of the requests (`chaos.experiment.checks` reports that)."""


class OnProcess(WholeReplica):
    """A fault of a replica's process."""

    where: ClassVar[Where] = "process"
    stops_process: ClassVar[bool] = True


class InReplica(WholeReplica):
    """A behaviour of a whole replica: of its engine, its health checks or its metrics."""

    where: ClassVar[Where] = "replica"

    def build(self, fault_id: str, targets: Sequence[str], seed: int) -> Fault:
        return BehaviourFault(fault_id, self.kind, targets, self.params(), None, seed)


class OnRequests(OnReplicas):
    """A fault of single requests: all of them, or those that match every selector that is given."""

    where: ClassVar[Where] = "replica"

    share: Percentage | None = Field(
        default=None, description="share of the requests that it hits, as 30%; drawn by the seed for each request"
    )
    tenant: Names | None = Field(default=None, description="only requests of this tenant of the profile, or of these")
    model: Names | None = Field(default=None, description="only requests that ask for this model, or for these")
    header: dict[str, str] | None = Field(
        default=None, min_length=1, description="only requests that have each of these headers, with this value"
    )
    after_requests: int = Field(
        default=0, ge=0, description="number of matching requests that it skips before its first hit, per replica"
    )
    at_most: int | None = Field(default=None, ge=1, description="maximum number of requests that it hits, per replica")

    @model_validator(mode="after")
    def _hits_something(self) -> OnRequests:
        if self.share == 0:
            raise Mistake("share: 0% hits nothing", "give a share above 0%, or remove it for all requests")
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
            raise Mistake("phase: prefill ends with the first token", "remove after_tokens:, or say phase: decode")
        return self

    @property
    def requests_only(self) -> dict[str, Any]:
        return {**super().requests_only, **({} if self.phase is None else {"phase": self.phase})}


OF_REQUESTS: Final = frozenset(OnStreams.model_fields) - frozenset(Selector.model_fields)
"""The selectors of requests: a fault of whole replicas has none of them."""
