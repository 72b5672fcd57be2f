"""An experiment: the target, the load, the faults and their times, and the gates.

`load_experiment("lose-tpu-pool")` reads a file, checks it against its stack and its profile, and returns it with every
default written out. All mistakes are reported at once, each with file, line and remedy.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import ValidationError

from chaos.experiment.checks import RENAMED_KEYS, check, gate_with_text
from chaos.experiment.draft import (
    Draft,
    GatewayChoice,
    draft,
    fault_id,
    mapping,
    on_baseline,
    schedule_of,
    views,
)
from chaos.experiment.file import ExperimentFile, TraceFile
from chaos.experiment.gate_checks import GateWarning, redundant_gates
from chaos.experiment.guardrails import Guardrail
from chaos.experiment.schedule import Occurrence, occurrences
from chaos.experiment.target_file import TargetDocument, read_target
from chaos.experiment.target_format import TargetFile
from chaos.experiment.value_checks import check_values
from chaos.faults.base import Fault
from chaos.faults.world import ReplicaView
from loadprofiles.arrivals import ArrivalsSpec
from loadprofiles.sessions.profile import Profile
from reports.gates.grammar import Gate
from reports.shared.documents import document_names, find_document, read_document, validate
from reports.shared.errors import InvalidFile, Problem, UserError
from reports.shared.home import expanded
from targets.adapters.catalogue import DEFAULT_PRESET
from targets.stack import Stack

__all__ = [
    "ALLOW_EXPOSED",
    "EXPERIMENTS",
    "AlertSettings",
    "Experiment",
    "Front",
    "GatewayChoice",
    "PlannedFault",
    "Slo",
    "Timeline",
    "TwinOf",
    "UrlTarget",
    "experiment_names",
    "gateway_of",
    "load_experiment",
    "url_target",
]

Front = Literal["reference", "adapter", "running", "none"]
"""What is in front of the replicas: the gateway of brownout, a real one that a run starts, the user's own, nothing."""

ALLOW_EXPOSED: Final = "--allow-exposed"
"""The option of `run` and `up` that lets a gateway listen beyond this machine."""

EXPERIMENTS: Final = Path(__file__).parents[1] / "experiments"


@dataclass(frozen=True, slots=True)
class UrlTarget:
    """A user's own endpoint. `api` None: the profile's. `key_env`: the environment variable that holds the key.

    `headers`: extra headers by name, each a text or `{"env": name of an environment variable}`. `max_tokens_field`,
    `tools`, `stream_options`: see `loadprofiles.client.records.ClientOptions`.
    """

    url: str
    model: str
    api: str | None = None
    key_env: str | None = None
    headers: Mapping[str, str | Mapping[str, str]] = field(default_factory=dict)
    max_tokens_field: str | None = None
    tools: bool = True
    stream_options: bool = True

    @property
    def key_variables(self) -> str:
        """The environment variables that hold its keys, as text; "" without one."""
        named = [self.key_env] if self.key_env is not None else []
        named += [value["env"] for value in self.headers.values() if not isinstance(value, str)]
        return " or ".join(named)


@dataclass(frozen=True, slots=True)
class Slo:
    """What makes a call good: time to first token, and time per output token, at most; seconds."""

    ttft_s: float
    tpot_s: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """The lengths of the phases, seconds. The fault phase is as long as the faults are.

    `confirm_metastable`: whether a run that is down at the end of its recovery sheds new sessions and admits them
    again.
    """

    warmup_s: float
    baseline_s: float
    recovery_s: float
    drain_s: float
    confirm_metastable: bool = False


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """Where alerts are received: a port of 127.0.0.1, 0 for any; and the labels of those that count."""

    port: int
    match: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TwinOf:
    """For a run without faults: the folder of the run that has them, and the length of that run's fault phase."""

    folder: str
    fault_s: float


@dataclass(frozen=True)
class PlannedFault(Occurrence):
    """One occurrence of a fault in the experiment, ready to be played. `pools`: those of its targets."""

    pools: tuple[str, ...]
    seed: int

    @property
    def kind(self) -> str:
        """The kind of fault."""
        return self.spec.kind

    @property
    def params(self) -> dict[str, Any]:
        """Its parameters as the record names them."""
        return self.spec.params()

    @property
    def share(self) -> float | None:
        """The share of the requests that it hits; None: all, or whole replicas."""
        return self.spec.requests_share

    @property
    def only(self) -> dict[str, Any]:
        """The selectors of requests besides the share; empty: all requests, or whole replicas."""
        return self.spec.requests_only

    @cached_property
    def fault(self) -> Fault:
        """The fault to be played; one object per run."""
        return self.spec.build(self.id, self.targets, self.seed)


