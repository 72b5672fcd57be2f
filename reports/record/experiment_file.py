"""Reads `experiment.yaml` of a record: the experiment as it was played, with every default."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from reports.shared.errors import RecordError
from reports.shared.regular_file import open_regular

__all__ = ["read_experiment"]

_WITHOUT: Final = "without it there are no gates, objectives or prices; restore it, or play the experiment again"


class _Replica(msgspec.Struct):
    name: str = ""
    chips: int | None = None
    usd_per_hour: float | None = None


class _Stack(msgspec.Struct):
    replicas: list[_Replica] | None = None
    reserve: list[_Replica] | None = None


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


def read_experiment(path: Path, damage: list[str]) -> dict[str, Any]:
    """The resolved experiment of a record. Where it cannot be read: empty, and `damage` says why.

    Raises RecordError where a field has another type than a run writes.
    """
    try:
        with open_regular(path) as file:
            found = yaml.safe_load(file)  # not by libyaml, which deep nesting crashes
    except FileNotFoundError:
        damage.append(f"experiment.yaml is missing: {_WITHOUT}")
        return {}
    except Exception as error:  # a tag such as !!bool on a word is a KeyError inside yaml
        why = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
        damage.append(f"experiment.yaml cannot be read ({' '.join(why.split())}): {_WITHOUT}")
        return {}
    if found is None:
        damage.append(f"experiment.yaml is empty: {_WITHOUT}")
        return {}
    try:
        msgspec.convert(found, _Experiment)
    except (msgspec.ValidationError, OverflowError, SystemError) as error:
        raise RecordError(
            f"{path} was changed after the run: {error}. Restore it, or play the experiment again"
        ) from None
    return dict(found)
