"""The runs in folders that a baseline is made of: those of the experiment itself, by what their records say.

Left out are the other side of a gate, twins without the faults, and the ramps of `--scale auto`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from brownout.result import InvalidResult, Result
from chaos.cli.scale_ramp import RAMP_TITLE
from reports.comparison.side_by_side import read_report
from reports.shared.errors import UserError

__all__ = ["ENDED", "names_folder", "played_reports", "stored_reports"]

Report = Mapping[str, Any]

ENDED: Final = (0, 1, 3)
"""Exit codes of runs that ended by themselves."""
_NAME: Final = "Name the folders of runs, or of a gate (its --out)"


def names_folder(word: str) -> bool:
    """Whether a word is about a folder of runs. A bare name is one only if runs are in it: experiments have names."""
    path = Path(word)
    return path.is_dir() and ("/" in word or (path / "gate.json").is_file() or bool(_run_folders(path)))


def stored_reports(folders: Sequence[Path]) -> list[Report]:
    """The reports of the runs in these folders, each once. Raises UserError for a folder with none that counts."""
    found: dict[Path, Report] = {}
    for folder in folders:
        gate = folder.parent if folder.name == "runs" and (folder.parent / "gate.json").is_file() else folder
        if (gate / "gate.json").is_file():
            its = dict(_of_gate(gate))
            if not its:
                raise UserError(f"{folder}: this gate has no run of its head that ended and has a report. {_NAME}")
        else:
            its = _others(folder)
        found |= its
    return list(found.values())


def played_reports(result: Result, folder: Path) -> dict[str, list[Report]]:
    """The reports of the head of a gate that ended by themselves, by the name of the experiment."""
    return {
        one.name: [
            read_report(folder / run.folder)[1]
            for run in one.runs
            if run.side == "head" and run.report and run.exit_code in ENDED
        ]
        for one in result.experiments
    }


def _of_gate(folder: Path) -> Iterator[tuple[Path, Report]]:
    for run, side in _sides(folder):
        if side == "head":
            yield run.resolve(), read_report(run)[1]


def _sides(folder: Path) -> list[tuple[Path, str]]:
    """The runs of a gate that ended and have a report, with their sides."""
    try:
        result = Result.read(folder)
    except InvalidResult as error:
        raise UserError(str(error)) from None
    runs = [run for one in result.experiments for run in one.runs]
    return [(folder / run.folder, run.side) for run in runs if run.report and run.exit_code in ENDED]


def _others(folder: Path) -> dict[Path, Report]:
    """The runs of a folder that is of no gate, or the run that it is."""
    runs = _run_folders(folder)
    if not runs:
        raise UserError(f"{folder}: no run with a report is here. {_NAME}")
    found: dict[Path, Report] = {run.resolve(): read_report(run)[1] for run in runs}
    left = {path: report for path, report in found.items() if _own(report) and not _of_base(path)}
    if not left:
        raise UserError(
            f"{folder}: no run here can be stored: they are twins without the faults, ramps of --scale auto, or runs "
            f"of the other side of a gate. {_NAME}"
        )
    return left


def _run_folders(folder: Path) -> list[Path]:
    """The folder itself if it is of a run, else the runs with a report in it, also in the folder `runs` of a gate."""
    if (folder / "events.jsonl").is_file():
        return [folder]
    inside = (path.parent for pattern in ("*/report.json", "runs/*/report.json") for path in folder.glob(pattern))
    return sorted(path for path in inside if not path.is_symlink())


def _own(report: Report) -> bool:
    """Whether it is a run of the experiment itself: neither its twin, nor its ramp."""
    run = report["run"]
    ramp = str(run.get("name")).endswith("-scale") and str(run.get("title")).endswith(RAMP_TITLE)
    return not run.get("twin_of") and not ramp


def _of_base(run: Path) -> bool:
    """Whether it is a run of the other side of the gate in whose folder it is."""
    gate = run.parent.parent
    if run.parent.name != "runs" or not (gate / "gate.json").is_file():
        return False
    return any(side == "base" and one.resolve() == run for one, side in _sides(gate))
