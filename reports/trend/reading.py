"""Finds the runs below folders and reads of each `report.json` what a history needs; each file is read once.

A report that cannot be read, or is of another version, is skipped and named. A link to a folder below the given ones is
not followed (`runs/latest`), and a run that several of the given folders contain counts once.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec

from reports.comparison.conditions import Conditions, conditions_of
from reports.shared.attributes import ABORTED_BY_HAND, STOPPED_BY_GUARDRAIL
from reports.shared.errors import UserError
from reports.shared.regular_file import read_regular

__all__ = ["SCHEMA", "GateValue", "MeasureValues", "Skipped", "TrendRun", "find_reports", "number_of", "read_runs"]

SCHEMA: Final = 3
"""The version of report.json that is read; a test holds it equal to `reports.report.build.SCHEMA`, slow to import."""

REPORT: Final = "report.json"

Number = float | str | None
"""A number of report.json: "never" and "-never" are infinite."""


class Value(msgspec.Struct, frozen=True):
    """A measure over the run or in a phase."""

    value: Number = None


class MeasureValues(msgspec.Struct, frozen=True):
    """A measure of a report. `phases`: by the name of the phase."""

    title: str
    unit: str
    run: Value
    phases: dict[str, Value]


class GateValue(msgspec.Struct, frozen=True):
    """A gate of a report."""

    text: str
    measure: str
    title: str
    unit: str
    verdict: str
    op: str
    bound: float | str
    phase: str | None = None
    where: str | None = None
    value: Number = None
    factor: Number = None
    relative_to_baseline: bool = False


class _Verdict(msgspec.Struct, frozen=True):
    verdict: str
    exit_code: int
    why: list[str]


class _Proofs(msgspec.Struct, frozen=True):
    doubts: list[str] = []
    machine_doubts: list[str] = []
    severe_doubts: list[str] = []


class _Fault(msgspec.Struct, frozen=True):
    doubts: list[str] = []


class _Report(msgspec.Struct, frozen=True):
    """What is decoded; the rest of the file, most of it, is passed over."""

    schema: int
    run: dict[str, Any]
    verdict: _Verdict
    gates: list[GateValue]
    phases: list[dict[str, Any]]
    measures: dict[str, MeasureValues]
    proofs: _Proofs
    faults: list[_Fault] = []


class _Version(msgspec.Struct, frozen=True):
    schema: Any = None


class _GateRun(msgspec.Struct, frozen=True):
    folder: str = ""
    side: str = "head"


class _GateExperiment(msgspec.Struct, frozen=True):
    runs: list[_GateRun] = []


class _Gate(msgspec.Struct, frozen=True):
    """What is read of a gate.json."""

    version: str = ""
    experiments: list[_GateExperiment] = []


_BROKEN_OFF: Final = frozenset({"aborted", "failed", "interrupted"})
"""Verdicts of runs that did not come to their end."""
_STOPPED: Final = (STOPPED_BY_GUARDRAIL, ABORTED_BY_HAND)
"""Reasons of a run that was stopped early, also where a gate that failed gave it its verdict."""

_DECODER: Final = msgspec.json.Decoder(_Report)


@dataclass(frozen=True, slots=True)
class TrendRun:
    """One run of a history.

    `run`: the part `run` of the report. `doubts`: all, of which `machine_doubts` are about the machine, and
    `severe_doubts` so large that they change what happens. `fault_doubts`: a fault was not a valid test. `version`: of
    brownout, where the report or the gate.json above the run says it; else "". `side`: `base` for a run of the other
    side of a gate, else `head`.
    """

    folder: Path
    run: dict[str, Any]
    verdict: str
    exit_code: int
    why: tuple[str, ...]
    conditions: Conditions
    gates: tuple[GateValue, ...]
    measures: dict[str, MeasureValues]
    doubts: tuple[str, ...]
    machine_doubts: tuple[str, ...]
    severe_doubts: tuple[str, ...]
    fault_doubts: tuple[str, ...]
    version: str
    side: str

    @property
    def broken_off(self) -> bool:
        """Whether it did not come to its end: its phases have other lengths, and its measures mean little."""
        return self.verdict in _BROKEN_OFF or any(one.startswith(_STOPPED) for one in self.why)

    @property
    def started_at(self) -> str:
        return str(self.run["started_at"])


@dataclass(frozen=True, slots=True)
class Skipped:
    """A report that was not read, and why."""

    path: Path
    why: str


def find_reports(folders: Sequence[Path]) -> Iterator[Path]:
    """Every report.json below these folders, in the order of their paths.

    A folder inside the folder of a run is not searched. Raises UserError for a folder that cannot be read.
    """
    seen: set[str] = set()
    for folder in folders:
        if not folder.is_dir():
            what = "is a file" if folder.exists() else "is not there"
            raise UserError(f"{folder}: {what}. Name a folder with runs, such as runs")
        try:
            os.listdir(folder)
        except OSError as error:
            raise UserError(f"{folder}: cannot be read ({error.strerror}). Name a folder with runs") from error
        for root, inner, files in os.walk(folder):
            inner.sort()
            if REPORT in files:
                inner.clear()
                real = os.path.realpath(root)
                if real not in seen:
                    seen.add(real)
                    yield Path(root, REPORT)


def read_runs(folders: Sequence[Path]) -> tuple[list[TrendRun], list[Skipped]]:
    """All runs below these folders, and the reports that were skipped. Raises UserError if there is no run at all.

    Runs of the other side of a gate are left out: they say nothing about the stack under test.
    """
    runs: list[TrendRun] = []
    skipped: list[Skipped] = []
    for path in find_reports(folders):
        found = read_run(path)
        if isinstance(found, Skipped):
            skipped.append(found)
        elif found.side == "head":
            runs.append(found)
    if not runs:
        named = ", ".join(map(str, folders))
        if skipped:
            first = f"{skipped[0].path}: {skipped[0].why}"
            raise UserError(f"{named}: none of the {len(skipped)} reports here can be read. The first: {first}")
        remedy = "Name the folder of --runs or --out, or make the report of a run with: brownout report RUN"
        raise UserError(f"{named}: no run with a {REPORT} is here. {remedy}")
    return runs, skipped


def read_run(path: Path) -> TrendRun | Skipped:
    """The run of one report.json."""
    folder = path.parent
    remedy = f"Make it again with: brownout report {folder}"
    try:
        content = read_regular(path)
    except OSError as error:
        return Skipped(path, f"cannot be read ({error.strerror or error})")
    try:
        report = _DECODER.decode(content)
        if report.schema != SCHEMA:
            raise msgspec.ValidationError
        conditions = conditions_of(report.run, report.phases)
        started = report.run["started_at"]
        if not isinstance(started, str):
            raise TypeError("run.started_at is no text")
    except msgspec.ValidationError as error:
        other = _version(content)
        if other != str(SCHEMA):
            return Skipped(path, f"report version {other}; this brownout reads version {SCHEMA}. {remedy}")
        return Skipped(path, f"damaged ({error}). {remedy}")
    except KeyError as error:
        return Skipped(path, f"damaged ({error.args[0]!r} is missing). {remedy}")
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        return Skipped(path, f"damaged ({error}). {remedy}")
    return TrendRun(
        folder=folder,
        run=report.run,
        verdict=report.verdict.verdict,
        exit_code=report.verdict.exit_code,
        why=tuple(report.verdict.why),
        conditions=conditions,
        gates=tuple(report.gates),
        measures=report.measures,
        doubts=tuple(report.proofs.doubts),
        machine_doubts=tuple(report.proofs.machine_doubts),
        severe_doubts=tuple(report.proofs.severe_doubts),
        fault_doubts=tuple(doubt for fault in report.faults for doubt in fault.doubts),
        version=str(report.run.get("version") or "") or _gate_above(folder).version,
        side=_side(folder),
    )


def number_of(value: Number) -> float | None:
    """A number of a report as a float; None where it was not measured or is no number."""
    if isinstance(value, str):
        return {"never": float("inf"), "-never": float("-inf")}.get(value)
    return value


def _version(content: bytes) -> str:
    """The version that a report names, as text."""
    try:
        found = msgspec.json.decode(content, type=_Version).schema
    except msgspec.DecodeError:
        return "unknown"
    return "none" if found is None else str(found)[:20]


def _side(run: Path) -> str:
    """`base` for a run of the other side of a gate, else `head`."""
    runs = [one for experiment in _gate_above(run).experiments for one in experiment.runs]
    return next((one.side for one in runs if Path(one.folder).name == run.name), "head")


def _gate_above(run: Path) -> _Gate:
    """The gate.json above the folder of a run; an empty one where there is none that can be read."""
    return _gate(run.parent.parent) if run.parent.name == "runs" else _Gate()


@lru_cache(maxsize=4096)
def _gate(folder: Path) -> _Gate:
    try:
        return msgspec.json.decode(read_regular(folder / "gate.json"), type=_Gate)
    except (OSError, msgspec.DecodeError):
        return _Gate()
