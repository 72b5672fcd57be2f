"""A scenario on another target than its own, which cannot play it: one message instead of one for each line.

The scenario is not wrong, and a user cannot change one that ships: what helps is another target, or a copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reports.shared.errors import InvalidFile, Problem

__all__ = ["OtherTarget"]


class OtherTarget(InvalidFile):
    """What a scenario needs that the target lacks. `option`: as given, `--gateway nginx:tuned`."""

    def __init__(self, file: str, option: str, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.option = option
        self.args = ("\n".join(_lines(file, option, problems)),)


def _lines(file: str, option: str, problems: Sequence[Problem]) -> Iterator[str]:
    yield f"{file} cannot be played with {option}:"
    for what in dict.fromkeys(problem.what for problem in sorted(problems, key=lambda one: one.line)):
        yield f"    {_numbers(problem.line for problem in problems if problem.what == what)}: {what}"
    name = option.split(" ")[0]
    yield (
        f"    leave {name} out; or play brownout gameday --free {option}, which needs none of this; or copy the file, "
        "change these lines, and play the copy"
    )


def _numbers(lines: Iterable[int]) -> str:
    found = list(dict.fromkeys(lines))
    return f"line{'s' if len(found) > 1 else ''} {', '.join(str(line) for line in found)}"
