"""The format of an experiment file, checked by pydantic. `chaos.experiment.model` gives it its meaning.

Only mistakes within one value are found here; those between several values, or between the file and its stack, are
found in `chaos.experiment.checks`. (A validator here that looks at several values would hide the mistakes in each of
them.)
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
    create_model,
)

from chaos.experiment.guardrails import Guardrail, parse_guardrail
from chaos.experiment.target_format import TargetFile
from chaos.faults.catalogue import KINDS
from chaos.faults.spec import FaultSpec
from reports.gates.grammar import Gate, GateError, OnInconclusive, parse_gate
from reports.gating.tolerances import parse_tolerance
from reports.shared.documents import Duration, FormatVersion, Mistake, did_you_mean, duration_text
from reports.shared.errors import UserError

__all__ = [
    "MAX_DRAIN_S",
    "AlertsFile",
    "ExperimentFile",
    "FaultEntryBase",
    "FaultEntryFile",
    "TraceFile",
    "experiment_json_schema",
]

MAX_DRAIN_S: Final = 30.0
"""A drain is at most this long (`docs/measures.md`)."""

LEAST_PHASE_S: Final = 0.1
"""A phase is at least this long, or not there: in less, no call begins and ends."""
LEAST_FAULT_S: Final = 0.001
"""A time of a fault is at least this long: the runner's clock cannot keep a shorter one."""

_NAME: Final = r"^[a-z0-9][a-z0-9-]*$"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _positive(seconds: float) -> float:
    if seconds <= 0:
        raise Mistake("must be more than 0 s", "give a duration, as 2s")
    return seconds


def _phase(seconds: float) -> float:
    if 0 < seconds < LEAST_PHASE_S:
        raise Mistake(
            f"{duration_text(seconds)} is too short for a phase", f"make it at least {duration_text(LEAST_PHASE_S)}"
        )
    return seconds


def _occurs(seconds: float) -> float:
    if 0 < seconds < LEAST_FAULT_S:
        raise Mistake(
            f"{duration_text(seconds)} is too short for a fault", f"make it at least {duration_text(LEAST_FAULT_S)}"
        )
    return _positive(seconds)


PositiveDuration = Annotated[Duration, AfterValidator(_positive)]
PhaseDuration = Annotated[Duration, AfterValidator(_phase)]
FaultDuration = Annotated[Duration, AfterValidator(_occurs)]


# -- load ---------------------------------------------------------------------------------------------------------
def _trace_rate(given: Any) -> float | Literal["recorded"]:
    if given == "recorded":
        return "recorded"
    try:
        rate = float(given)
    except (TypeError, ValueError):
        rate = math.nan
    if isinstance(given, bool) or not 0 < rate <= 10_000:
        raise Mistake("is not a rate", "write sessions a second, up to 10000, or: recorded")
    return rate


TraceRate = Annotated[
    float | Literal["recorded"],
    PlainValidator(_trace_rate),
    WithJsonSchema({"anyOf": [{"type": "number", "exclusiveMinimum": 0, "maximum": 10_000}, {"const": "recorded"}]}),
]


class TraceFile(_Model):
    """Recorded sessions to replay. An absent option has the default of its format, else of
    `loadprofiles.replay.TraceOptions`."""

    dir: str = Field(min_length=1, description="the folder of the recordings, or one file")
    format: Literal["claude-code", "mooncake", "azure", "burstgpt", "tracelab"] | None = Field(
        default=None, description="format of the recordings; detected from their content if absent"
    )
    rate: TraceRate | None = Field(
        default=None, description="sessions a second; or recorded, where the format has start times"
    )
    speed: float | None = Field(default=None, gt=0, lt=1e6, description="divides the times between calls")
    max_pause: Duration | None = Field(default=None, description="the longest pause between calls, after speed")
    shrink: float | None = Field(default=None, gt=0, lt=1e6, description="divides all token counts")
    max_calls: int | None = Field(default=None, ge=1, description="maximum number of calls of an agent")
    limit: int | None = Field(default=None, ge=1, description="maximum number of sessions")
    streaming: Literal["force", "recorded"] | None = Field(
        default=None, description="stream every call, or as recorded"
    )
    skip_bad: bool | None = Field(default=None, description="skip recordings that cannot be read")

    def options(self) -> dict[str, Any]:
        """As `loadprofiles.player.load_config` expects them."""
        given = self.model_dump(exclude_none=True)
        if "max_pause" in given:
            given["max_pause_s"] = given.pop("max_pause")
        return given


