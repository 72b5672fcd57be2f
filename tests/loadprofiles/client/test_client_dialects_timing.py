"""Dialects whose timing matters: the first piece, the log of chunks, silence, and slow streams."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from loadprofiles.client.client import Client
from loadprofiles.client.clock import now_s
from loadprofiles.client.records import AgentContext, CallRecord, ClientOptions
from reports.shared.attributes import Outcome
from tests.support.dialects import anthropic
from tests.support.dialects.case import Dialect, Step
from tests.support.dialects.http import LAST_CHUNK, chunk, chunked, head
from tests.support.dialects.openai import DONE, STOP, chunk_of, event, tool, words
from tests.support.dialects.play import call_of, problems, script
from tests.support.scripted_server import ScriptedServer

WAIT = 0.25
"""Seconds of the long pause in a stream. The client's limit is above it, or the test is about the limit."""
GAP = 0.02
ROLE = event(chunk_of({"role": "assistant", "content": ""}))
CHARS = tuple("abcdefghijkl")
FINISHED = (STOP, DONE)
MESSAGE_END = (
    event({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, name="message_delta") + anthropic.STOP
)
THINKING = {"type": "thinking_delta", "thinking": "a"}


def record_of(*steps: Step, api: str = "openai", timeout_s: float = 3.0) -> CallRecord:
    """The record of a call that gets these bytes."""
    dialect = Dialect(name="", why="", sends=(steps,), api=api)
    with ScriptedServer(script(steps)) as server:
        client = Client(ClientOptions(server.url, "lab-1", api=api, retries="none", timeout_s=timeout_s))
        try:
            return client.call(call_of(dialect), AgentContext("s-9", "main", None, 7), now_s())
        finally:
            client.close()


def spaced(events: list[bytes]) -> list[Step]:
    """The events with a gap before each."""
    return [step for data in events for step in (GAP, data)]


def piece_of(kind: str, text: str) -> bytes:
    """One event that brings this piece."""
    if kind == "arguments":
        return tool(0, text)
    if kind.startswith("a-"):
        delta = {"a-text": {"type": "text_delta", "text": text}, "a-thinking": THINKING | {"thinking": text}}
        delta["a-arguments"] = {"type": "input_json_delta", "partial_json": text}
        return anthropic.event("content_block_delta", index=0, delta=delta[kind])
    return words(text, key=kind)


FIRST = {
    "content": ("openai", words("Ab"), FINISHED),
    "reasoning": ("openai", words("Hm", key="reasoning_content"), FINISHED),
    "refusal": ("openai", words("No", key="refusal"), FINISHED),
    "name-of-a-tool": ("openai", tool(0, "", id="a", name="bash"), FINISHED),
    "empty-object-of-a-tool": ("openai", tool(0, "{}", id="a", name="bash"), FINISHED),
    "audio": ("openai", event(chunk_of({"audio": {"data": "UklG"}})), FINISHED),
    "a-thinking": ("anthropic", anthropic.event("content_block_delta", index=0, delta=THINKING), (MESSAGE_END,)),
    "a-redacted-thinking": (
        "anthropic",
        anthropic.block(0, {"type": "redacted_thinking", "data": "zz"}),
        (MESSAGE_END,),
    ),
    "a-name-of-a-tool": ("anthropic", anthropic.tool(0), (MESSAGE_END,)),
}
"""The first piece of an answer: API, event, and the end of the stream."""


@pytest.mark.parametrize("name", FIRST)
def test_the_ttft_ends_with_the_first_piece_of_any_kind(name: str) -> None:
    api, piece, end = FIRST[name]
    begin = ROLE if api == "openai" else anthropic.START
    record = record_of(*chunked([begin, b": ping\n\n", WAIT, piece, WAIT, *end]), api=api)
    assert record.outcome is Outcome.OK
    assert record.ttft_s is not None
    assert WAIT <= record.ttft_s < record.e2e_s - WAIT / 2


@pytest.mark.parametrize("api", ["openai", "anthropic"])
def test_an_answer_without_a_piece_has_no_ttft(api: str) -> None:
    events = [ROLE, *FINISHED] if api == "openai" else [anthropic.START, anthropic.event("ping"), MESSAGE_END]
    record = record_of(*chunked(events), api=api)
    assert (record.outcome, record.ttft_s, record.output_tokens) == (Outcome.OK, None, 0)


@pytest.mark.parametrize(
    "kind", ["content", "reasoning_content", "reasoning", "refusal", "arguments", "a-text", "a-thinking", "a-arguments"]
)
def test_each_chunk_of_one_character_is_logged_with_its_time(kind: str) -> None:
    api = "anthropic" if kind.startswith("a-") else "openai"
    pieces = ["[", *["1", ","] * 5, "1]"] if "arguments" in kind else CHARS
    events = [piece_of(kind, text) for text in pieces]
    end = FINISHED if api == "openai" else (MESSAGE_END,)
    begin = [anthropic.START] if api == "anthropic" else [ROLE]
    record = record_of(*chunked([*begin, *spaced(events), *end]), api=api)
    assert record.outcome is Outcome.OK, record.message
    assert record.answer is not None
    times = record.answer.chunk_times_s
    assert len(times) == len(record.answer.chunk_tokens) == 12
    assert min(record.answer.chunk_tokens) == 1
    assert record.tokens_estimated
    assert times[-1] - times[0] >= 11 * GAP * 0.8
    assert sum(later > earlier for earlier, later in pairwise(times)) >= 9  # a busy machine may read two at once


def test_the_longest_gap_is_that_between_two_pieces() -> None:
    events = [*spaced([words(char) for char in CHARS[:4]]), b": busy\n\n", WAIT, ROLE, *spaced([words("z")]), *FINISHED]
    record = record_of(*chunked(events))
    assert record.answer is not None
    assert record.answer.max_gap_s is not None
    assert WAIT <= record.answer.max_gap_s < 3.0


SLOW: dict[str, tuple[Any, ...]] = {
    "words": chunked([*(step for char in CHARS for step in (0.08, words(char))), *FINISHED]),
    "comments": chunked([*(step for _ in range(10) for step in (0.08, b": busy\n\n")), words("ab"), *FINISHED]),
    "bytes-of-an-event": chunked(
        [*(step for part in (words("ab")[n : n + 16] for n in range(0, 200, 16)) for step in (0.05, part)), *FINISHED]
    ),
    "until-the-close-of-a-message": (*chunked([words("ab"), *FINISHED], end=False), 0.2, b"0\r\n", 0.2, b"\r\n"),
}
"""Streams that take longer than the limit, and are never silent for as long."""


@pytest.mark.parametrize("name", SLOW)
def test_a_slow_stream_without_a_long_silence_is_ok(name: str) -> None:
    record = record_of(*SLOW[name], timeout_s=0.35)
    assert record.outcome is Outcome.OK, record.message
    assert record.e2e_s > 0.35


SILENT: dict[str, tuple[tuple[Step, ...], Outcome]] = {
    "before-the-response": ((1.0,), Outcome.TIMEOUT),
    "in-the-head": ((b"HTTP/1.1 200 OK\r\nContent-Ty", 1.0), Outcome.TIMEOUT),
    "after-an-interim-response": ((b"HTTP/1.1 102 Processing\r\n\r\n", 1.0), Outcome.TIMEOUT),
    "after-the-head": ((head("200 OK", "Transfer-Encoding: chunked"), 1.0), Outcome.STALLED),
    "after-a-piece": (tuple(chunked([ROLE, words("ab"), 1.0])), Outcome.STALLED),
    "in-an-event": (tuple(chunked([words("ab")[:30], 1.0])), Outcome.STALLED),
    "in-a-chunk": ((head("200 OK", "Transfer-Encoding: chunked"), chunk(words("ab"))[:20], 1.0), Outcome.STALLED),
    "after-the-finish-reason": (tuple(chunked([words("ab"), STOP, 1.0])), Outcome.STALLED),
    "before-the-last-chunk": ((*chunked([words("ab"), *FINISHED], end=False), 1.0, LAST_CHUNK), Outcome.STALLED),
    "before-the-end-of-its-length": ((head(length=9000), words("ab"), *FINISHED, 1.0), Outcome.STALLED),
}
"""What comes before a silence above the limit, and the outcome of the call."""


@pytest.mark.parametrize("name", SILENT)
def test_a_silence_above_the_limit_ends_the_call(name: str) -> None:
    steps, outcome = SILENT[name]
    record = record_of(*steps, timeout_s=0.2)
    assert record.outcome is outcome
    assert 0.2 <= record.e2e_s < 0.9
    expected = Dialect(name="", why="", sends=(), outcome=outcome, status=record.status)
    assert problems(expected, record) == []


@pytest.mark.parametrize("status", ["400 X", "503 X"])
def test_a_silent_body_of_an_error_keeps_the_status(status: str) -> None:
    record = record_of(head(status, length=900), b'{"error": "busy"}', 1.0, timeout_s=0.2)
    assert record.status == int(status[:3])
    assert record.outcome in (Outcome.HTTP_4XX, Outcome.HTTP_5XX)
    assert "busy" in record.message
    assert record.e2e_s < 0.9