@dataclass(frozen=True)
class Experiment:
    """An experiment, checked, with every default written out.

    `stack`: that of the replicas; None where the target has none of ours. `url`: the user's endpoint or gateway, None
    in front of a stack of ours. `gateway`: the real gateway that a run starts in front of the stack. `first_port`: the
    port of the first replica, 0 for free ones. `trace`: options of a replay of recorded sessions, or None;
    `trace_notes`: notes of the reader, once the trace was read (`chaos.cli.preparation`). `headline_gate`: the gate
    whose value is shown first. `short_form`: see `chaos.experiment.short_form`. `warnings`: gates that the user should
    look at again. `scale`: see `chaos.experiment.load_scale`. `arrivals`: of the sessions, in place of those of the
    profile or the trace.
    """

    path: Path
    name: str
    title: str
    description: str
    family: str
    stack: Stack | None
    url: UrlTarget | None
    profile: Profile
    trace: dict[str, Any] | None
    slo: Slo
    timeline: Timeline
    faults: tuple[PlannedFault, ...]
    steady_state: tuple[Gate, ...]
    gates: tuple[Gate, ...]
    headline_gate: Gate
    guardrails: tuple[Guardrail, ...]
    seed: int
    twin_of: TwinOf | None = None
    trace_notes: tuple[str, ...] = ()
    short_form: bool = False
    warnings: tuple[GateWarning, ...] = ()
    first_port: int = 0
    scale: float = 1.0
    arrivals: ArrivalsSpec | None = None
    gateway: GatewayChoice | None = None
    alerts: AlertSettings | None = None
    target_path: Path | None = None
    tolerances: tuple[str, ...] = ()

    @property
    def front(self) -> Front:
        """What is in front of the replicas: the gateway of brownout, a real one that a run starts, or the user's."""
        return "running" if self.url is not None else "adapter" if self.gateway is not None else "reference"

    @property
    def own_gateway(self) -> bool:
        """Whether the reference gateway of brownout is in front of the replicas."""
        return self.stack is not None and self.front == "reference"

    @property
    def load_s(self) -> float:
        """The planned length of the load without the drain, seconds."""
        fault_s = self.twin_of.fault_s if self.twin_of is not None else 0.0
        last = max((fault.ends_s for fault in self.faults), default=fault_s)
        recovery_s = self.timeline.recovery_s if last or self.faults else 0.0
        return self.timeline.warmup_s + self.timeline.baseline_s + last + recovery_s


def experiment_names() -> list[str]:
    """The names of the experiments that ship."""
    return document_names(EXPERIMENTS)


def load_experiment(
    name_or_path: str | Path,
    *,
    stack: str | Path | None = None,
    seed: int | None = None,
    trace: Mapping[str, Any] | None = None,
    target: Path | None = None,
    gateway: GatewayChoice | None = None,
) -> Experiment:
    """Read a shipped experiment by name, or a user's file by path.

    `stack`, `gateway`, `seed`, `trace` (`{"dir": ..., "speed": ...}`) and `target` (a file with a `target:`) override
    the file. Raises `reports.shared.errors.InvalidFile` with every mistake at once, `UserError` for an override that is
    wrong.
    """
    document = read_document(find_document(name_or_path, EXPERIMENTS, kind="experiment"))
    if stack is not None and target is not None:
        raise UserError("--stack and --target exclude each other: both name the target")
    if gateway is not None and target is not None:
        raise UserError("--gateway and --target exclude each other: both name the target")
    problems: list[Problem] = []
    target_document = document
    if target is not None:
        target_document, problems = read_target(target)
    override = None if trace is None else _trace(trace)
    if seed is not None and not 0 <= seed < 2**63:
        raise UserError(f"--seed {seed}: a seed is a whole number of 0 or more")
    made = draft(document, stack=stack, seed=seed, replayed=trace is not None, target=target_document, gateway=gateway)
    file: ExperimentFile | None = None
    try:
        file = validate(document, ExperimentFile)
    except InvalidFile as error:
        problems.extend(error.problems)
    problems.extend(check_values(document))
    if stack is not None and made.target.get("url") is not None:
        problems.append(document.problem(("target",), "--stack: the target is a url", "leave --stack out"))
    if gateway is not None and made.target.get("url") is not None:
        problems.append(document.problem(("target",), "--gateway: the target is a url", "leave --gateway out"))
    problems.extend(check(made))
    if problems or file is None or made.profile is None:
        raise InvalidFile(_each_once(problems))
    if target is not None:
        file = file.model_copy(update={"target": validate(target_document, TargetDocument).target})
    return _experiment(Path(document.file), file, made, made.profile, override)


