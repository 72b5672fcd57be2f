"""Reads `experiment.yaml` of a record: the experiment as it was played, with every default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import yaml

from reports.shared.errors import RecordError

__all__ = ["read_experiment"]


class _Replica(msgspec.Struct):
    name: str = ""
    chips: int | None = None
    usd_per_hour: float | None = None


class _Stack(msgspec.Struct):
    replicas: list[_Replica] | None = None


class _Experiment(msgspec.Struct):
    """The types of what the analysis reads of a resolved experiment."""

    name: str | None = None
    gates: list[str | dict[str, Any]] | None = None
    steady_state: list[str | dict[str, Any]] | None = None
    slo: dict[str, float | int | str] | None = None
    stack: _Stack | None = None
    timeline: dict[str, Any] | None = None
    load: dict[str, Any] | None = None
    profile: dict[str, Any] | None = None


def read_experiment(path: Path, notes: list[str]) -> dict[str, Any]:
    """The resolved experiment of a record. Where it cannot be read: empty, with a note.

    Raises RecordError where a field has another type than a run writes.
    """
    try:
        found = yaml.safe_load(path.read_bytes())  # not by libyaml, which deep nesting crashes
    except (OSError, yaml.YAMLError, RecursionError, ValueError) as error:
        notes.append(f"experiment.yaml cannot be read ({error}): the report has no gates, objectives or prices")
        return {}
    if found is None:
        notes.append("experiment.yaml is empty: the report has no gates, objectives or prices")
        return {}
    try:
        msgspec.convert(found, _Experiment)
    except msgspec.ValidationError as error:
        raise RecordError(
            f"{path} was changed after the run: {error}. Restore it, or play the experiment again"
        ) from None
    return dict(found)
