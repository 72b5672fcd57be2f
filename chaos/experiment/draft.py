"""The valid parts of an experiment file, which the checks read.

A `Draft` holds each part of the file that is valid by itself, so that a negative time in one place does not hide an
unknown pool in another. Pure, except for loading the stack and the profile that the file names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

from chaos.experiment.file import FaultEntryBase, FaultEntryFile, GateText, GuardrailText
from chaos.experiment.guardrails import Guardrail
from chaos.experiment.schedule import SCHEDULE_KEYS, Occurrence, Schedule, occurrences
from chaos.faults.catalogue import KINDS
from chaos.faults.selection import Selector
from chaos.faults.spec import OF_REQUESTS, FaultSpec, WholeReplica
from chaos.faults.world import ReplicaView, offers_of
from chaos.faults.world import Where as Place
from loadprofiles.sessions.profile import Profile, Tenant
from loadprofiles.sessions.profile_file import load_profile
from reports.gates.grammar import Gate
from reports.shared.document import Document, Where
from reports.shared.documents import NotFound, duration_s
from reports.shared.errors import InvalidFile, Problem
from reports.shared.units import Mistake
from targets.adapters.catalogue import DEFAULT_PRESET
from targets.stack import Stack, load_stack

__all__ = [
    "Draft",
    "DraftFault",
    "GatewayChoice",
    "draft",
    "fault_id",
    "mapping",
    "occurring",
    "on_baseline",
    "schedule_of",
    "views",
]

T = TypeVar("T")


class GatewayChoice(NamedTuple):
    """A real gateway in front of the replicas: the name of its adapter, and the preset of its settings.

    `exposed`: whether it may listen beyond this machine.
    """

    name: str
    preset: str = DEFAULT_PRESET
    exposed: bool = False

    def __str__(self) -> str:
        return f"{self.name}:{self.preset}"


@dataclass(frozen=True, slots=True)
class DraftFault:
    """The valid parts of one entry of `timeline.faults`. `raw`: as written."""

    index: int
    raw: dict[str, Any]
    kinds: list[str]
    spec: FaultSpec | None
    schedule: Schedule | None

    @property
    def path(self) -> tuple[str | int, ...]:
        """Where it stands in the file."""
        return ("timeline", "faults", self.index)

    @property
    def id(self) -> str:
        """Its name in the record and on the control port."""
        return fault_id(self.index)


@dataclass(slots=True)
class Draft:
    """The valid parts of an experiment file. `target_document`: the file whose `target:` counts (`--target FILE`)."""

    document: Document
    target_document: Document
    target: dict[str, Any]
    faults: list[DraftFault]
    gates: list[tuple[tuple[str | int, ...], Gate]]
    steady_state: list[tuple[tuple[str | int, ...], Gate]]
    guardrails: list[tuple[tuple[str | int, ...], Guardrail]]
    warmup_s: float | None
    baseline_s: float | None
    recovery_s: float | None
    drain_s: float | None
    seed: int
    replayed: bool = False
    """Whether recorded sessions take the place of the profile's."""
    stack: Stack | None = None
    profile: Profile | None = None
    problems: list[Problem] = field(default_factory=list)
    """Problems found while the stack and the profile were read."""

    @property
    def own_replicas(self) -> bool:
        """Whether the target has replicas of ours, as far as the file says so."""
        return self.stack is not None or "url" not in self.target or "replicas" in self.target

    @property
    def own_gateway(self) -> bool:
        """Whether the target has the reference gateway, as far as the file says so."""
        return "url" not in self.target and "gateway" not in self.target and self.own_replicas

    @property
    def load_s(self) -> float | None:
        """The planned length of the load without the drain, seconds; None where a part of it is not valid."""
        if self.warmup_s is None or self.baseline_s is None or self.recovery_s is None:
            return None
        times = [occurring(self, fault) for fault in self.faults]
        if not all(times):
            return None
        ends = [time.ends_s for occurrences_of_one in times for time in occurrences_of_one]
        return self.warmup_s + self.baseline_s + (max(ends) + self.recovery_s if ends else 0.0)

    @property
    def specs(self) -> list[FaultSpec]:
        """What the entries of the timeline say about their faults; those that are valid."""
        return [fault.spec for fault in self.faults if fault.spec is not None]

    @property
    def tenants(self) -> list[Tenant]:
        """The tenants that offer load. A replayed trace has none, but those of the sessions that faults add."""
        if self.profile is None:
            return []
        added = {getattr(spec, "tenant", None) for spec in self.specs if spec.where == "load"}
        return [tenant for tenant in self.profile.tenants if not self.replayed or tenant.name in added]

    @property
    def models(self) -> tuple[str, ...]:
        """The names by which requests may ask a replica for its model: a gateway may have a name of its own for it."""
        named = self.target.get("model")
        own = (named,) if "url" in self.target and isinstance(named, str) else ()
        return (*own, self.stack.model) if self.stack is not None else own

    @property
    def offers(self) -> frozenset[Place]:
        """The places where a fault can act in this target."""
        return offers_of(own_replicas=self.own_replicas, own_gateway=self.own_gateway)

    @property
    def sources(self) -> frozenset[str]:
        """The processes whose spans the record of a run will have."""
        replicas = frozenset(("replica",)) if self.own_replicas else frozenset()
        gateway = frozenset(("gateway",)) if self.own_gateway else frozenset()
        return replicas | gateway | {"loadgen"}


