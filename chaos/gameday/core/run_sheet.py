"""The run sheet: the steps of the plan, and what became of each.

planned --play--> playing --its fault ends--> done
   |                 '-----could not be injected-----> failed
   '--skip--> skipped          done, failed, skipped --repeat--> playing
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from chaos.gameday.core.orders import Inject
from chaos.gameday.core.plan import Step
from chaos.gameday.core.roles import NotNow
from reports.shared.errors import UserError, did_you_mean

__all__ = ["RunSheet", "SheetRow", "StepState"]

StepState = Literal["planned", "playing", "done", "skipped", "failed"]

_BY_ITSELF = "the run sheet"


@dataclass(slots=True)
class SheetRow:
    """A step. `who` plays it, "" the run sheet itself; `played`: how often it was played. `fault`: once injected."""

    step: Step
    state: StepState = "planned"
    who: str = ""
    played: int = 0
    fault: str | None = None


class RunSheet:
    """The steps in the order of their times."""

    def __init__(self, steps: Iterable[Step] = ()) -> None:
        self.rows: list[SheetRow] = []
        self.add(steps)

    def add(self, steps: Iterable[Step]) -> None:
        """Add planned steps, those of a branch that is taken."""
        self.rows.extend(SheetRow(step) for step in steps)
        self.rows.sort(key=lambda row: row.step.at_s)

    @property
    def next(self) -> SheetRow | None:
        """The first planned step."""
        return next((row for row in self.rows if row.state == "planned"), None)

    def due(self, sheet_s: float) -> list[SheetRow]:
        """The planned steps whose time has come."""
        return [row for row in self.rows if row.state == "planned" and row.step.at_s <= sheet_s]

    def play(self, step: str | None, who: str) -> Inject:
        """Play a step; None: the next one. Raises NotNow, or UserError for an unknown one."""
        row = self.next if step is None else self._row(step)
        if row is None:
            raise NotNow("no step is left on the run sheet\n    repeat one, or inject a fault by hand")
        self._not_playing(row)
        if row.state in ("done", "failed"):
            raise NotNow(f"{row.step.label} was played already\n    repeat it")
        return self._begin(row, who)

    def repeat(self, step: str, who: str) -> Inject:
        """Play a step again. Raises NotNow, or UserError for an unknown one."""
        row = self._row(step)
        self._not_playing(row)
        if row.state == "planned":
            raise NotNow(f"{row.step.label} was not played yet\n    play it")
        return self._begin(row, who)

    def skip(self, step: str, who: str) -> SheetRow:
        """Leave a planned step out. Raises NotNow, or UserError for an unknown one."""
        row = self._row(step)
        if row.state == "playing":
            raise NotNow(f"{row.step.label} is playing (by {row.who or _BY_ITSELF})\n    revert its fault")
        if row.state != "planned":
            raise NotNow(f"{row.step.label} is {row.state} already")
        row.state, row.who = "skipped", who
        return row

    def injected(self, step: str, fault: str) -> None:
        """The fault of a step is active."""
        for row in self.rows:
            if row.step.id == step:
                row.fault = fault

    def failed(self, step: str) -> None:
        """The fault of a step could not be injected."""
        for row in self.rows:
            if row.step.id == step and row.state == "playing":
                row.state, row.fault = "failed", None

    def ended(self, fault: str) -> None:
        """A fault has ended."""
        for row in self.rows:
            if row.fault == fault and row.state == "playing":
                row.state = "done"

    def _begin(self, row: SheetRow, who: str) -> Inject:
        row.state, row.who, row.fault = "playing", who, None
        row.played += 1
        step = row.step
        return Inject(step.id, step.kind, dict(step.options), step.for_s, who)

    def _not_playing(self, row: SheetRow) -> None:
        if row.state == "playing":
            raise NotNow(f"{row.step.label} is playing already (by {row.who or _BY_ITSELF})")

    def _row(self, step: str) -> SheetRow:
        found = next((row for row in self.rows if row.step.id == step), None)
        if found is None:
            ids = [row.step.id for row in self.rows]
            raise UserError(f'there is no step "{step[:40]}"\n    {did_you_mean(step[:40], ids) or "there are none"}')
        return found
