"""Keys without a value in an experiment file: a mistake, which would widen a fault or switch off a check in silence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chaos.faults.catalogue import KINDS
from reports.shared.document import Document, Where
from reports.shared.errors import Problem

__all__ = ["check_values"]


def check_values(document: Document) -> Iterator[Problem]:
    """A problem for each key without a value. `chaos.experiment.file` says more about a fault without one,
    `chaos.experiment.target_format` about a gateway."""
    for path in _empty(document.data, ()):
        is_fault = path[:2] == ("timeline", "faults") and len(path) == 4 and path[-1] in KINDS
        is_gateway = path[:2] == ("target", "gateway") and len(path) == 3
        if not (is_fault or is_gateway):
            yield document.problem(path, f"{path[-1]} has no value", "write a value, or remove the key")


def _empty(value: Any, path: Where) -> Iterator[Where]:
    if isinstance(value, dict):
        for key, item in value.items():
            if item is None:
                yield (*path, key)
            yield from _empty(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _empty(item, (*path, index))
