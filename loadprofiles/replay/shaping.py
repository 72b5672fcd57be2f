"""Options that make a recording fit a run: fewer tokens, shorter pauses, fewer calls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from loadprofiles.replay.recorded import RecordedAgent, RecordedCall, RecordedFork, RecordedSession, RecordedStep

__all__ = ["TraceOptions", "count_calls", "shorten"]


@dataclass(frozen=True, slots=True)
class TraceOptions:
    """Options of a replay. The order of calls, prefixes and sub-agents stays as recorded.

    `rate`: sessions a second, evenly spaced; None: starts as recorded, divided by `speed`, if the format records them.
    `speed` also divides the pauses between calls; `max_pause_s` then caps them. `shrink` divides all token counts,
    including prefix blocks. `max_calls`: most calls of the main agent, and of each sub-agent (None: all). `limit`: most
    sessions to start (None: no limit; recordings repeat with new ids). `streaming`: `force`, or as `recorded` (more
    than half of the calls in the Claude Code sessions did not stream). `skip_bad`: skip lines (of Claude Code: files)
    with mistakes. Raises ValueError.

    The defaults fit the 50 Claude Code sessions to a stack sized for `coding-agent-ci` (two replicas each of 4 x H100,
    TPU v6e-8 and 16 x Trainium2, 70B), for runs of a minute. Both loads were played against a model in which a stream
    runs at 40 tokens/s (`coding-agent-ci` then ends 80 % of its sessions within 55 s, as it was sized to) and tokens
    that no earlier prompt of the session contained are computed at 8,000 a second. Within 55 s:

                                    sessions  calls/s  new prompt tokens/s  output tokens/s  end within 40 s
        coding-agent-ci                  285     29.2               19,000            1,680            100 %
        shrink 12, 8 calls, 4/s          220     26.3               18,800            1,260             90 %   (default)
        shrink 10, 8 calls, 4/s          220     25.5               22,400            1,450             88 %
        shrink  6, 8 calls, 3.5/s        192     20.7               31,000            1,850             87 %

    So the default needs the same prefill and fewer output tokens. The lower bound of `shrink` comes from the first
    prompts of resumed sessions, up to 256k uncached tokens: at 12 they are 21k and take about two seconds, the TTFT
    that the shipped experiments allow; at 6 they are 43k. A call's output has 48 tokens on average and 1,516 at most:
    such a session may still be running at the end of a run. Pauses: the median of 8 s becomes 0.4 s, and pauses over
    40 s (a person, the night) become 2 s.
    """

    rate: float | None = 4.0
    speed: float = 20.0
    max_pause_s: float = 2.0
    shrink: float = 12.0
    max_calls: int | None = 8
    limit: int | None = None
    streaming: Literal["force", "recorded"] = "force"
    skip_bad: bool = False

    def __post_init__(self) -> None:
        for name in ("rate", "speed", "shrink"):
            number = getattr(self, name)
            if number is not None and not 0 < number < 1e6:
                raise ValueError(f"{name} must be more than 0")
        if not self.max_pause_s >= 0:
            raise ValueError("max_pause_s must be 0 or more")
        for name in ("max_calls", "limit"):
            number = getattr(self, name)
            if number is not None and number < 1:
                raise ValueError(f"{name} must be at least 1")

    def tokens(self, recorded: int) -> int:
        """The recorded number of tokens divided by `shrink`, at least 1."""
        return max(round(recorded / self.shrink), 1)

    def pause_s(self, recorded_s: float) -> float:
        """The recorded pause divided by `speed`, at most `max_pause_s`, in seconds."""
        return min(recorded_s / self.speed, self.max_pause_s)


def shorten(session: RecordedSession, max_calls: int | None) -> RecordedSession:
    """The session with at most `max_calls` calls of each agent, without forks after the last of these calls."""
    if max_calls is None:
        return session
    return replace(session, main=_shorten(session.main, max_calls))


def count_calls(agent: RecordedAgent) -> int:
    """Number of calls of the agent and its sub-agents."""
    return sum(
        1 if isinstance(step, RecordedCall) else sum(count_calls(sub) for _, sub in step.agents) for step in agent.steps
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
