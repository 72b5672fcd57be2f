"""Reader of TraceLab's sessions of coding agents (uw-syfi/TraceLab, CC-BY 4.0): JSON lines, one model call per line.

Lines with the same `session_id` are a session, in the order of `round_index`, in any order in the file. A prompt has
`prefix_tokens` in common with the previous call's prompt, plus `newly_append_tokens`. The `prefix_tokens` of the first
call of a session are the prefix that all sessions share. Tools ran concurrently, so the wait is the longest
`tools[].tool_wall_latency_ms`. If a person wrote, the wait is the time from the last event of the previous round to
that message (`timing_events[]`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from loadprofiles.replay.csv_rows import MAX_TOKENS
from loadprofiles.replay.format import Format
from loadprofiles.replay.lines import read_lines
from loadprofiles.replay.mistakes import Mistakes
from loadprofiles.replay.recorded import CommonPrefix, Recorded, RecordedAgent, RecordedCall, RecordedSession
from loadprofiles.sessions.session import MAIN_AGENT
from reports.shared.errors import InvalidFile, Problem

__all__ = ["FORMAT", "read_tracelab"]

_CACHE_GRAIN: Final = 64
"""A prefix that lacks at most this many tokens of the previous prompt counts as all of it: caches keep whole blocks."""

_Tokens = Annotated[int, Meta(ge=0, le=MAX_TOKENS)]


class _Event(msgspec.Struct):
    event_type: str
    timestamp: datetime | None = None


class _Tool(msgspec.Struct):
    tool_wall_latency_ms: Annotated[float, Meta(ge=0, le=1e12)] | None = None


class _Line(msgspec.Struct):
    session_id: Annotated[str, Meta(min_length=1, max_length=1000)]
    round_index: Annotated[int, Meta(ge=0, le=2**31)]
    prefix_tokens: _Tokens
    newly_append_tokens: _Tokens
    output_tokens: _Tokens
    timing_events: list[_Event] = []
    tools: list[_Tool] = []


class _Round(msgspec.Struct):
    """The relevant fields of a line."""

    index: int
    prefix: int
    input: int
    output: int
    tool_s: float | None
    asked_at: float | None
    ended_at: float | None


def read_tracelab(paths: Sequence[Path], *, skip_bad: bool = False) -> Recorded:
    """See `loadprofiles.replay.format.Reader`. A duplicate round of a session is a mistake."""
    mistakes = Mistakes()
    decoder = msgspec.json.Decoder(_Line)
    sessions: dict[str, dict[int, _Round]] = {}
    for path in paths:
        empty = True
        for number, text in read_lines(path, mistakes):
            empty = False
            try:
                line = decoder.decode(text)
            except (msgspec.DecodeError, RecursionError) as error:
                mistakes.add(path, number, f"is not a TraceLab call: {error}")
                continue
            rounds = sessions.setdefault(line.session_id, {})
            if line.prefix_tokens + line.newly_append_tokens == 0:
                mistakes.add(path, number, "prefix_tokens and newly_append_tokens are both 0: the prompt is empty")
            elif line.round_index in rounds:
                what = f"session {line.session_id[:80]} already has a round {line.round_index}"
                mistakes.add(path, number, what)
            else:
                rounds[line.round_index] = _round(line)
        if empty:
            mistakes.add(path, 0, "contains no call")
    good = [
        RecordedSession(name, _agent([rounds[index] for index in sorted(rounds)]))
        for name, rounds in sessions.items()
        if rounds
    ]
    mistakes.raise_if_any(skip_bad=skip_bad, good=len(good))
    if not good:
        raise InvalidFile([Problem(str(path), 0, "contains no call") for path in paths])
    return Recorded(tuple(good), tuple(mistakes.first), mistakes.count)


def _round(line: _Line) -> _Round:
    latencies = [tool.tool_wall_latency_ms or 0.0 for tool in line.tools]
    asked = [event.timestamp for event in line.timing_events if event.event_type == "user_message"]
    times = [_seconds(event.timestamp) for event in line.timing_events if event.timestamp is not None]
    return _Round(
        line.round_index,
        line.prefix_tokens,
        line.prefix_tokens + line.newly_append_tokens,
        line.output_tokens,
        max(latencies) / 1000 if latencies else None,
        max((_seconds(at) for at in asked if at is not None), default=None),
        max(times, default=None),
    )


def _seconds(at: datetime) -> float:
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()


def _agent(rounds: Sequence[_Round]) -> RecordedAgent:
    calls = []
    for turn, one in enumerate(rounds):
        before = rounds[turn - 1] if turn else None
        from_person = before is None or before.tool_s is None
        calls.append(
            RecordedCall(
                input_tokens=one.input,
                output_tokens=one.output,
                wait_s=_wait_s(before, one) if before is not None else 0.0,
                wait_why="person" if from_person else "tool",
                asks_tool=one.tool_s is not None,
                streamed=True,
                common=_common(turn, before, one) if before is not None else None,
            )
        )
    return RecordedAgent(MAIN_AGENT, 0, rounds[0].prefix, tuple(calls))


def _wait_s(before: _Round, one: _Round) -> float:
    if before.tool_s is not None:
        return before.tool_s
    if before.ended_at is None or one.asked_at is None:
        return 0.0
    return max(one.asked_at - before.ended_at, 0.0)


def _common(turn: int, before: _Round, one: _Round) -> CommonPrefix:
    whole = one.prefix + _CACHE_GRAIN >= before.input
    return CommonPrefix(turn - 1, None if whole else one.prefix)


FORMAT = Format(
    name="tracelab",
    description="TraceLab's sessions: JSON lines with session_id, round_index, prefix_tokens, newly_append_tokens",
    suffixes=(".jsonl", ".json"),
    signatures=(b'"session_id"', b'"round_index"', b'"prefix_tokens"'),
    read=read_tracelab,
)
