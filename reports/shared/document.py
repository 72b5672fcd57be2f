"""A YAML document as plain values, with the line of each for error messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from reports.shared.errors import Problem

__all__ = ["Document", "Where"]

Where: TypeAlias = tuple["str | int", ...]
"""The path of a value in a document: keys and list positions from the top."""


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file as plain dicts, lists and scalars, and the line (from 1) of each."""

    file: str
    data: dict[str, Any]
    lines: Mapping[Where, int] = field(repr=False)

    def line(self, path: Where) -> int:
        """The line of `path`; where it is not in the file, the line of its nearest parent."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, path: Where, what: str, remedy: str = "") -> Problem:
        """A `Problem` at the line of `path`."""
        return Problem(self.file, self.line(path), what, remedy)
