"""The clock of an exercise, and that of its run sheet, which a hold stops."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ExerciseClock"]


@dataclass(slots=True)
class ExerciseClock:
    """Times are seconds of any clock that does not go back. Before the start, all is 0; after `stop`, nothing moves."""

    _started_s: float | None = None
    _held_since_s: float | None = None
    _held_s: float = 0.0
    _stopped_s: float | None = None

    @property
    def started(self) -> bool:
        """Whether the exercise has started."""
        return self._started_s is not None

    @property
    def held(self) -> bool:
        """Whether the sheet's clock is held."""
        return self._held_since_s is not None

    def start(self, now_s: float) -> None:
        """Begin to count."""
        self._started_s = now_s

    def hold(self, now_s: float) -> None:
        """Stop the clock of the run sheet. Idempotent."""
        if self._held_since_s is None:
            self._held_since_s = now_s

    def resume(self, now_s: float) -> None:
        """Let the clock of the run sheet go on. Idempotent."""
        if self._held_since_s is not None:
            self._held_s += max(0.0, now_s - self._held_since_s)
            self._held_since_s = None

    def stop(self, now_s: float) -> None:
        """Stop both clocks. Idempotent."""
        if self._stopped_s is None:
            self._stopped_s = now_s

    def elapsed_s(self, now_s: float) -> float:
        """Seconds since the start, holds included."""
        if self._started_s is None:
            return 0.0
        return max(0.0, self._until(now_s) - self._started_s)

    def since_start_s(self, now_s: float) -> float:
        """Seconds since the start, also after `stop`: the time of an event."""
        return 0.0 if self._started_s is None else max(0.0, now_s - self._started_s)

    def held_s(self, now_s: float) -> float:
        """How long the sheet was held until now, seconds."""
        if self._held_since_s is None:
            return self._held_s
        return self._held_s + max(0.0, self._until(now_s) - self._held_since_s)

    def sheet_s(self, now_s: float) -> float:
        """The time on the run sheet: seconds since the start, without the holds."""
        return max(0.0, self.elapsed_s(now_s) - self.held_s(now_s))

    def _until(self, now_s: float) -> float:
        return now_s if self._stopped_s is None else self._stopped_s
