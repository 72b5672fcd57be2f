"""Watches the faults on the stack: the exercise is told of each that begins, and why each ended.

A fault can come from the exercise or from a command of another terminal, and end in many ways: by a revert, a repair,
its time, a lapsed lease, an abort, the end. `HandFault.why` says which one was first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from chaos.by_hand.controls import HandControls
from chaos.gameday.core.exercise import Exercise
from chaos.gameday.core.orders import Inject
from chaos.gameday.core.outcome import Outcome

__all__ = ["BY_TERMINAL", "FaultWatch"]

BY_TERMINAL: Final = "a command of brownout"
"""Who did what came from another terminal."""


class FaultWatch:
    """The faults of one stack. `take(outcome)` records the facts of an outcome and carries out its orders."""

    def __init__(
        self,
        exercise: Exercise,
        controls: HandControls,
        clock: Callable[[], float],
        take: Callable[[Outcome], None],
    ) -> None:
        self._exercise = exercise
        self._controls = controls
        self._clock = clock
        self._take = take
        self._known: set[str] = set()
        """The faults that the exercise knows."""
        self._told: set[str] = set()
        """Those of which it knows that they are reverted."""
        self._problems: set[tuple[str, str]] = set()
        """The problems of faults of which it was warned."""

    def adopt(self, failed: Inject | None = None) -> None:
        """Faults that the exercise does not know: also one that was not confirmed, and could not be reverted.

        `failed`: the injection that failed just now; None: they are of commands from another terminal.
        """
        for fault_id, fault in list(self._controls.faults.items()):
            stuck = fault.task.done() and fault.active
            if fault_id in self._known or not (fault.play.confirmed.is_set() or stuck):
                continue
            spec, for_s = fault.injection.occurrence.spec, fault.injection.for_s
            ours = failed is not None and stuck and spec.kind == failed.kind
            who = failed.who if failed is not None and ours else BY_TERMINAL
            self.began(Inject("", spec.kind, spec.params(), for_s, who), fault_id)

    def began(self, order: Inject, fault_id: str) -> None:
        """A fault is active: tell the exercise, and watch for its end."""
        if fault_id in self._known:
            return
        self._known.add(fault_id)
        fault = self._controls.faults[fault_id]
        occurrence = fault.injection.occurrence
        outcome = self._exercise.injected(order, fault_id, occurrence.targets, occurrence.spec.params(), self._clock())
        self._take(outcome)
        fault.task.add_done_callback(lambda _: self.note_reverted())  # that of a second try is seen by `adopt`

    def note_reverted(self) -> None:
        """Tell the exercise which faults are over, and which could not be reverted. Idempotent."""
        for fault_id in sorted(self._known - self._told):
            fault = self._controls.faults[fault_id]
            if not fault.active:
                self._told.add(fault_id)
                why = fault.why or "lease"  # without a reason, it could not be kept on
                self._take(self._exercise.reverted(fault_id, why, self._clock(), fault.who))
            elif fault.task.done():
                self._warn(fault_id, fault.play.played.problem or fault.problem)

    def _warn(self, fault_id: str, problem: str) -> None:
        if problem and (fault_id, problem) not in self._problems:
            self._problems.add((fault_id, problem))
            self._take(self._exercise.warned(problem, self._clock()))
