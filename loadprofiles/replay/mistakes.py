"""The mistakes of a trace: the first ones in full, the others only counted, so that memory is bounded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from reports.shared.errors import InvalidFile, Problem

__all__ = ["SHOWN", "Mistakes"]

SHOWN: Final = 50
"""Number of mistakes that are kept in full."""


class Mistakes:
    """Collects mistakes. `remedy` is the default remedy."""

    def __init__(self, remedy: str = "correct the line, or skip such lines with --skip-bad") -> None:
        self.first: list[Problem] = []
        self.count = 0
        self._remedy = remedy
        self._next: Problem | None = None

    def add(self, path: Path | str, line: int, what: str, remedy: str = "") -> None:
        """Adds a mistake. `line` 0: the whole file."""
        self.extend([Problem(str(path), line, what, remedy or self._remedy)])

    def extend(self, problems: Iterable[Problem]) -> None:
        """Adds mistakes."""
        for problem in problems:
            self.count += 1
            if len(self.first) < SHOWN:
                self.first.append(problem)
            elif self._next is None:
                self._next = problem

    def raise_if_any(self, *, skip_bad: bool, good: int) -> None:
        """Raises `InvalidFile` if there are mistakes, unless `skip_bad` and at least one good item (`good`) is left."""
        if not self.count or (skip_bad and good):
            return
        problems = list(self.first)
        if self._next is not None:
            what = f"{self._next.what}; and {self.count - len(problems) - 1:,} more mistakes"
            problems.append(Problem(self._next.file, self._next.line, what, self._remedy))
        raise InvalidFile(problems)
