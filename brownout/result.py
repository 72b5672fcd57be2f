"""What a gate found: the content of `gate.json`, as types. Only the standard library is used.

    Result.read(Path("gate-out")).verdict          # "pass"
    result = brownout.run("lose-tpu-pool"); result.experiments[0].gates[0].why

Shapes: a result has experiments; an experiment has runs, gates, and, beside a baseline or another side, a comparison.
Seconds where a name ends in `_s`. An infinite number is `"never"` or `"-never"` in the file and infinite here; a value
that was not measured is None. The fields are described in `docs/gate-schema.md`.
"""

from __future__ import annotations

import dataclasses
import json
import math
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

__all__ = [
    "SCHEMA",
    "Comparison",
    "ExperimentResult",
    "GateResult",
    "InvalidResult",
    "MeasureChange",
    "PlayedRun",
    "Result",
    "Verdict",
]

SCHEMA: Final = 1
"""Version of `gate.json`. Raised when a field changes its meaning or is removed, not when one is added."""

Verdict = Literal["pass", "fail", "inconclusive", "aborted", "failed", "interrupted"]
"""`aborted`: stopped by a guardrail. `failed`: the target or brownout itself failed."""

Number = float | None
Interval = tuple[float, float] | None


class InvalidResult(Exception):
    """A `gate.json` that cannot be read, or is of another schema. The message names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class PlayedRun:
    """One run. `side`: `base` for the other side of `--against`. `folder`: relative to the result's folder.

    `verdict`: as in report.json, so also `metastable` or `overloaded`. `sound`: its counts may decide: it ended by
    itself, and no doubt about the machine or the fault was so large that it changes what happened. `doubts`: every
    reason why the run decides less than it could. `report`: its page, relative to the result's folder; "" without one.
    """

    folder: str
    side: Literal["head", "base"]
    seed: int
    verdict: str
    exit_code: int
    sound: bool
    started_at: str
    duration_s: float
    why: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    report: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate over the runs of an experiment.

    `value`: of the only run; over several, their mean (geometric for times above zero), or for counts the worst.
    `interval`: at `level`, of the value; None for counts and for exact times of a single run. `values`: of each run of
    the head, in order, None where it was not measured or the run does not count. `unit`: as in report.json. `bound`,
    `op`: of the gate, in the unit of `value`. `steady_state`: a condition before the fault.
    """

    text: str
    measure: str
    title: str
    unit: str
    op: str
    bound: float
    verdict: Literal["pass", "fail", "inconclusive"]
    why: str
    value: Number = None
    interval: Interval = None
    level: float = 0.95
    values: tuple[Number, ...] = ()
    runs_judged: int = 0
    steady_state: bool = False
    headline: bool = False


