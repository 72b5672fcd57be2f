"""`brownout run X --twin`: a run, then its twin: the same seed without the faults.

The run comes first, so that the twin can have phases of the same length (reverting a fault takes time). Each run starts
its own processes, so that all caches are cold. The run is analysed after the twin: its report says what the faults
changed. `twin.json` in its folder holds the twin's good calls by phase.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from chaos.cli.console import shell_path
from chaos.cli.lasting_output import nonblocking_output
from chaos.cli.output import Output
from chaos.cli.play import PlayedRun, Recorded, conclude, played_run, record
from chaos.experiment.model import Experiment, TwinOf
from chaos.runner.analysis_child import AnalysisChild
from reports.comparison.spread import SPREAD_FILE
from reports.shared.errors import BrownoutError, TargetFailed, UserError

__all__ = ["play_with_twin", "twin_facts", "twin_of"]

INTERRUPTED = 130
PHASES = ("baseline", "fault", "recovery")


def play_with_twin(output: Output, experiment: Experiment, *, command: str, spread: Path | None = None) -> PlayedRun:
    """Play an experiment, then its twin; print the verdict and the differences. Returns the run, not its twin.

    `spread`: a file of spreads; a copy is kept in the folder of the run, for later reports of it. Raises UserError for
    an experiment without faults, and if a folder cannot be made.
    """
    if not experiment.faults:
        raise UserError(f"{experiment.path}: --twin needs an experiment with at least one fault")
    console = output.console
    content = spread.read_bytes() if spread is not None else None
    played = record(output, experiment, command=command)
    if content is not None:
        (played.folder / SPREAD_FILE).write_bytes(content)
    if played.ended is not None:
        console.print(Text("the run ended early: its twin is not played", style="yellow"))
        return played_run(played, conclude(console, played))
    try:
        if _play_twin(output, experiment, played, command=command) == INTERRUPTED:
            return played_run(played, _interrupted(console, played))
    except KeyboardInterrupt:  # in the analysis of the twin
        return played_run(played, _interrupted(console, played))
    except BrownoutError as error:  # the run itself is complete: it is judged without its twin
        console.print(Text(f"comparison with the twin not possible: {error}", style="bold red"))
    return played_run(played, conclude(console, played))


def _interrupted(console: Console, played: Recorded) -> int:
    if played.analysis is not None:
        played.analysis.abandon()
    command = f"brownout report {shell_path(played.folder)}"
    with nonblocking_output():
        text = f"the twin was interrupted; the run is complete. Its report: {command}"
        console.print(Text(text), soft_wrap=True)
    return INTERRUPTED


def _play_twin(output: Output, experiment: Experiment, played: Recorded, *, command: str) -> int:
    output.console.print(Text("twin: the same seed without the faults", style="bold"))
    twin = record(output, twin_of(experiment, played.folder), command=command)
    if twin.ended is not None:
        if twin.analysis is not None:
            twin.analysis.abandon()
        if twin.interrupted:
            return INTERRUPTED
        raise TargetFailed(f"the twin ended early: {twin.ended.why}")
    (twin.analysis or AnalysisChild(twin.folder)).finish()
    report = json.loads((twin.folder / "report.json").read_bytes())
    (played.folder / "twin.json").write_text(json.dumps(twin_facts(twin.folder, report), indent=1) + "\n")
    return 0


def twin_of(experiment: Experiment, folder: Path) -> Experiment:
    """The experiment without its faults, with phases as long as those of the run recorded in `folder`."""
    began_s = dict(_phases(folder))
    timeline = replace(
        experiment.timeline,
        baseline_s=began_s["fault"] - began_s["baseline"],
        recovery_s=began_s.get("shedding", began_s["drain"]) - began_s["recovery"],
    )
    return replace(
        experiment,
        name=f"{experiment.name}-twin",
        title=f"{experiment.title} (twin: without the faults)",
        timeline=timeline,
        faults=(),
        steady_state=(),
        gates=tuple(gate for gate in experiment.gates if not gate.spec.about_fault),
        twin_of=TwinOf(folder.name, began_s["recovery"] - began_s["fault"]),
    )


def _phases(folder: Path) -> Iterator[tuple[str, float]]:
    """Each phase of a record and its begin, in seconds of wall time."""
    for line in (folder / "events.jsonl").read_text().splitlines():
        event: dict[str, Any] = json.loads(line)
        if event["type"] == "phase":
            yield event["phase"], event["at"] / 1e9


def twin_facts(folder: Path, report: Mapping[str, Any]) -> dict[str, Any]:
    """`twin.json`: the twin's folder, seed and verdict, and its good calls by phase."""
    shares = report["measures"]["slo_attainment"]["phases"]
    calls = {}
    for phase in PHASES:
        found = shares.get(phase, {"value": None, "samples": 0})
        share, offered = found["value"], found["samples"]
        calls[phase] = {"offered": offered, "good": round((share or 0.0) * offered), "share": share}
    return {
        "path": f"../{folder.name}",
        "seed": report["run"]["seed"],
        "verdict": report["verdict"]["verdict"],
        "calls": calls,
    }