class LoadFile(_Model):
    """The load."""

    profile: str = Field(min_length=1, description="a shipped profile, or the path of a profile file")
    trace: TraceFile | None = Field(default=None, description="recorded sessions in place of the profile's")


class SloFile(_Model):
    """What makes a call good."""

    ttft: PositiveDuration = Field(description="maximum time to first token, as 2s")
    tpot: PositiveDuration = Field(description="maximum time per output token, as 100ms")


# -- timeline -----------------------------------------------------------------------------------------------------
class FaultEntryBase(_Model):
    at: Duration = Field(default=0.0, description="begin, from the end of the baseline")
    for_: FaultDuration | None = Field(default=None, alias="for", description="duration, as 15s")
    every: FaultDuration | None = Field(default=None, description="repeat: interval from one begin to the next, as 5s")
    random: FaultDuration | None = Field(
        default=None, description="repeat at seeded random times in this window from at, as 30s"
    )
    times: int | None = Field(default=None, ge=1, le=1000, description="number of repetitions, with every or random")
    one_by_one: bool = Field(default=False, description="one replica each time, in order; with every or random")

    @property
    def specs(self) -> list[FaultSpec]:
        """The kinds of fault in it, with their targets. `chaos.experiment.checks` requires exactly one."""
        return [getattr(self, kind) for kind in KINDS if getattr(self, kind) is not None]


def _with_value(kind: str) -> BeforeValidator:
    def check(given: Any) -> Any:
        if given is None:
            raise Mistake("has no value", f"write what it acts on in braces: {kind}: {{...}}, or remove the key")
        return given

    return BeforeValidator(check)


# One optional field per kind: `KINDS` is the only list of kinds.
_ENTRY: type[FaultEntryBase] = create_model(
    "FaultEntryFile",
    __base__=FaultEntryBase,
    __doc__="One fault: when, how long, and exactly one kind with its targets and parameters.",
    **cast(
        dict[str, Any],
        {
            kind: (Annotated[spec | None, _with_value(kind)], Field(default=None, description=spec.description()))
            for kind, spec in KINDS.items()
        },
    ),
)


if TYPE_CHECKING:
    FaultEntryFile = FaultEntryBase
else:
    FaultEntryFile = _ENTRY


class TimelineFile(_Model):
    """The phases of a run. The fault phase lasts from the first injection to the last verified revert."""

    warmup: PhaseDuration = Field(default=5.0, description="load that is not measured")
    baseline: Annotated[PositiveDuration, AfterValidator(_phase)] = Field(
        default=15.0, description="load without faults, to compare with"
    )
    faults: list[FaultEntryFile] = Field(default=[], description="the faults and their times")
    recovery: PhaseDuration = Field(default=20.0, description="load after the last fault is verified")
    drain: Duration = Field(default=MAX_DRAIN_S, le=MAX_DRAIN_S, description="time for sessions to end, at most 30s")
    confirm_metastable: bool = Field(
        default=False,
        description="if it is still down after the recovery: shed new sessions for a while, then admit them",
    )


# -- alerts -------------------------------------------------------------------------------------------------------
class AlertsFile(_Model):
    """Receives the alerts of your monitoring, as a webhook of Alertmanager on this machine."""

    port: int = Field(ge=0, le=65535, description="the port of 127.0.0.1 that Alertmanager posts to; 0: any free port")
    match: dict[str, str] = Field(
        default={}, description="labels that an alert must have to count: {severity: page}; all count if absent"
    )


