"""How a recording is made to fit a run: fewer tokens, shorter pauses, fewer calls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from loadprofiles.replay.recorded import RecordedAgent, RecordedCall, RecordedFork, RecordedSession, RecordedStep

__all__ = ["TraceOptions", "calls_of", "shorten"]


@dataclass(frozen=True, slots=True)
class TraceOptions:
    """Options of a replay. (sizing to be written)

    `shrink` divides all token counts. `speed` divides the times between calls, `max_pause_s` caps them after that.
    `rate`: sessions a second. `limit`: at most so many sessions are started (None: as many as the run takes; recordings
    repeat with fresh ids). `max_calls`: of the main agent, and of each sub-agent (None: all). `streaming`: `force`, or
    as `recorded`. `skip_bad`: pass over files with mistakes.
    """

    rate: float = 3.5
    speed: float = 20.0
    max_pause_s: float = 2.0
    shrink: float = 6.0
    max_calls: int | None = 8
    limit: int | None = None
    streaming: Literal["force", "recorded"] = "force"
    skip_bad: bool = False

    def __post_init__(self) -> None:
        for name in ("rate", "speed", "shrink"):
            if not 0 < getattr(self, name) < 1e6:
                raise ValueError(f"{name} must be more than 0")
        if not self.max_pause_s >= 0:
            raise ValueError("max_pause_s must be 0 or more")
        for name in ("max_calls", "limit"):
            number = getattr(self, name)
            if number is not None and number < 1:
                raise ValueError(f"{name} must be at least 1")

    def tokens(self, recorded: int) -> int:
        """Tokens to play for recorded ones, at least 1."""
        return max(round(recorded / self.shrink), 1)

    def pause_s(self, recorded_s: float) -> float:
        """Seconds to wait for recorded ones."""
        return min(recorded_s / self.speed, self.max_pause_s)


def shorten(session: RecordedSession, max_calls: int | None) -> RecordedSession:
    """The session with at most `max_calls` calls of each agent; a fork after the last call is left out then."""
    if max_calls is None:
        return session
    return replace(session, main=_shorten(session.main, max_calls))


def calls_of(agent: RecordedAgent) -> int:
    """The agent's calls and those of its sub-agents."""
    return sum(
        1 if isinstance(step, RecordedCall) else sum(calls_of(sub) for _, sub in step.agents) for step in agent.steps
    )


def _shorten(agent: RecordedAgent, max_calls: int) -> RecordedAgent:
    steps: list[RecordedStep] = []
    left = max_calls
    for step in agent.steps:
        if left == 0:
            break
        if isinstance(step, RecordedFork):
            steps.append(replace(step, agents=tuple((at, _shorten(sub, max_calls)) for at, sub in step.agents)))
        else:
            steps.append(step)
            left -= 1
    return replace(agent, steps=tuple(steps))
