"""The twin: the run of the same seed without the fault. `twin.json` in a run's folder names its folder (`path`)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from reports.record.reader import Record
from reports.shared.regular_file import read_regular

__all__ = ["TWIN_FILE", "Twin", "read_twin"]

TWIN_FILE: Final = "twin.json"


@dataclass(frozen=True, slots=True)
class Twin:
    """`share`: good / offered of the twin in the requested time; None: unknown, see `why_not`."""

    folder: str
    share: float | None
    why_not: str = ""


def read_twin(record: Record, begin_s: float, end_s: float) -> Twin | None:
    """The twin between two times, seconds since the start of its load; None where the run has no twin."""
    try:
        given = msgspec.json.decode(read_regular(record.path / TWIN_FILE))
        folder = str(given["path"])
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, KeyError, TypeError, RecursionError) as error:
        return Twin("", None, f"{TWIN_FILE} cannot be read ({error!r})")
    try:
        report = msgspec.json.decode(read_regular(record.path / folder / "report.json"))
        return _of_report(Path(folder).name, report, record, begin_s, end_s)
    except (OSError, msgspec.DecodeError, KeyError, TypeError, RecursionError) as error:
        return Twin(Path(folder).name, None, f"the twin's report cannot be read ({error!r})")


def _of_report(folder: str, report: dict[str, Any], record: Record, begin_s: float, end_s: float) -> Twin:
    run, timeline = report["run"], report["timeline"]
    if run["seed"] != record.experiment.get("seed"):
        return Twin(folder, None, f"its seed is {run['seed']}")
    if any("injected" in fault["stages"] for fault in report["faults"]):
        return Twin(folder, None, "it had a fault")
    first, last = math.ceil(begin_s - 1e-9), math.floor(end_s + 1e-9)
    offered, good = sum(timeline["offered"][first:last]), sum(timeline["good"][first:last])
    if not offered:
        return Twin(folder, None, "it has no call at that time")
    return Twin(folder, good / offered)
