"""Many recorded calls in little memory: a few numbers per call in arrays, and sessions as linked lists of calls.

A call takes 28 bytes: 1.5 million calls take 42 MB. A `RecordedSession` is created on access.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from loadprofiles.replay.mistakes import Mistakes
from loadprofiles.replay.recorded import Blocks, CommonPrefix, Recorded, RecordedAgent, RecordedCall, RecordedSession
from loadprofiles.sessions.session import MAIN_AGENT
from reports.shared.errors import InvalidFile, Problem

__all__ = ["CallTable"]


class CallTable:
    """A table of calls; implements `loadprofiles.replay.recorded.Sessions`.

    A call whose input tokens cover the previous call's input and output continues that conversation; otherwise its
    prompt is new, unless `blocks` defines the blocks of a call's prompt. A wait is the time between the starts of two
    calls minus the duration of the first, if recorded, and counts as a person's pause.
    """

    def __init__(self, name: str, blocks: Callable[[int], Blocks] | None = None) -> None:
        self._name, self._blocks = name, blocks
        self._at, self._took = array("d"), array("f")
        self._input, self._output = array("i"), array("i")
        self._next = array("i")
        self._first = array("i")

    def __len__(self) -> int:
        return len(self._first)

    @property
    def calls(self) -> int:
        """Number of calls added."""
        return len(self._at)

    def add(
        self, at_s: float, input_tokens: int, output_tokens: int, *, took_s: float = 0.0, after: int | None = None
    ) -> int:
        """Adds a call that began at `at_s` on any clock, to the session of the call `after`, or to a new session.

        Returns the call's number. `after` must be the last call of its session.
        """
        row = len(self._at)
        self._at.append(at_s)
        self._took.append(took_s)
        self._input.append(input_tokens)
        self._output.append(output_tokens)
        self._next.append(-1)
        if after is None:
            self._first.append(row)
        else:
            self._next[after] = row
        return row

    def input_tokens(self, row: int) -> int:
        """The input tokens of one call."""
        return self._input[row]

    def output_tokens(self, row: int) -> int:
        """The output tokens of one call."""
        return self._output[row]

    def at_s(self, row: int) -> float:
        """When one call began, seconds on the clock of `add`."""
        return self._at[row]

    def recorded(
        self, paths: Sequence[Path], mistakes: Mistakes, *, skip_bad: bool, notes: tuple[str, ...] = ()
    ) -> Recorded:
        """The table as a reader's result. Raises `InvalidFile` for mistakes, and if there is no call."""
        mistakes.raise_if_any(skip_bad=skip_bad, good=self.calls)
        if not self.calls:
            why = f"contains no call: {notes[0]}" if notes else "contains no call"
            raise InvalidFile([Problem(str(path), 0, why, "choose a file that contains calls") for path in paths])
        starts_s = self.sort()
        return Recorded(self, tuple(mistakes.first), mistakes.count, starts_s, notes)

    def sort(self) -> Sequence[float]:
        """Sorts the sessions by start, and returns their starts in seconds since the first one."""
        starts = array("d", (self._at[row] for row in self._first))
        if any(later < earlier for earlier, later in zip(starts, memoryview(starts)[1:], strict=False)):
            self._first = array("i", sorted(self._first, key=self._at.__getitem__))
            starts = array("d", (self._at[row] for row in self._first))
        zero = starts[0] if starts else 0.0
        return array("d", (at - zero for at in starts))

    def __getitem__(self, index: int, /) -> RecordedSession:
        rows = list(self._rows(self._first[index]))
        calls = tuple(self._call(rows, turn) for turn in range(len(rows)))
        return RecordedSession(f"{self._name} {index + 1}", RecordedAgent(MAIN_AGENT, 0, 0, calls))

    def _rows(self, row: int) -> Iterator[int]:
        while row >= 0:
            yield row
            row = self._next[row]

    def _call(self, rows: Sequence[int], turn: int) -> RecordedCall:
        row = rows[turn]
        wait_s, common = 0.0, None
        if turn:
            before = rows[turn - 1]
            wait_s = max(self._at[row] - self._at[before] - self._took[before], 0.0)
            if self._input[row] >= self._input[before] + self._output[before]:
                common = CommonPrefix(turn - 1, None)
        return RecordedCall(
            input_tokens=self._input[row],
            output_tokens=self._output[row],
            wait_s=wait_s,
            wait_why="person",
            asks_tool=False,
            streamed=True,
            common=common if self._blocks is None else None,
            blocks=self._blocks(row) if self._blocks is not None else None,
        )