# -- gates --------------------------------------------------------------------------------------------------------
def _gate(given: Any) -> Gate:
    on_inconclusive: OnInconclusive | None = None
    if isinstance(given, dict):
        strange = sorted(str(key) for key in given if key not in ("gate", "on_inconclusive"))
        if strange:
            raise Mistake(f'unknown key "{strange[0]}"', did_you_mean(strange[0], ["gate", "on_inconclusive"]))
        if given.get("on_inconclusive") not in (None, "pass", "fail"):
            raise Mistake(f'on_inconclusive: "{given["on_inconclusive"]}" is not known', "write pass or fail")
        on_inconclusive = given.get("on_inconclusive")
        given = given.get("gate")
    if not isinstance(given, str):
        raise Mistake("a gate must be text", "write it as: session_success >= 97%")
    try:
        return parse_gate(given, on_inconclusive)
    except GateError as error:
        raise Mistake(error.message, error.remedy) from None


_GATE_SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "properties": {"gate": {"type": "string"}, "on_inconclusive": {"enum": ["pass", "fail"]}},
            "required": ["gate"],
            "additionalProperties": False,
        },
    ],
    "description": "measure[.stat] [in|during PHASE] [for pool=X] OP VALUE, as: session_success >= 97%",
}
_GUARDRAIL_SCHEMA: Final[dict[str, Any]] = {
    "type": "string",
    "description": "abort if MEASURE OP VALUE for DURATION, as: abort if session_success < 50% for 5s",
}
_TOLERANCE_SCHEMA: Final[dict[str, Any]] = {
    "type": "string",
    "description": "MEASURE[.STAT] [during PHASE]=SIZE, as: ttft.p95=20%, or off",
}


def _tolerance(given: Any) -> str:
    if not isinstance(given, str):
        raise Mistake("a tolerance must be text", "write it as: ttft.p95=20%")
    try:
        parse_tolerance(given)
    except UserError as error:
        what, _, remedy = str(error).partition("\n    ")
        raise Mistake(what, remedy) from None
    return " ".join(given.split())


GateText = Annotated[Gate, PlainValidator(_gate), WithJsonSchema(_GATE_SCHEMA)]
GuardrailText = Annotated[Guardrail, PlainValidator(parse_guardrail), WithJsonSchema(_GUARDRAIL_SCHEMA)]
ToleranceText = Annotated[str, PlainValidator(_tolerance), WithJsonSchema(_TOLERANCE_SCHEMA)]


class ExperimentFile(_Model):
    """An experiment."""

    brownout: FormatVersion = Field(description="the version of the format: 1")
    name: str = Field(pattern=_NAME, max_length=64, description="a short name in lower case, as lose-tpu-pool")
    title: str = Field(min_length=1, description="the hypothesis, in one line")
    description: str = Field(default="", description="what happens in the real world, what to look at, what helps")
    family: str = Field(default="", description="its family in the catalogue, as capacity")
    target: TargetFile = Field(description="the target: {stack: multi-cloud}, or {url: ..., model: ...}")
    load: LoadFile = Field(description="the load: {profile: coding-agent-ci}")
    slo: SloFile = Field(description="what makes a call good: {ttft: 2s, tpot: 100ms}")
    timeline: TimelineFile = TimelineFile()
    alerts: AlertsFile | None = Field(
        default=None, description="receive the alerts of your monitoring during the run: {port: 9099}"
    )
    steady_state: list[GateText] = Field(
        default=[], description="gates on the baseline; if one fails, no fault is injected"
    )
    gates: list[GateText] = Field(min_length=1, description="conditions that must hold")
    headline_gate: str = Field(
        default="", description="the gate whose value summarizes the outage: the text of one of gates"
    )
    guardrails: list[GuardrailText] = Field(default=[], description="conditions that stop the run")
    tolerances: list[ToleranceText] = Field(
        default=[], description="how much worse a measure may become, where brownout gate compares runs: ttft.p95=20%"
    )
    seed: int = Field(default=7, ge=0, lt=2**63, description="seed of every random draw of the run")


def experiment_json_schema() -> dict[str, Any]:
    """The JSON Schema of an experiment file, for editors."""
    schema = ExperimentFile.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "brownout experiment"}