@dataclass(frozen=True, slots=True)
class MeasureChange:
    """One measure of the head compared with the base, over pairs of runs of the same seed.

    `phase`: None for baseline, fault and recovery together. `here`: of the head, `there`: of the base; None: no run of
    that side has the measure. `change`: the difference here - there in `unit`, or relative to there (0.1: 10 % more)
    where `relative`; None where a side has no value. `interval` and `tolerance` are on the same scale. `tolerance`: how
    much worse is accepted. `better`: which direction is good.
    `verdict`: `pass`: not worse by more than the tolerance; `fail`: a regression. `judged`: False: the measure is only
    shown, and does not count for the verdict of the comparison. `p`: that it is no regression, corrected for the number
    of measures. `spread`: standard deviation between pairs, on the scale of `change`.
    `detectable`: the smallest worsening that these pairs would find with a probability of 99 %; None: unknown.
    """

    measure: str
    title: str
    phase: str | None
    unit: str
    better: Literal["lower", "higher"]
    here: Number
    there: Number
    change: Number
    relative: bool
    tolerance: float
    verdict: Literal["pass", "fail", "inconclusive"]
    why: str
    interval: Interval = None
    p: Number = None
    judged: bool = True
    spread: Number = None
    detectable: Number = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The head compared with a base. `base`: a label: `baseline of 2026-11-28`, `naive`, `nginx:tuned`.

    `source`: `baseline`: stored runs; `interleaved`: runs of both sides in turn. `pairs`: runs of the same seed that
    both sides have and that count. `note`: why nothing is compared, else "".
    """

    base: str
    source: Literal["baseline", "interleaved"]
    pairs: int
    seeds: tuple[int, ...]
    verdict: Literal["pass", "fail", "inconclusive"]
    why: tuple[str, ...]
    measures: tuple[MeasureChange, ...] = ()
    note: str = ""

    @property
    def judged(self) -> tuple[MeasureChange, ...]:
        """The measures that count for the verdict."""
        return tuple(one for one in self.measures if one.judged)

    @property
    def shown(self) -> tuple[MeasureChange, ...]:
        """The measures that do not count for the verdict."""
        return tuple(one for one in self.measures if not one.judged)


@dataclass(frozen=True, slots=True)
class ExperimentResult:
    """One experiment: its verdict over all of its runs, by the gates and by the comparison.

    `target`: a stack, a gateway or a URL. `sentence`: what broke and why, from the run that decided. `helps`: what
    would help, "" where nothing is known. `failures`: the largest groups of failed calls of that run, a line each.
    `commands`: what plays it again, the deciding run first. `looks`: how often the runs were judged, 1 unless
    `--until-decided`. `stopped`: why no further run was played, where more were allowed; else "".
    """

    name: str
    title: str
    target: str
    verdict: Verdict
    exit_code: int
    why: tuple[str, ...]
    gates: tuple[GateResult, ...]
    runs: tuple[PlayedRun, ...]
    duration_s: float
    comparison: Comparison | None = None
    sentence: str = ""
    helps: str = ""
    failures: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    looks: int = 1
    stopped: str = ""

    @property
    def passed(self) -> bool:
        """Whether every gate passed and, if there is a comparison, no measure became worse."""
        return self.verdict == "pass"


@dataclass(frozen=True, slots=True)
class Result:
    """What a gate found, over all experiments. `folder`: where gate.json is; not in the file.

    `exit_code`: 0 pass, 1 fail, 3 inconclusive, 4 aborted, 5 failed, 130 interrupted; the most severe of the
    experiments. `machine`: its class: `2 cores, 8 GB`. `started_at`: ISO 8601, UTC.
    """

    verdict: Verdict
    exit_code: int
    why: tuple[str, ...]
    experiments: tuple[ExperimentResult, ...]
    started_at: str
    duration_s: float
    command: str
    version: str
    machine: str = ""
    schema: int = SCHEMA
    folder: Path = field(default=Path(), compare=False)

    @property
    def passed(self) -> bool:
        """Whether every experiment passed."""
        return self.verdict == "pass"

    def assert_passed(self, *, allow_inconclusive: bool = False) -> None:
        """Raise AssertionError unless every experiment passed.

        Its message says what failed, by how much and why, where the report is, and how to play it again. An
        inconclusive result has not passed, unless `allow_inconclusive`.
        """
        __tracebackhide__ = True  # in pytest's output, the caller's line is the last one
        from brownout.failure import failure_text

        if text := failure_text(self, allow_inconclusive=allow_inconclusive):
            raise AssertionError(text)

    @classmethod
    def read(cls, folder: Path) -> Result:
        """Read `gate.json` in this folder. Raises InvalidResult."""
        path = folder / "gate.json"
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InvalidResult(f"{path}: missing. Make it with: brownout gate EXPERIMENT --out {folder}") from None
        except (OSError, ValueError) as error:
            raise InvalidResult(f"{path}: cannot be read ({error})") from error
        return dataclasses.replace(cls.from_json(data, str(path)), folder=folder)

    @classmethod
    def from_json(cls, data: Any, source: str = "gate.json") -> Result:
        """From the decoded JSON. Fields that are not known here are ignored. Raises InvalidResult."""
        found = data.get("schema") if isinstance(data, dict) else None
        if found != SCHEMA:
            raise InvalidResult(f"{source}: schema {found}; this brownout reads schema {SCHEMA}. Play the gate again")
        try:
            made: Result = _decoded(cls, data)
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidResult(f"{source}: not a result of brownout gate ({error!r})") from error
        return made

    def to_json(self) -> dict[str, Any]:
        """The content of gate.json: numbers that JSON has no form for become `"never"`, `"-never"` or null."""
        encoded: dict[str, Any] = _encoded(self)
        del encoded["folder"]
        return encoded


def _encoded(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: _encoded(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [_encoded(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "never" if value > 0 else "-never"
    return str(value) if isinstance(value, Path) else value


def _decoded(kind: Any, value: Any) -> Any:
    """A value of this type from JSON. Raises KeyError, TypeError or ValueError where it does not fit."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        given = {
            one.name: _decoded(hints[one.name], value[one.name])
            for one in dataclasses.fields(kind)
            if one.name in value or _required(one)
        }
        return kind(**given)  # type: ignore[operator]
    if origin in (types.UnionType, typing.Union):
        inner = [one for one in arguments if one is not type(None)]
        return None if value is None else _decoded(inner[0], value)
    if origin is tuple:
        if not isinstance(value, list):
            raise TypeError(f"{value!r} is no list")
        if arguments[-1] is Ellipsis:
            return tuple(_decoded(arguments[0], one) for one in value)
        return tuple(_decoded(one, its) for one, its in zip(arguments, value, strict=True))
    if origin is Literal:
        if value not in arguments:
            raise ValueError(f"{value!r} is none of {', '.join(map(repr, arguments))}")
        return value
    if kind is float:
        if value in ("never", "-never"):
            return -math.inf if value.startswith("-") else math.inf
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"{value!r} is no number")
        return float(value)
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


def _required(one: dataclasses.Field[Any]) -> bool:
    return one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
