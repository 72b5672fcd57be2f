"""The files of a gate, at fixed places below its folder, and what GitHub shows of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from brownout.result import Result
from reports.shared.errors import TargetFailed
from reports.writers.gate.annotations import gate_annotations, is_github, locate_gates, write_step_summary
from reports.writers.gate.gate_json import write_gate_json
from reports.writers.gate.junit import write_gate_junit
from reports.writers.gate.summary import write_gate_summary

__all__ = ["FILES", "tell_github", "write_files"]

FILES = ("gate.json", "junit.xml", "summary.md")


def write_files(result: Result, folder: Path) -> None:
    """Write gate.json, junit.xml and summary.md, each as a whole. Raises TargetFailed where that fails."""
    try:
        for write in (write_gate_json, write_gate_junit, write_gate_summary):
            write(result, folder)
    except OSError as error:
        raise TargetFailed(
            f"cannot write the result of the gate: {error.filename or folder}: {error.strerror}. The records of the "
            f"runs are kept. Free some space, or name another folder with --out"
        ) from error


def tell_github(result: Result, paths: Mapping[str, Path], environment: Mapping[str, str], out: TextIO) -> str:
    """On GitHub: the annotations on `out`, and the summary in the summary of the job. Nothing elsewhere.

    `paths`: the file of each experiment by its name. Returns a warning, or "".
    """
    if not is_github(environment):
        return ""
    checkout = Path(environment.get("GITHUB_WORKSPACE") or ".")
    for line in gate_annotations(result, locate_gates(result, paths, checkout)):
        print(line, file=out)
    return write_step_summary(result, environment)
