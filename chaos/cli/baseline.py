"""`brownout baseline save`: stores runs that later ones are compared with, and `brownout baseline show`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from chaos.cli.console import open_console
from chaos.cli.gate.plan import make_plans
from chaos.cli.gate.play import GatePlay
from chaos.cli.gate.request import USUAL_PAIRS, GateRequest
from chaos.cli.output import Output
from chaos.cli.stored_runs import names_folder, played_reports, stored_reports
from chaos.experiment.load_scale import parse_scale
from chaos.runner.record_writer import new_folder
from reports.gates.grammar import Gate, GateError, parse_gate
from reports.gating.baseline import (
    Baseline,
    BaselineFile,
    baseline_notes,
    make_baseline,
    read_baselines,
    with_baseline,
    write_baselines,
)
from reports.gating.tolerances import amount_text, declared_tolerances
from reports.shared.errors import UserError
from reports.shared.plain_text import printable
from reports.shared.wording import value_text

__all__ = ["save_baseline", "show_baselines"]

Report = Mapping[str, Any]

_INCONCLUSIVE: Final = 3


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

    `what`: experiments, which are played as `request` says, or folders with runs. 3: experiments were played, and one
    has too few runs that count; the baselines of the others are stored. Raises UserError before anything is played
    where the file cannot be written or read, for options that do not apply, and where folders have too few sound runs.
    """
    before = read_baselines(out) if out.exists() else None
    if not out.parent.is_dir():
        raise UserError(f"{out}: the folder {out.parent} does not exist. Make it, or name another file with --out")
    declared_tolerances(request.tolerances)  # a wrong one is refused before anything is played
    folders = [Path(one) for one in what if names_folder(one)]
    if folders and len(folders) < len(what):
        experiments = ", ".join(one for one in what if not names_folder(one))
        raise UserError(f"name experiments, which are played, or folders of runs; not both ({experiments})")
    if folders:
        _check_nothing_to_play(request)
        groups = _by_experiment(stored_reports(folders))
        return _store([(_baseline(reports, request), reports) for reports in groups], before, out)
    return _play_and_store(request, before, out, runs=runs, quiet=quiet, words=words)


def _store(made: Sequence[tuple[Baseline, Sequence[Report]]], before: BaselineFile | None, out: Path) -> int:
    """Write the file with these baselines, each made of these reports. Returns exit code 0."""
    file = before
    for baseline, reports in made:
        file = with_baseline(file, baseline)
        _print(baseline, _failed_notes(baseline, reports))
    if made and file is not None:
        write_baselines(out, file)
        open_console().print(Text(f"baseline: {out}", style="dim"), soft_wrap=True)
    return 0


def _check_nothing_to_play(request: GateRequest) -> None:
    """Raises UserError for options about playing: the runs of folders were played."""
    options = {
        "--stack": request.stack,
        "--gateway": request.gateway,
        "--target": request.target,
        "--seed": request.seed,
        "--scale": request.scale,
        "--repeat": request.repeat,
        "--retry-inconclusive": request.retries or None,
    }
    if given := [option for option, value in options.items() if value is not None]:
        raise UserError(
            f"{', '.join(given)}: the runs of a folder were played already, so nothing is played. Leave it out, or "
            "name the experiment instead of the folder"
        )


