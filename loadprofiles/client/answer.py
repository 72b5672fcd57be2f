"""The content of one attempt's answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from loadprofiles.client.tool_calls import ReceivedToolCall
from loadprofiles.client.wire import Usage

__all__ = ["Answer", "merge_usage"]


@dataclass(slots=True)
class Answer:
    """The content of one attempt's answer. Times are seconds on the caller's clock.

    `chunk_times_s` and `chunk_tokens`: arrival time and estimated tokens (`token_estimate`) of each chunk that brought
    a piece of any kind: text, reasoning, a tool call. `finish_count`: number of finish reasons; `end_count`: number of
    end-of-stream events. `error`: what an error event said. `corrupt`: why the answer cannot be read.
    """

    text: str = ""
    tool_calls: list[ReceivedToolCall] = field(default_factory=list)
    finish: str | None = None
    finish_count: int = 0
    end_count: int = 0
    error: str | None = None
    corrupt: str | None = None
    usage: Usage = field(default_factory=Usage)
    model: str | None = None
    chunk_times_s: list[float] = field(default_factory=list)
    chunk_tokens: list[int] = field(default_factory=list)

    @property
    def arguments(self) -> str:
        """The arguments of all tool calls, one after another."""
        return "".join(call.arguments for call in self.tool_calls)

    @property
    def terminals(self) -> int:
        """Number of terminal events: 1 is correct; 0 if the finish reason or the end of the stream is missing."""
        return max(self.finish_count, self.end_count) if self.finish_count and self.end_count else 0

    @property
    def max_gap_s(self) -> float | None:
        """The longest gap between chunks that brought something, in seconds; None with fewer than two such chunks."""
        times = self.chunk_times_s
        return max(map(float.__sub__, times[1:], times), default=None)


def merge_usage(old: Usage, new: Usage) -> Usage:
    """Combines two reports of token counts. A later count replaces an earlier one, unless it is None."""
    return Usage(
        old.input_tokens if new.input_tokens is None else new.input_tokens,
        old.cached_tokens if new.cached_tokens is None else new.cached_tokens,
        old.output_tokens if new.output_tokens is None else new.output_tokens,
    )