def fault_id(index: int) -> str:
    """The id of the entry at `index` of `timeline.faults`: f1, f2, ..."""
    return f"f{index + 1}"


def draft(
    document: Document,
    *,
    stack: str | Path | None,
    seed: int | None,
    replayed: bool = False,
    target: Document | None = None,
    gateway: GatewayChoice | None = None,
) -> Draft:
    """Read the valid parts of `document`, and the stack (or `stack` in its place) and the profile that it names.

    `target`: the file whose `target:` counts instead of the document's own. `gateway`: the real gateway in front of the
    stack, instead of that of the file. `replayed`: a trace is replayed, whatever
    the file says. Raises `NotFound` for an unknown `stack`, which is in no
    line of the file.
    """
    data = document.data
    timeline = mapping(data.get("timeline"))
    given_seed = seed if seed is not None else data.get("seed", 7)
    made = Draft(
        document=document,
        target_document=target or document,
        target=mapping((target or document).data.get("target")),
        faults=[_fault(index, entry) for index, entry in enumerate(_list(timeline.get("faults")))],
        gates=list(_gates(data, "gates")),
        steady_state=[(path, on_baseline(gate)) for path, gate in _gates(data, "steady_state")],
        guardrails=list(_guardrails(data)),
        warmup_s=_seconds(timeline.get("warmup", 5)),
        baseline_s=_seconds(timeline.get("baseline", 15)),
        recovery_s=_seconds(timeline.get("recovery", 20)),
        drain_s=_seconds(timeline.get("drain", 30)),
        seed=given_seed if isinstance(given_seed, int) else 0,
        replayed=replayed or mapping(data.get("load")).get("trace") is not None,
    )
    if gateway is not None:
        settings = {"preset": gateway.preset, "allow_exposed": gateway.exposed}
        made.target = {**made.target, "gateway": {gateway.name: settings}}
    base = Path(document.file).parent
    whose = Path(made.target_document.file).parent
    behind = mapping(made.target.get("replicas"))
    place: Where = ("target", "stack")
    named = made.target.get("stack")
    if named is None and behind:
        place, named = ("target", "replicas", "stack"), behind.get("stack")
    if stack is not None:
        made.stack = load_stack(stack)
    elif isinstance(named, str) and named:
        made.stack = _read(made, made.target_document, place, lambda: load_stack(named, base=whose))
    profile = mapping(data.get("load")).get("profile")
    if isinstance(profile, str) and profile:
        made.profile = _read(made, document, ("load", "profile"), lambda: load_profile(profile, base=base))
    return made


