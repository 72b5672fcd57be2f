"""`brownout baseline save`: stores runs that later ones are compared with, and `brownout baseline show`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from chaos.cli.console import open_console
from chaos.cli.gate.plan import make_plans
from chaos.cli.gate.play import GatePlay
from chaos.cli.gate.request import GateRequest
from chaos.cli.output import Output
from chaos.experiment.model import load_experiment
from chaos.runner.record_writer import LATEST, new_folder
from reports.comparison.side_by_side import read_report
from reports.gating.baseline import (
    Baseline,
    BaselineFile,
    baseline_notes,
    make_baseline,
    read_baselines,
    with_baseline,
    write_baselines,
)
from reports.gating.soundness import is_sound
from reports.gating.tolerances import amount_text, declared_tolerances
from reports.shared.errors import UserError
from reports.shared.plain_text import printable
from reports.shared.wording import value_text

__all__ = ["save_baseline", "show_baselines"]


def save_baseline(
    what: Sequence[str],
    *,
    request: GateRequest,
    out: Path,
    runs: Path,
    quiet: bool,
    words: Sequence[str],
) -> int:
    """Write a baseline of each experiment into the file `out`, which keeps those of others. Returns the exit code.

    `what`: experiments, which are played as `request` says, or folders with runs. Raises UserError before anything is
    played where the file cannot be written or read, and where there are too few sound runs.
    """
    before = read_baselines(out) if out.exists() else None
    if not out.parent.is_dir():
        raise UserError(f"{out}: the folder {out.parent} does not exist. Make it, or name another file with --out")
    folders = [Path(one) for one in what if Path(one).is_dir()]
    if folders and len(folders) < len(what):
        experiments = ", ".join(one for one in what if not Path(one).is_dir())
        raise UserError(f"name experiments, which are played, or folders of runs; not both ({experiments})")
    if folders:
        groups = _by_experiment([read_report(folder)[1] for folder in _run_folders(folders)])
    else:
        code, groups = _played(request, runs=runs, quiet=quiet, words=words)
        if code:
            return code
    file = before
    for reports in groups:
        baseline = _baseline(reports, request)
        file = with_baseline(file, baseline)
        _print(baseline)
    if file is not None:
        write_baselines(out, file)
    open_console().print(Text(f"baseline: {out}", style="dim"), soft_wrap=True)
    return 0


def _played(
    request: GateRequest, *, runs: Path, quiet: bool, words: Sequence[str]
) -> tuple[int, list[list[Mapping[str, Any]]]]:
    """Play the experiments. Returns the exit code, 0 unless a run did not end by itself, and their reports."""
    plans = make_plans(request)
    folder = new_folder(runs, "baseline")
    result = GatePlay(Output(runs, quiet, folder), request, plans, folder, shlex.join(words)).play()
    if result.exit_code in (130, 5):
        return result.exit_code, []
    return 0, [
        [read_report(folder / run.folder)[1] for run in one.runs if run.report and run.exit_code in (0, 1, 3)]
        for one in result.experiments
    ]


def _run_folders(folders: Sequence[Path]) -> list[Path]:
    """The folders of runs: those given, or what is in them, also in the folder `runs` of a gate."""
    found: dict[Path, None] = {}
    for folder in folders:
        own = [folder] if (folder / "events.jsonl").is_file() else []
        inside = [path.parent for pattern in ("*/report.json", "runs/*/report.json") for path in folder.glob(pattern)]
        its = own or sorted(path for path in inside if path.name != LATEST and not path.name.endswith("-twin"))
        if not its:
            raise UserError(f"{folder}: no run with a report is here. Name the folders of runs, or of a gate (--out)")
        found |= dict.fromkeys(its)
    return [path for path in found if "-base-" not in path.name]


def _by_experiment(reports: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """The reports of each experiment and target, in the order in which they were given."""
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for report in reports:
        run = report["run"]
        key = tuple(str(run.get(name)) for name in ("name", "stack", "gateway", "url"))
        groups.setdefault(key, []).append(report)
    return list(groups.values())


def _baseline(reports: Sequence[Mapping[str, Any]], request: GateRequest) -> Baseline:
    name = str(reports[0]["run"]["name"])
    try:
        gates = load_experiment(name).gates
    except UserError:  # an experiment of the user's, of which only the runs are here
        gates = ()
    try:
        return make_baseline(
            reports,
            declared_tolerances(request.tolerances, gates),
            version=version("brownout"),
            saved_at=datetime.now(UTC).isoformat(timespec="seconds"),
            is_sound=is_sound,
        )
    except UserError as error:
        raise UserError(f"{name}: {error}") from None


def _print(baseline: Baseline) -> None:
    console = open_console()
    played = baseline.conditions
    seeds = ", ".join(map(str, baseline.seeds))
    text = f"{played.experiment} on {played.target}: {len(baseline.runs)} runs (seeds {seeds}), {baseline.machine}"
    console.print(Text(text, style="bold"))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("measure", "mean", "spread between runs", "accepted worsening"):
        table.add_column(column, overflow="fold")
    for tolerance in baseline.tolerances:
        found = baseline.spread.get(tolerance.measure, {}).get(tolerance.phase or "run")
        if found is not None:
            spread = f"{found.sd:.1%}" if found.relative else value_text(found.sd, tolerance.unit)
            accepted = amount_text(tolerance) if tolerance.judged else "not judged"
            table.add_row(tolerance.label, value_text(found.mean, tolerance.unit), spread, accepted)
    console.print(table)
    for note in baseline_notes(baseline):
        print(printable(f"warning: {note}"), file=sys.stderr)


def show_baselines(path: Path) -> int:
    """Print what a file of baselines holds. Returns exit code 0. Raises UserError for one that is not valid."""
    file: BaselineFile = read_baselines(path)
    for baseline in file.baselines:
        _print(baseline)
        saved = f"saved {baseline.saved_at} by brownout {baseline.version}"
        open_console().print(Text(saved, style="dim"))
    return 0
