"""The format of a scenario file, checked by pydantic. `chaos.gameday.scenario.model` gives it its meaning.

    brownout: 1
    scenario: slow-chip                 its name: lower case, digits, hyphens
    title: One chip is slow             for the game master
    public_title: Game day              for everybody: tells nothing; this is the default
    family: grey-failure                for --draw
    description: |                      for the game master: what happens, what to look at, what helps
    briefing: |                         for everybody, before the start: tells nothing
    target: {stack: game-day}           as in an experiment
    load: {profile: game-day}           as in an experiment
    slo: {ttft: 2s, tpot: 100ms}        as in an experiment
    length: 20m
    faults:
      - id: slow                        optional; f1, f2, ... if absent
        at: 3m
        for: 12m                        optional: until it is repaired or reverted, or the exercise ends
        slow_decode: {replica: tpu-1, factor: 8}
        repair: [{restart: tpu-1}]      optional: what repairs its kind; []: nothing does
    hints:
      - {after: 8m, unless: diagnosed, text: "..."}
    events:
      - {at: 6m, who: Customer support, answer_within: 2m, text: "..."}
    findings: ["..."]                   what the exercise should bring to light
    branches:
      - at: 14m
        when: not_repaired
        text: for the game master
        faults: [...]                   `at` is that of the branch if absent
        hints: [...]
        events: [...]
        end: true                       optional: the exercise ends then
    guardrails: ["abort if session_success < 5% for 60s"]
    seed: 7

Every time counts from the start of the exercise, on the clock of the run sheet, which a hold stops. `unless` and `when`
are conditions of people: `noticed`, `diagnosed`, `repaired`, and for `when` also `not_noticed`, `not_diagnosed`,
`not_repaired`. Restarts that repair a fault count together; each other operation of `repair` is enough by itself.
Texts are plain text: markup in them is shown as it is written.

Only mistakes within one value are found here; those between several values, or between the file and its target, are
found in the other modules of this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, create_model

from chaos.experiment.checks import MAX_RUN_S
from chaos.experiment.file import FaultEntryFile, GuardrailText, SloFile
from chaos.experiment.target_format import TargetFile
from chaos.faults.catalogue import KINDS
from chaos.gameday.core.arguments import MAX_TEXT, free_text
from chaos.gameday.core.operations import OPERATIONS
from chaos.gameday.core.plan import PUBLIC_TITLE, Repair
from chaos.gameday.scenario.repair_text import read_repair
from reports.shared.documents import Duration, FormatVersion, Mistake, duration_text
from reports.shared.errors import UserError

__all__ = ["BranchFile", "EventFile", "HintFile", "ScenarioFaultFile", "ScenarioFile"]

_NAME: Final = r"^[a-z0-9][a-z0-9-]*$"
_LONGEST_TITLE: Final = 120


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _text(given: Any) -> Any:
    if not isinstance(given, str):
        return given  # pydantic says that it must be text
    try:
        return free_text(given, "the text")
    except UserError as error:
        what, _, remedy = str(error).partition("\n    ")
        raise Mistake(what, remedy or f"write 1 to {MAX_TEXT:,} characters") from None


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    if len(line) > _LONGEST_TITLE:
        raise Mistake(f"has {len(line)} characters", f"write at most {_LONGEST_TITLE}")
    return line


def _length(seconds: float) -> float:
    if not 0 < seconds <= MAX_RUN_S:
        most = duration_text(MAX_RUN_S)
        raise Mistake(f"{duration_text(seconds)} is no length of an exercise", f"write up to {most}, as 20m")
    return seconds


def _positive(seconds: float) -> float:
    if seconds <= 0:
        raise Mistake("must be more than 0 s", "give a duration, as 2m")
    return seconds


Text = Annotated[str, BeforeValidator(_text)]
Line = Annotated[str, BeforeValidator(_text), AfterValidator(_one_line)]
Positive = Annotated[Duration, AfterValidator(_positive)]


def _repairs(given: Any) -> Any:
    if not isinstance(given, list):
        raise Mistake("must be a list", "write repair: [{restart: tpu-1}], or repair: [] where nothing repairs it")
    return [repair for entry in given for repair in read_repair(entry)]


_REPAIR_SCHEMA: Final[dict[str, Any]] = {
    "type": "array",
    "items": {
        "anyOf": [
            {"const": "restart_gateway"},
            {
                "type": "object",
                "properties": {
                    name: {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
                    for name in OPERATIONS
                },
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
            },
        ]
    },
}
Repairs = Annotated[Any, BeforeValidator(_repairs), WithJsonSchema(_REPAIR_SCHEMA)]


class ScenarioLoadFile(_Model):
    """The load."""

    profile: str = Field(min_length=1, description="a shipped profile, or the path of a profile file")


class ScenarioFaultBase(_Model):
    id: str | None = Field(default=None, pattern=_NAME, max_length=40, description="its name on the run sheet")
    at: Duration | None = Field(default=None, description="when it begins, from the start of the exercise, as 3m")
    for_: Positive | None = Field(
        default=None, alias="for", description="how long it lasts; until it is repaired or the exercise ends if absent"
    )
    repair: Repairs | None = Field(
        default=None, description="operations that end it; what repairs its kind if absent; []: nothing does"
    )

    @property
    def repairs(self) -> tuple[Repair, ...] | None:
        """What repairs it; None: what repairs its kind."""
        return None if self.repair is None else tuple(self.repair)


# One optional field per kind, with the types of an experiment's entry: `KINDS` is the only list of kinds.
_ENTRY: type[ScenarioFaultBase] = create_model(
    "ScenarioFaultFile",
    __base__=ScenarioFaultBase,
    __doc__="One fault: when it begins, exactly one kind with its targets and parameters, and what repairs it.",
    **cast(
        dict[str, Any],
        {
            kind: (Annotated[field.annotation, *field.metadata], Field(default=None, description=field.description))
            for kind, field in cast(Any, FaultEntryFile).model_fields.items()
            if kind in KINDS
        },
    ),
)

if TYPE_CHECKING:
    ScenarioFaultFile = ScenarioFaultBase
else:
    ScenarioFaultFile = _ENTRY


class HintFile(_Model):
    """A text that helps."""

    after: Duration = Field(description="when it is given, from the start of the exercise, as 6m")
    text: Text = Field(description="the hint")
    unless: Literal["noticed", "diagnosed", "repaired"] | None = Field(
        default=None, description="not given if this is so already"
    )


class EventFile(_Model):
    """An event that people must answer."""

    at: Duration = Field(description="when it comes, from the start of the exercise, as 6m")
    who: Line = Field(description="who asks, as A customer")
    text: Text = Field(description="what this one says")
    answer_within: Positive | None = Field(default=None, description="how soon an answer is expected, as 2m")


class BranchFile(_Model):
    """What also happens where a condition holds at a time."""

    at: Duration = Field(description="when the condition is looked at, from the start of the exercise")
    when: Literal["noticed", "not_noticed", "diagnosed", "not_diagnosed", "repaired", "not_repaired"] = Field(
        description="the condition, as not_repaired"
    )
    text: Text = Field(description="what it is for: for the game master")
    faults: list[ScenarioFaultFile] = Field(default=[], description="faults that are played then, or later")
    hints: list[HintFile] = Field(default=[], description="hints from then on")
    events: list[EventFile] = Field(default=[], description="events from then on")
    end: bool = Field(default=False, description="whether the exercise ends then")


class ScenarioFile(_Model):
    """A scenario of a game day."""

    brownout: FormatVersion = Field(description="the version of the format: 1")
    scenario: str = Field(pattern=_NAME, max_length=64, description="a short name in lower case, as slow-chip")
    title: Line = Field(description="what happens, in one line: for the game master")
    public_title: Line = Field(default=PUBLIC_TITLE, description="the title for everybody: it tells nothing")
    family: str = Field(default="", max_length=64, description="its family in the catalogue, for --draw")
    description: Text = Field(default="", description="for the game master: what happens, what to look at, what helps")
    briefing: Text = Field(default="", description="for everybody before the start: it tells nothing")
    target: TargetFile = Field(description="the target: {stack: game-day}")
    load: ScenarioLoadFile = Field(description="the load: {profile: game-day}")
    slo: SloFile = Field(description="what makes a call good: {ttft: 2s, tpot: 100ms}")
    length: Annotated[Duration, AfterValidator(_length)] = Field(description="how long it lasts, as 20m")
    faults: list[ScenarioFaultFile] = Field(min_length=1, description="the faults and their times")
    hints: list[HintFile] = Field(default=[], description="texts that help, and when they are given")
    events: list[EventFile] = Field(default=[], description="events that people must answer")
    findings: list[Text] = Field(default=[], max_length=50, description="what it should bring to light")
    branches: list[BranchFile] = Field(default=[], description="what also happens where a condition holds")
    guardrails: list[GuardrailText] = Field(default=[], description="conditions that abort the exercise")
    seed: int = Field(default=7, ge=0, lt=2**63, description="seed of every random draw")
