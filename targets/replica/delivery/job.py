"""One request in the engine, with its progress. All times are the engine's, in seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from targets.replica.engine.engine import EngineRequest

__all__ = ["EnginePhase", "Job", "Sink"]


class Sink(Protocol):
    """The receiver of a job's tokens."""

    def flush(self) -> None:
        """The job has produced tokens or has finished: send what may be sent."""


@dataclass(frozen=True, slots=True)
class EnginePhase:
    """A part of a request's time in the engine: "queue", "prefill" or "decode"."""

    name: str
    start: float
    end: float


@dataclass(slots=True)
class Job:
    """One request in the engine, with its progress."""

    request: EngineRequest
    sink: Sink
    submitted_at: float = 0.0
    admitted_at: float | None = None  # first admission
    first_at: float | None = None  # first token
    last_at: float = 0.0  # last token so far
    flushed_at: float = 0.0
    finished_at: float | None = None
    produced: int = 0  # tokens
    cached_tokens: int = 0
    computed_tokens: int = 0  # tokens computed in prefill: prompt and, after a preemption, output; without cached ones
    preemptions: int = 0
    phases: list[EnginePhase] = field(default_factory=list)
    phase: str = "queue"
    phase_from: float = 0.0
    prefill_tokens: int = 0  # tokens that the current prefill has to compute in total

    def enter_phase(self, at: float, phase: str) -> None:
        """End the current phase and begin another one."""
        self.phases.append(EnginePhase(self.phase, self.phase_from, at))
        self.phase, self.phase_from = phase, at
