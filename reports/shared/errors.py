"""The error tree. Every error that a user can cause says what is wrong, where, and what would be right.

BrownoutError                    base class of all errors of this project
 |- UserError                    a mistake of the user: exit code 2, no traceback
 |   '- InvalidFile              one or more Problems, each with file, line and remedy
 |- TargetFailed                 the stack under test, or a part of brownout, failed by itself: exit code 5
 '- RecordError                  a run's record cannot be read
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = [
    "BrownoutError",
    "InvalidFile",
    "Problem",
    "RecordError",
    "TargetFailed",
    "UserError",
    "did_you_mean",
    "similar",
]


class BrownoutError(Exception):
    """Base class of all errors of this project."""


class UserError(BrownoutError):
    """A mistake of the user. `str(error)` is the whole message, remedy included."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake in one file.

    `line` counts from 1; 0: no line applies (a missing file). `remedy` says what would be right.
    """

    file: str
    line: int
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.what}" + (f"\n    {self.remedy}" if self.remedy else "")


class InvalidFile(UserError):
    """A file with mistakes; `problems` holds all of them, sorted."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class TargetFailed(BrownoutError):
    """The stack under test, or a process of brownout, failed by itself and not by a fault of the experiment."""


class RecordError(BrownoutError):
    """A run's record lacks a part without which it cannot be analysed."""


def did_you_mean(word: str, candidates: Iterable[str], *, of: str = "it is one of") -> str:
    """A remedy for an unknown word: the most similar candidate, or all of them."""
    names = sorted({*candidates})
    close = similar(word, (name for name in names if name != word))
    if close:
        return f'did you mean "{close[0]}"?'
    return f"{of}: {', '.join(names)}" if names else ""


def similar(word: str, candidates: Iterable[str], *, most: int = 1) -> list[str]:
    """At most `most` candidates that are similar to a word, the most similar first. Case is ignored."""
    by_lower = {name.lower(): name for name in sorted({*candidates}, reverse=True)}
    return [by_lower[low] for low in difflib.get_close_matches(word.lower(), list(by_lower), n=most, cutoff=0.6)]