def _trace(options: Mapping[str, Any]) -> dict[str, Any]:
    try:
        given = TraceFile.model_validate(dict(options)).options()
    except ValidationError as error:
        first = error.errors()[0]
        name = "-".join(str(part) for part in first["loc"]).replace("_", "-")
        option = {"": "--trace", "dir": "--trace", "format": "--trace-format"}.get(name, f"--{name}")
        message = first["msg"].removeprefix("Value error, ")
        raise UserError(f"{option}: {message[0].lower()}{message[1:]} (it was {first['input']})") from None
    if not os.path.exists(expanded(given["dir"])):
        raise UserError(f"--trace {given['dir']}: no such folder or file. Name that of the recordings")
    return given


def _each_once(problems: list[Problem]) -> list[Problem]:
    """Each problem once, without `unknown key` where another problem at that line says more about the key."""
    explained = {
        (problem.line, problem.what.split(" ")[0]) for problem in problems if " selects requests" in problem.what
    }
    renamed = {
        (problem.line, old) for problem in problems for old in RENAMED_KEYS if f'"{old}" was renamed' in problem.what
    }
    kept = [
        problem
        for problem in problems
        if not any(
            line == problem.line and problem.what.startswith(f'unknown key "{key}"')
            for line, key in explained | renamed
        )
    ]
    return list(dict.fromkeys(kept))


def _experiment(
    path: Path, file: ExperimentFile, made: Draft, profile: Profile, trace: dict[str, Any] | None
) -> Experiment:
    target, timeline = file.target, file.timeline
    stack = made.stack
    replicas = views(stack) if stack is not None else []
    given_trace = file.load.trace.options() if file.load.trace is not None else None
    return Experiment(
        path=path,
        name=file.name,
        title=file.title,
        description=file.description.strip(),
        family=file.family,
        stack=stack,
        url=url_target(target),
        profile=profile,
        trace=given_trace if trace is None else trace,
        slo=Slo(file.slo.ttft, file.slo.tpot),
        timeline=Timeline(
            timeline.warmup, timeline.baseline, timeline.recovery, timeline.drain, timeline.confirm_metastable
        ),
        faults=tuple(
            _planned(time, replicas, made.seed)
            for index, entry in enumerate(timeline.faults)
            for time in occurrences(fault_id(index), schedule_of(entry), entry.specs[0], replicas, made.seed)
        ),
        steady_state=tuple(on_baseline(gate) for gate in file.steady_state),
        gates=tuple(file.gates),
        headline_gate=gate_with_text(file.headline_gate, file.gates) or file.gates[0],
        guardrails=tuple(file.guardrails),
        seed=made.seed,
        warnings=tuple(redundant_gates(made)),
        first_port=target.replicas.first_port if target.replicas is not None else 0,
        gateway=gateway_of(made),
        alerts=AlertSettings(**file.alerts.model_dump()) if file.alerts is not None else None,
        target_path=Path(made.target_document.file),
        tolerances=tuple(file.tolerances),
    )


def url_target(target: TargetFile) -> UrlTarget | None:
    """The endpoint or gateway of the user's that a target names; None without one."""
    if target.url is None or target.model is None:
        return None
    return UrlTarget(
        url=target.url,
        model=target.model,
        api=target.api,
        key_env=target.key_env,
        headers=target.model_dump(include={"headers"})["headers"] or {},
        max_tokens_field=target.max_tokens_field,
        tools=target.tools is not False,
        stream_options=target.stream_options is not False,
    )


def gateway_of(made: Draft) -> GatewayChoice | None:
    """The real gateway that a target names; None without one."""
    for name, settings in mapping(made.target.get("gateway")).items():
        given = mapping(settings)
        return GatewayChoice(name, given.get("preset") or DEFAULT_PRESET, given.get("allow_exposed") is True)
    return None


def _planned(time: Occurrence, replicas: list[ReplicaView], seed: int) -> PlannedFault:
    pools = dict.fromkeys(replica.pool for replica in replicas if replica.name in time.targets)
    return PlannedFault(time.id, time.at_s, time.for_s, time.spec, time.targets, tuple(pools), seed)
