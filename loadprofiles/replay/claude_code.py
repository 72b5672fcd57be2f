"""Reader of the anonymised Claude Code sessions of kv-cache-tester (`traces/`, Apache-2.0), one JSON file per session.

`requests[]` contains calls, and sub-agents with their own `requests[]`. `hash_ids` gives a call's prefix structure:
equal ids are equal 64-token blocks with equal text before them. `t` is seconds since the session's (sub-agent's) start.
Sub-agents whose times overlap are played concurrently, each with its own start. A call ends at `t + api_time` if that
was recorded, else at `t`.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from loadprofiles.replay.format import Format
from loadprofiles.replay.json_lines import line_of_byte, line_of_path
from loadprofiles.replay.mistakes import Mistakes
from loadprofiles.replay.recorded import (
    CommonPrefix,
    Recorded,
    RecordedAgent,
    RecordedCall,
    RecordedFork,
    RecordedSession,
    RecordedStep,
)
from loadprofiles.sessions.session import MAIN_AGENT
from reports.shared.errors import InvalidFile, Problem

__all__ = ["FORMAT", "read_session", "read_sessions"]

MAX_FILE_BYTES: Final = 64 << 20

_Count = Annotated[int, Meta(ge=0, le=100_000_000)]
_Tokens = Annotated[int, Meta(ge=1, le=100_000_000)]
_Seconds = Annotated[float, Meta(ge=0, le=1e9)]
_REMEDY = "correct it, remove the file from the folder, or skip such files with --skip-bad"


class _Request(msgspec.Struct, rename={"input_tokens": "in", "output_tokens": "out"}):
    type: Literal["n", "s"]
    t: _Seconds
    input_tokens: _Tokens
    output_tokens: _Count
    hash_ids: list[int]
    stop: str | None = None
    input_types: list[str] = []
    think_time: _Seconds = 0.0
    api_time: _Seconds | None = None

    @property
    def end(self) -> float:
        return self.t + (self.api_time or 0.0)


class _SubAgent(msgspec.Struct):
    type: Literal["subagent"]
    t: _Seconds
    requests: list[msgspec.Raw]
    tool_tokens: _Count = 0
    system_tokens: _Count = 0
    duration_ms: _Seconds | None = None


class _File(msgspec.Struct):
    block_size: _Tokens
    tool_tokens: _Count
    system_tokens: _Count
    requests: list[msgspec.Raw]


class _Kind(msgspec.Struct):
    type: Literal["n", "s", "subagent"]


@dataclass(slots=True)
class _TimedSubAgent:
    """A sub-agent with its start and end, in seconds since the session's start."""

    start: float
    end: float
    agent: RecordedAgent


def read_sessions(paths: Sequence[Path], *, skip_bad: bool = False) -> Recorded:
    """Reads one session per file. Raises `InvalidFile` with every mistake of every file.

    With `skip_bad`, files with mistakes are skipped, and their mistakes are returned in `skipped`. Raises `InvalidFile`
    even then if no file is good.
    """
    sessions: list[RecordedSession] = []
    mistakes = Mistakes(_REMEDY)
    for path in paths:
        try:
            sessions.append(read_session(path))
        except InvalidFile as error:
            mistakes.extend(error.problems)
    mistakes.raise_if_any(skip_bad=skip_bad, good=len(sessions))
    return Recorded(tuple(sessions), tuple(mistakes.first), mistakes.count)