def _play_and_store(
    request: GateRequest, before: BaselineFile | None, out: Path, *, runs: Path, quiet: bool, words: Sequence[str]
) -> int:
    """Play the experiments, and store those with enough runs. Returns the exit code."""
    if parse_scale(request.scale) == "auto":
        raise UserError(
            "--scale auto: a baseline needs the same load in each later run, and auto finds another factor each time. "
            "Give a factor, for example the one that `brownout run EXPERIMENT --scale auto` finds: --scale 0.5"
        )
    # The tolerances are stored: nothing is compared while the runs are played.
    plans = make_plans(replace(request, tolerances=(), repeat=request.repeat or USUAL_PAIRS))
    folder = new_folder(runs, "baseline")
    result = GatePlay(Output(runs, quiet, folder), request, plans, folder, shlex.join(words)).play()
    if result.exit_code in (130, 5):
        how = "interrupted" if result.exit_code == 130 else "a run failed"
        changed = "was not changed" if before is not None else "was not written"
        print(printable(f"{how}: {out} {changed}. The runs are kept in {folder}"), file=sys.stderr)
        return result.exit_code
    made, short = [], []
    for name, reports in played_reports(result, folder).items():
        try:
            made.append((_baseline(reports, request, name), reports))
        except UserError as error:
            short.append(str(error).partition("\n")[0])
    _store(made, read_baselines(out) if out.exists() else None, out)  # as it is now: others may have been saved
    if not short:
        return 0
    for line in short:
        print(printable(f"not stored: {line}"), file=sys.stderr)
    save = shlex.join(["brownout", "baseline", "save", str(folder)])
    print(
        printable(
            f"    The runs are kept in {folder}. Play more with other seeds (brownout gate EXPERIMENT --seed N --out "
            f"MORE), then store both: {save} MORE --out {shlex.quote(str(out))}"
        ),
        file=sys.stderr,
    )
    return _INCONCLUSIVE


def _by_experiment(reports: Sequence[Report]) -> list[list[Report]]:
    """The reports of each experiment and target, in the order in which they were given."""
    groups: dict[tuple[str, ...], list[Report]] = {}
    for report in reports:
        run = report["run"]
        key = tuple(str(run.get(name)) for name in ("name", "stack", "gateway", "url"))
        groups.setdefault(key, []).append(report)
    return list(groups.values())


def _baseline(reports: Sequence[Report], request: GateRequest, name: str = "") -> Baseline:
    """The baseline of one experiment. `name`: of the experiment, where there may be no report. Raises UserError."""
    try:
        return make_baseline(
            reports,
            declared_tolerances(request.tolerances, _gates(reports)),
            version=version("brownout"),
            saved_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
    except UserError as error:
        raise UserError(f"{name or reports[0]['run']['name']}: {error}") from None


def _gates(reports: Sequence[Report]) -> list[Gate]:
    """The gates as they were played: the experiment's file may have changed since, or be another one of its name."""
    found = {}
    for row in (row for report in reports for row in report["gates"]):
        with suppress(GateError):  # of an older brownout
            found[str(row["text"])] = parse_gate(str(row["text"]))
    return list(found.values())


def _failed_notes(baseline: Baseline, reports: Sequence[Report]) -> list[str]:
    """A warning where gates failed in runs that are stored; else nothing."""
    stored = {(run.seed, run.started_at) for run in baseline.runs}
    its = [one for one in reports if (int(one["run"]["seed"]), str(one["run"]["started_at"])) in stored]
    failed = [[str(row["text"]) for row in one["gates"] if row["verdict"] == "fail"] for one in its]
    if not (count := sum(map(bool, failed))):
        return []
    names = ", ".join(dict.fromkeys(name for one in failed for name in one))
    return [
        f"gates failed in {count} of the {len(baseline.runs)} runs that are stored ({names}): later runs are compared "
        "with these, and may be as bad. Save it from runs that pass, unless that is meant"
    ]


def _print(baseline: Baseline, more_notes: Sequence[str] = ()) -> None:
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
    for note in [*baseline_notes(baseline), *more_notes]:
        print(printable(f"warning: {note}"), file=sys.stderr)


def show_baselines(path: Path) -> int:
    """Print what a file of baselines holds. Returns exit code 0. Raises UserError for one that is not valid."""
    file: BaselineFile = read_baselines(path)
    for baseline in file.baselines:
        _print(baseline)
        saved = f"saved {baseline.saved_at} by brownout {baseline.version}"
        open_console().print(Text(saved, style="dim"))
    return 0
