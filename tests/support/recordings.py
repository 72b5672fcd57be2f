"""Recorded sessions for tests: hand-made ones, and the folder of the real ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import DATA

REAL = DATA / "claude-code-sessions"

needs_real = pytest.mark.skipif(not REAL.is_dir(), reason=f"no recordings in {REAL}")


def request(blocks: range | list[int], t: float = 0.0, **given: Any) -> dict[str, Any]:
    """A request of full blocks of 64 tokens."""
    ids = list(blocks)
    base = {"t": t, "type": "s", "in": 64 * len(ids), "out": 40, "hash_ids": ids, "stop": "tool_use", "think_time": 1.0}
    return base | {"input_types": ["tool_result"]} | given


def sub_agent(t: float, requests: list[dict[str, Any]], **given: Any) -> dict[str, Any]:
    """A sub-agent with its own requests."""
    return {"t": t, "type": "subagent", "requests": requests, "tool_tokens": 128, "system_tokens": 64} | given


def session(requests: list[dict[str, Any]], **given: Any) -> dict[str, Any]:
    """A session file with 6 blocks of tools and 2 blocks of system prompt."""
    return {"id": "x", "block_size": 64, "tool_tokens": 384, "system_tokens": 128, "requests": requests} | given


def write(folder: Path, data: dict[str, Any], name: str = "a.json", indent: int | None = None) -> Path:
    path = folder / name
    path.write_text(json.dumps(data, indent=indent))
    return path


JsonLine = dict[str, Any]


def lines(folder: Path, name: str, rows: Sequence[object]) -> Path:
    """Writes a file of lines: strings as they are, objects as JSON."""
    path = folder / name
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def mooncake(ids: list[int], at_ms: float = 0, tokens: int | None = None, out: int = 10) -> JsonLine:
    """A Mooncake request of `tokens` tokens; by default its last block is half full."""
    length = 512 * len(ids) - 256 if tokens is None else tokens
    return {"timestamp": at_ms, "input_length": length, "output_length": out, "hash_ids": ids}


def tracelab(
    turn: int,
    prefix: int,
    new: int,
    out: int = 40,
    *,
    session: str = "s",
    tools_ms: tuple[float, ...] = (),
    events: tuple[tuple[str, str], ...] = (),
) -> JsonLine:
    """A TraceLab call. `events` are (type, time on 2026-06-01)."""
    return {
        "session_id": session,
        "round_index": turn,
        "prefix_tokens": prefix,
        "newly_append_tokens": new,
        "output_tokens": out,
        "timing_events": [{"event_type": kind, "timestamp": f"2026-06-01T{at}Z"} for kind, at in events],
        "tools": [{"tool_name": "Bash", "tool_wall_latency_ms": ms} for ms in tools_ms],
    }


AZURE = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n"
BURSTGPT = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,472,18,490,x\n"


def make_trace(folder: Path, name: str) -> Path:
    """Writes a valid file of the format `name`, with one session."""
    if name == "claude-code":
        return write(folder, session([request([1, 2]), request([1, 2, 3])]), f"{name}.json")
    if name == "mooncake":
        return lines(folder, f"{name}.jsonl", [mooncake([0, 1, 2]), mooncake([0, 1, 3, 4], 50)])
    if name == "tracelab":
        return lines(folder, f"{name}.jsonl", [tracelab(0, 5, 5), tracelab(1, 10, 5)])
    path = folder / f"{name}.csv"
    path.write_text(AZURE if name == "azure" else BURSTGPT)
    return path