def read_session(path: Path) -> RecordedSession:
    """Reads one session. Raises `InvalidFile` with every call in it that is invalid."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise InvalidFile([Problem(str(path), 0, f"cannot be read: {error.strerror}", _REMEDY)]) from None
    if len(raw) > MAX_FILE_BYTES:
        what = f"is longer than {MAX_FILE_BYTES >> 20} MiB: too long for a session"
        raise InvalidFile([Problem(str(path), 0, what, _REMEDY)])
    raw = raw.removeprefix(BOM_UTF8)
    return _Reading(str(path), raw).session(path.stem)


class _Reading:
    """One file being read: its mistakes so far, and the first prompts of its agents, for common prefixes."""

    def __init__(self, file: str, raw: bytes) -> None:
        self._file, self._raw = file, raw
        self._problems: list[Problem] = []
        self._first_blocks: list[tuple[str, list[int]]] = []
        self._block_size = 1

    def session(self, name: str) -> RecordedSession:
        try:
            self._raw.decode("utf-8")
            file = msgspec.json.decode(self._raw, type=_File)
        except UnicodeDecodeError as error:
            line = line_of_byte(self._raw, error.start)
            raise InvalidFile([Problem(self._file, line, "is not UTF-8 text", _REMEDY)]) from None
        except RecursionError:
            raise InvalidFile([Problem(self._file, 0, "is nested too deeply", _REMEDY)]) from None
        except msgspec.DecodeError as error:
            self._add_problem(error, "$")
            raise InvalidFile(self._problems) from None
        self._block_size = file.block_size
        entries = [(self._entry(raw, f"$.requests[{i}]"), i) for i, raw in enumerate(file.requests)]
        requests = [entry for entry, _ in entries if isinstance(entry, _Request)]
        calls = self._calls(MAIN_AGENT, requests)
        played: list[_TimedSubAgent] = []
        for entry, i in entries:
            if isinstance(entry, _SubAgent):
                played.append(self._sub_agent(entry, f"sub-{len(played) + 1}", f"$.requests[{i}]"))
        if not self._problems and not requests:
            where = line_of_path(self._raw, "$.requests")
            self._problems.append(Problem(self._file, where, "the session contains no call", _REMEDY))
        if self._problems:
            raise InvalidFile(self._problems)
        steps = _with_forks(requests, calls, _overlapping(one for one in played if one.agent.steps))
        return RecordedSession(name, RecordedAgent(MAIN_AGENT, file.tool_tokens, file.system_tokens, tuple(steps)))

    def _entry(self, raw: msgspec.Raw, where: str, *, nested: bool = False) -> _Request | _SubAgent | None:
        try:
            kind = msgspec.json.decode(raw, type=_Kind).type
            if kind == "subagent" and not nested:
                return msgspec.json.decode(raw, type=_SubAgent)
            return msgspec.json.decode(raw, type=_Request)
        except msgspec.DecodeError as error:
            self._add_problem(error, where)
            return None

    def _sub_agent(self, entry: _SubAgent, agent: str, where: str) -> _TimedSubAgent:
        entries = [self._entry(raw, f"{where}.requests[{i}]", nested=True) for i, raw in enumerate(entry.requests)]
        requests = [request for request in entries if isinstance(request, _Request)]
        took = max((request.end for request in requests), default=0.0)
        end = entry.t + max(took, (entry.duration_ms or 0.0) / 1000)
        calls = self._calls(agent, requests)
        return _TimedSubAgent(entry.t, end, RecordedAgent(agent, entry.tool_tokens, entry.system_tokens, tuple(calls)))

    def _calls(self, agent: str, requests: Sequence[_Request]) -> list[RecordedCall]:
        calls: list[RecordedCall] = []
        for i, request in enumerate(requests):
            common = self._common(requests, i)
            before, after = requests[i - 1] if i else None, requests[i + 1] if i + 1 < len(requests) else None
            from_tool = "tool_result" in request.input_types or (before is not None and before.stop == "tool_use")
            # An interrupted stream has no stop reason; the next call's input shows whether it asked for a tool.
            asks = request.stop == "tool_use" or (
                not request.stop and after is not None and "tool_result" in after.input_types
            )
            calls.append(
                RecordedCall(
                    input_tokens=request.input_tokens,
                    output_tokens=request.output_tokens,
                    wait_s=request.think_time if i else 0.0,
                    wait_why="tool" if from_tool else "person",
                    asks_tool=asks,
                    streamed=request.type == "s",
                    common=common,
                )
            )
        if requests:
            self._first_blocks.append((agent, requests[0].hash_ids))
        return calls

    def _common(self, requests: Sequence[_Request], i: int) -> CommonPrefix | None:
        """The longest common prefix with an earlier call of the agent; for its first call, with another agent's first.
        None without one."""
        blocks = requests[i].hash_ids
        best, found = 0, None
        for j in range(i - 1, -1, -1):
            earlier = requests[j].hash_ids
            length = _common_length(blocks, earlier)
            if length > best:
                whole = length == len(earlier)
                best, found = length, CommonPrefix(j, None if whole else length * self._block_size)
                if whole and len(blocks) == length:
                    break
        if i == 0:
            for agent, earlier in self._first_blocks:
                length = _common_length(blocks, earlier)
                if length > best:
                    best, found = length, CommonPrefix(0, length * self._block_size, agent)
        return found

    def _add_problem(self, error: msgspec.DecodeError, where: str) -> None:
        what, _, place = str(error).partition(" - at `")
        if isinstance(error, msgspec.ValidationError):
            path = where + place.rstrip("`").removeprefix("$")
            line = line_of_path(self._raw, path)
            name = path.removeprefix("$").lstrip(".") or "the file"
            self._problems.append(Problem(self._file, line, f"{name}: {what}", _REMEDY))
            return
        digits = "".join(filter(str.isdigit, str(error).rpartition("byte ")[2]))
        line = line_of_byte(self._raw, int(digits) if digits else len(self._raw))
        self._problems.append(Problem(self._file, line, f"is not valid JSON: {what}", _REMEDY))


def _common_length(blocks: Sequence[int], earlier: Sequence[int]) -> int:
    if blocks[: len(earlier)] == earlier:
        return len(earlier)
    return next((i for i, (a, b) in enumerate(zip(blocks, earlier, strict=False)) if a != b), len(blocks))


def _overlapping(played: Iterable[_TimedSubAgent]) -> Iterator[list[_TimedSubAgent]]:
    """Groups of sub-agents that overlap in time, in the order of their start."""
    group: list[_TimedSubAgent] = []
    for one in sorted(played, key=lambda one: one.start):
        if group and one.start >= max(member.end for member in group):
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _with_forks(
    requests: Sequence[_Request], calls: Sequence[RecordedCall], groups: Iterable[list[_TimedSubAgent]]
) -> Iterator[RecordedStep]:
    """The main agent's calls, with the forks in their places.

    The wait before a call that follows a fork is the time from the end of the fork to the call.
    """
    waiting = list(groups)
    ended = 0.0
    for request, call in zip(requests, calls, strict=True):
        forked = False
        while waiting and waiting[0][0].start < request.t:
            group = waiting.pop(0)
            yield _fork(group, ended)
            ended, forked = max(member.end for member in group), True
        yield replace(call, wait_s=max(request.t - ended, 0.0)) if forked else call
        ended = request.end
    for group in waiting:
        yield _fork(group, ended)
        ended = max(member.end for member in group)


def _fork(group: Sequence[_TimedSubAgent], ended: float) -> RecordedFork:
    start = group[0].start
    return RecordedFork(max(start - ended, 0.0), tuple((one.start - start, one.agent) for one in group))


FORMAT = Format(
    name="claude-code",
    description="Claude Code sessions of kv-cache-tester: one JSON file per session, with block_size and requests[]",
    suffixes=(".json",),
    signatures=(b'"requests"', b'"block_size"'),
    read=read_sessions,
)