def on_baseline(gate: Gate) -> Gate:
    """A gate of `steady_state`: about the baseline, unless it names another phase."""
    return replace(gate, phase="baseline") if gate.phase is None and gate.spec.phased else gate


def views(stack: Stack) -> list[ReplicaView]:
    """A stack's replicas as faults see them."""
    return [ReplicaView(replica.name, replica.pool, replica.cloud) for replica in stack.replicas]


def schedule_of(entry: FaultEntryBase) -> Schedule:
    """When an entry of the timeline occurs."""
    return Schedule(entry.at, entry.for_ or 0.0, entry.every, entry.random, entry.times, entry.one_by_one)


def schedule_mistakes(
    made: Draft, schedule: Schedule, kind: type[FaultSpec], spec: FaultSpec | None
) -> list[tuple[str, str, str]]:
    """Contradictions in when an entry occurs; see `Schedule.mistakes`. `spec`: None where the entry is not valid."""
    busy_s, selected = schedule.for_s, 0
    if spec is not None:
        busy_s = spec.busy_s(schedule.for_s)
        if isinstance(spec, Selector) and made.stack is not None:
            selected = len(spec.select(views(made.stack), 0, ""))
    return list(schedule.mistakes(issubclass(kind, Selector), busy_s, selected))


def occurring(made: Draft, fault: DraftFault) -> list[Occurrence]:
    """Every occurrence of an entry; none where the entry is not valid."""
    schedule, spec = fault.schedule, fault.spec
    if schedule is None or spec is None or schedule_mistakes(made, schedule, type(spec), spec):
        return []
    return occurrences(fault.id, schedule, spec, views(made.stack) if made.stack is not None else [], made.seed)


# -- reading the valid parts ------------------------------------------------------------------------------------------
def mapping(value: Any) -> dict[str, Any]:
    """A mapping as it is; an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _seconds(value: Any) -> float | None:
    try:
        return duration_s(value)
    except Mistake:
        return None


def _if_valid(adapter: TypeAdapter[T], value: Any) -> T | None:
    try:
        return adapter.validate_python(value)
    except ValidationError:
        return None


_ENTRY: Final[TypeAdapter[FaultEntryBase]] = TypeAdapter(FaultEntryFile)
_GATE: Final[TypeAdapter[Gate]] = TypeAdapter(GateText)
_GUARDRAIL: Final[TypeAdapter[Guardrail]] = TypeAdapter(GuardrailText)


def _fault(index: int, entry: Any) -> DraftFault:
    raw = mapping(entry)
    kinds = [kind for kind in KINDS if kind in raw]
    spec = None
    if len(kinds) == 1:
        alone = raw[kinds[0]]
        if isinstance(alone, dict) and issubclass(KINDS[kinds[0]], WholeReplica):
            alone = {key: value for key, value in alone.items() if key not in OF_REQUESTS}
        valid = _if_valid(_ENTRY, {kinds[0]: alone})
        spec = valid.specs[0] if valid is not None and valid.specs else None
    return DraftFault(index, raw, kinds, spec, _schedule(raw))


def _schedule(raw: dict[str, Any]) -> Schedule | None:
    valid = _if_valid(_ENTRY, {key: value for key, value in raw.items() if key in SCHEDULE_KEYS})
    return schedule_of(valid) if valid is not None else None


def _gates(data: dict[str, Any], key: str) -> Iterator[tuple[tuple[str | int, ...], Gate]]:
    for index, text in enumerate(_list(data.get(key))):
        gate = _if_valid(_GATE, text)
        if gate is not None:
            yield (key, index), gate


def _guardrails(data: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], Guardrail]]:
    for index, text in enumerate(_list(data.get("guardrails"))):
        guardrail = _if_valid(_GUARDRAIL, text)
        if guardrail is not None:
            yield ("guardrails", index), guardrail


def _read(made: Draft, document: Document, path: tuple[str | int, ...], load: Callable[[], T]) -> T | None:
    try:
        return load()
    except NotFound as error:
        made.problems.append(document.problem(path, error.what, error.remedy))
    except InvalidFile as error:
        made.problems.extend(error.problems)
    return None
