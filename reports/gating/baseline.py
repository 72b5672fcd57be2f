"""The file of stored runs that later runs are compared with: `brownout baseline save` writes it.

It is JSON, and holds one baseline for each experiment and target: at least five sound runs with different seeds, the
conditions and the class of machine under which they were played, the tolerances declared then, and how far the runs
differ from each other. `docs/regressions.md` documents its fields.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from reports.comparison.chance import MIN_PAIRS
from reports.comparison.conditions import Conditions, conditions_of, mismatches
from reports.gating.run_values import Cell, RunValues, run_values
from reports.gating.tolerances import DEFAULTS, Tolerance
from reports.shared.errors import UserError
from reports.shared.plain_text import printable_line
from reports.shared.regular_file import read_regular
from reports.shared.whole_file import write_whole
from reports.shared.wording import names_text

__all__ = [
    "SCHEMA",
    "Baseline",
    "BaselineFile",
    "RunSpread",
    "baseline_notes",
    "check_applies",
    "find_baseline",
    "make_baseline",
    "read_baselines",
    "with_baseline",
    "write_baselines",
]

SCHEMA: Final = 1
"""Version of the file. Raised when a field changes its meaning or is removed."""

_SAVE: Final = "Make one with: brownout baseline save"
_MOST_BYTES: Final = 64 * 2**20
"""A baseline has some 20 KB a run: what is so much larger is another file."""


class RunSpread(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far runs of different seeds differ in a measure: mean and standard deviation.

    `relative`: the mean is geometric, and `sd` a share of it; else both are in the unit of the measure.
    """

    mean: float
    sd: Annotated[float, Meta(ge=0)]
    relative: bool


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The stored runs of one experiment on one target.

    `machine`: its class, as in the report's `run.machine`. `version`: of brownout. `report_schema`: of the reports that
    the values are from: measures of another schema have other definitions. `saved_at`: ISO 8601, UTC. `runs`: sound
    runs with different seeds. `tolerances`: as declared at that time. `spread`: by measure and phase; what was infinite
    or not measured in a run has none.
    """

    conditions: Conditions
    machine: str
    version: str
    report_schema: int
    saved_at: str
    runs: Annotated[list[RunValues], Meta(min_length=MIN_PAIRS)]
    tolerances: list[Tolerance]
    spread: dict[str, dict[Cell, RunSpread]]

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of its runs: later runs are played with these."""
        return tuple(run.seed for run in self.runs)

    @property
    def label(self) -> str:
        """`baseline of 2026-11-28`."""
        return f"baseline of {self.saved_at[:10]}"


class BaselineFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of a file of baselines."""

    schema: Literal[1]
    baselines: Annotated[list[Baseline], Meta(min_length=1)]


def make_baseline(
    reports: Sequence[Mapping[str, Any]],
    tolerances: Sequence[Tolerance] = DEFAULTS,
    *,
    version: str,
    saved_at: str,
) -> Baseline:
    """A baseline from the reports of runs of one experiment. Of several runs with one seed, the last sound one counts.

    Raises UserError where too few runs count, or where they are not repetitions of each other.
    """
    if not reports:
        raise UserError(f"a baseline needs at least {MIN_PAIRS} runs; there are none")
    try:
        runs = [run_values(report) for report in reports]
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"a run has no report that can be compared ({error!r}). Give runs of experiments") from error
    counted = {run.seed: (run, report) for run, report in _by_start(runs, reports) if run.sound}
    if problems := _mixed([report for _, report in counted.values()] or list(reports)):
        raise UserError(f"these runs are no repetitions: {'; '.join(problems)}\n    Give runs of one experiment")
    if len(counted) < MIN_PAIRS:
        reasons = list(dict.fromkeys(run.why for run in runs if not run.sound))
        why = [_seeds_text([run.seed for run in runs if not run.sound and run.why == one], one) for one in reasons]
        twice = sum(run.sound for run in runs) - len(counted)
        why += [f"{twice} with a seed that another run has"] if twice else []
        left = f". Not counted: {'; '.join(why)}" if why else ""
        raise UserError(
            f"{len(counted)} of {len(reports)} runs count; a baseline needs at least {MIN_PAIRS} with different seeds"
            f"{left}\n    Play more seeds: brownout gate EXPERIMENT --repeat {max(MIN_PAIRS, len(reports))}"
        )
    kept = [counted[seed] for seed in sorted(counted)]
    first = kept[0][1]
    return Baseline(
        conditions=conditions_of(first["run"], first["phases"]),
        machine=str(first["run"].get("machine") or ""),
        version=version,
        report_schema=int(first.get("schema") or 0),
        saved_at=saved_at,
        runs=[run for run, _ in kept],
        tolerances=list(tolerances),
        spread=_spread([run for run, _ in kept], tolerances),
    )


def baseline_notes(baseline: Baseline) -> list[str]:
    """What whoever saves a baseline should know, each as a sentence; empty where there is nothing."""
    doubtful = sum(run.doubtful for run in baseline.runs)
    notes = []
    if len(baseline.runs) - doubtful < MIN_PAIRS:
        notes.append(
            f"the machine was in doubt in {doubtful} of {len(baseline.runs)} runs: times cannot be compared with this"
            " baseline. Save it from runs on a quiet machine"
        )
    if baseline.conditions.short_form:
        notes.append(
            "its runs are short forms (smoke runs of a few seconds): few measures vary little enough to decide"
        )
    return notes


def check_applies(
    baseline: Baseline,
    played: Conditions,
    machine: str,
    *,
    report_schema: int | None = None,
) -> list[str]:
    """Why runs under these conditions do not compare with a baseline, each as a sentence; empty if they do.

    `report_schema`: None: not checked.
    """
    stored = baseline.conditions
    problems = mismatches([stored, played])
    if stored.twin != played.twin:
        problems.append("only one of both sides was played without the faults")
    if stored.target != played.target:
        problems.append(f"the baseline is of {stored.target}, these runs are on {played.target}")
    if not baseline.machine or baseline.machine != machine:
        ours, theirs = machine or "an unknown machine", baseline.machine or "an unknown machine"
        problems.append(
            f"the baseline was played on {theirs}, these runs on {ours}: play both sides on one machine (--against)"
        )
    if report_schema is not None and report_schema != baseline.report_schema:
        problems.append(
            f"the baseline was saved by brownout {baseline.version}, which defines some measures differently:"
            " save it again"
        )
    return problems


def find_baseline(file: BaselineFile, experiment: str, target: str) -> tuple[Baseline | None, str]:
    """The baseline of an experiment on a target, or None and why there is none."""
    own = [one for one in file.baselines if one.conditions.experiment == experiment]
    for one in own:
        if one.conditions.target == target:
            return one, ""
    if not own:
        names = names_text(sorted({one.conditions.experiment for one in file.baselines}))
        return None, f"it has no baseline of {experiment}, only of {names}"
    targets = names_text([one.conditions.target for one in own])
    return None, f"its baseline of {experiment} is of {targets}, not of {target}"


def with_baseline(file: BaselineFile | None, baseline: Baseline) -> BaselineFile:
    """The file with this baseline in place of an earlier one of the same experiment and target."""
    key = _key(baseline)
    others = [one for one in file.baselines if _key(one) != key] if file is not None else []
    return BaselineFile(SCHEMA, sorted([*others, baseline], key=_key))


def write_baselines(path: Path, file: BaselineFile) -> Path:
    """Write the file as a whole, and return its path. Raises UserError where that fails."""
    content = msgspec.json.format(msgspec.json.encode(_map_values(msgspec.to_builtins(file), _to_text)), indent=1)
    try:
        return write_whole(path, content + b"\n")
    except OSError as error:
        why = error.strerror or error
        raise UserError(f"{path}: cannot be written: {why}\n    Give a folder that exists and is writable") from error


def read_baselines(path: Path) -> BaselineFile:
    """Read a file of baselines. Raises UserError for one that is missing or not valid, with what to do."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UserError(f"{path}: is too large for a file of baselines. {_SAVE}")
        content = read_regular(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}. {_SAVE}") from error
    try:
        data = msgspec.json.decode(content)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: is not JSON ({_brief(error)}). {_SAVE}") from error
    schema = data.get("schema") if isinstance(data, dict) else None
    if "baselines" not in (data if isinstance(data, dict) else ()):
        raise UserError(f"{path}: is not a file of baselines. {_SAVE}")
    if schema != SCHEMA or isinstance(schema, bool):
        raise UserError(
            f"{path}: schema {_brief(schema)}; this brownout reads schema {SCHEMA}. Save the baseline again with it"
        )
    try:
        file = msgspec.convert(_map_values(data, _to_number), type=BaselineFile)
    except (msgspec.ValidationError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: is not a file of baselines ({_brief(error)}). {_SAVE}") from error
    for one in file.baselines:
        if problem := _broken(one):
            raise UserError(f"{path}: its baseline of {_brief(one.conditions.experiment)} {problem}. Save it again")
    if len({_key(one) for one in file.baselines}) < len(file.baselines):
        raise UserError(f"{path}: two baselines are of the same experiment and target. Save it again")
    return file


def _key(baseline: Baseline) -> tuple[str, str, bool]:
    return baseline.conditions.experiment, baseline.conditions.target, baseline.conditions.twin


def _brief(what: object) -> str:
    text = printable_line(str(what))
    return text if len(text) <= 200 else f"{text[:200]}..."


def _seeds_text(seeds: Sequence[int], why: str) -> str:
    return f"seed{'s' if len(seeds) > 1 else ''} {names_text([str(seed) for seed in seeds])}: {why}"


def _by_start(
    runs: Sequence[RunValues], reports: Sequence[Mapping[str, Any]]
) -> list[tuple[RunValues, Mapping[str, Any]]]:
    return sorted(zip(runs, reports, strict=True), key=lambda one: (not one[0].doubtful, one[0].started_at))


def _mixed(reports: Sequence[Mapping[str, Any]]) -> list[str]:
    played = [conditions_of(report["run"], report["phases"]) for report in reports]
    problems = mismatches(played)
    for what, values in (
        ("targets", {one.target for one in played}),
        ("machines", {str(report["run"].get("machine") or "an unknown machine") for report in reports}),
        ("versions of report.json", {str(report.get("schema") or "unknown") for report in reports}),
    ):
        if len(values) > 1:
            problems.append(f"the runs have different {what}: {', '.join(sorted(values))}")
    if len({one.twin for one in played}) > 1:
        problems.append("only some of the runs are twins without the faults")
    return problems


def _spread(runs: Sequence[RunValues], tolerances: Iterable[Tolerance]) -> dict[str, dict[Cell, RunSpread]]:
    found: dict[str, dict[Cell, RunSpread]] = {}
    for one in tolerances:
        values = [run.value(one.measure, one.phase) for run in runs]
        known = [value for value in values if value is not None and math.isfinite(value)]
        if len(known) == len(runs):
            found.setdefault(one.measure, {})[one.phase or "run"] = _spread_of(known, one.relative and min(known) > 0)
    return found


def _spread_of(values: Sequence[float], relative: bool) -> RunSpread:
    scaled = [math.log(value) if relative else value for value in values]
    mean = math.fsum(scaled) / len(scaled)
    sd = math.sqrt(math.fsum((one - mean) ** 2 for one in scaled) / (len(scaled) - 1))
    return RunSpread(math.exp(mean), math.expm1(sd), True) if relative else RunSpread(mean, sd, False)


def _broken(baseline: Baseline) -> str:
    """What is wrong with a baseline beyond its form, to follow its name; "" if nothing is."""
    if len(set(baseline.seeds)) < len(baseline.runs):
        return "has two runs with one seed"
    if not all(run.sound for run in baseline.runs):
        return "has a run that may not decide"
    for one in baseline.tolerances:
        try:
            known = bool(one.unit)
        except ValueError:
            known = False
        if not known:
            return f"has a tolerance for {_brief(one.measure)}, which this brownout does not measure"
    return ""


def _map_values(data: Any, change: Any) -> Any:
    """The data with each value of a measure of a run changed: JSON has no infinite numbers."""
    for baseline in _items(data, "baselines"):
        for run in _items(baseline, "runs"):
            measures = run.get("measures") if isinstance(run, dict) else None
            for cells in measures.values() if isinstance(measures, dict) else ():
                if isinstance(cells, dict):
                    cells.update({cell: change(value) for cell, value in cells.items()})
    return data


def _items(data: Any, key: str) -> list[Any]:
    found = data.get(key) if isinstance(data, dict) else None
    return found if isinstance(found, list) else []


def _to_text(value: float) -> float | str:
    return value if math.isfinite(value) else "never" if value > 0 else "-never"


def _to_number(value: Any) -> Any:
    return {"never": math.inf, "-never": -math.inf}.get(value, value) if isinstance(value, str) else value
