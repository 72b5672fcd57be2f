"""Any bytes, cut into any reads: the answer does not depend on the cuts, and nothing raises."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loadprofiles.client.answer import Answer
from loadprofiles.client.client import WIRES
from loadprofiles.client.judge import Provability, judge
from loadprofiles.client.stream import StreamReader, read_complete_body
from tests.support.dialects import anthropic, openai
from tests.support.dialects.case import Close, Dialect
from tests.support.dialects.http import LAST_CHUNK, head
from tests.support.dialects.play import play, problems

STREAMS = {
    "openai": b"".join(
        (
            b"\xef\xbb\xbf: hello\n\n",
            openai.words(*openai.PIECES, "\u6e21\u8f2a", 'a "quoted"\n', "x" * 40, "y" * 40),
            openai.words("Hm", key="reasoning"),
            openai.tool(0, "", id="a", name="bash"),
            *(openai.tool(0, piece) for piece in ('{"input": ', "12345678", "}")),
            openai.tool(1, "{}", id="b", name="bash"),
            openai.END,
        )
    ),
    "anthropic": b"".join(
        (
            anthropic.START,
            anthropic.event("ping"),
            anthropic.text_block(0, (*openai.PIECES, "\u6e21\u8f2a", 'a "quoted"\n', "x" * 40, "y" * 40)),
            anthropic.tool(1, '{"input": ', "12345678", "}"),
            anthropic.END,
        )
    ),
}
APIS = st.sampled_from(sorted(STREAMS))
LINE_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
CUTS = st.lists(st.integers(0, 6000), max_size=40)
TOKENS = st.sampled_from(
    [
        *(b"data: ", b"data:", b"event: error\n", b"event: message_delta\n", b": x\n", b"\n", b"\n\n", b"\r", b"\r\n"),
        *(
            b"[DONE]",
            b"null",
            b"[]",
            b"{}",
            b'"',
            b"\\",
            b"\x00",
            b"\xff",
            b"\xe6",
            b"1e999",
            b"NaN",
            b'"\\ud800"',
            b"<html>",
        ),
        *(b'{"choices":[{"delta":{"content":"', b'"}}]}', b'{"choices":[{"delta":{"tool_calls":[', b"]}}]}"),
        *(b'{"index":0,"function":{"arguments":', b"}", b"abcd", b'{"error":', b'{"choices":[{"finish_reason":'),
        *(b'{"usage":{"completion_tokens":', b'{"type":"message_start","message":', b'{"content":['),
        b'{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","input":',
    ]
)


def read(api: str, data: bytes, cuts: list[int], *, complete: bool = True) -> Answer:
    reader = StreamReader(WIRES[api])
    places = sorted({0, *(cut for cut in cuts if cut < len(data)), len(data)})
    for begin, end in pairwise(places):
        reader.feed(data[begin:end], float(begin))
    return reader.finish(complete, float(len(data)))


def without_times(answer: Answer) -> Answer:
    return dataclasses.replace(answer, chunk_times_s=[0.0] * len(answer.chunk_times_s))


@settings(max_examples=300, deadline=None)
@given(APIS, LINE_ENDS, CUTS)
def test_the_cuts_between_reads_do_not_change_the_answer(api: str, line_end: bytes, cuts: list[int]) -> None:
    data = STREAMS[api].replace(b"\n", line_end)
    whole = read(api, data, [])
    assert (whole.corrupt, whole.error, whole.terminals) == (None, None, 1)
    assert without_times(read(api, data, cuts)) == without_times(whole)


@settings(max_examples=300, deadline=None)
@given(APIS, st.lists(TOKENS, max_size=30), CUTS, st.booleans())
def test_the_cuts_do_not_change_how_damaged_bytes_are_read(
    api: str, parts: list[bytes], cuts: list[int], complete: bool
) -> None:
    data = b"".join(parts)
    whole = read(api, data, [], complete=complete)
    assert without_times(read(api, data, cuts, complete=complete)) == without_times(whole)


@settings(max_examples=200, deadline=None)
@given(APIS, st.integers(0, 4000), TOKENS, CUTS, st.booleans())
def test_a_damaged_stream_is_read_the_same_with_any_cuts(
    api: str, place: int, damage: bytes, cuts: list[int], complete: bool
) -> None:
    data = STREAMS[api][:place] + damage + STREAMS[api][place:]
    whole = read(api, data, [], complete=complete)
    assert without_times(read(api, data, cuts, complete=complete)) == without_times(whole)


@settings(max_examples=300, deadline=None)
@given(APIS, st.one_of(st.binary(max_size=300), st.lists(TOKENS, max_size=30).map(b"".join)))
@example("openai", b'data: {"choices":[{"delta":{"tool_calls":[{"function":{"arguments":{"a":"\\ud800"}}}]}}]}\n\n')
@example("anthropic", b'data: {"type":"message_delta","usage":{"output_tokens":1' + b"0" * 400 + b"}}\n\n")
def test_no_bytes_make_reading_or_judging_raise(api: str, data: bytes) -> None:
    for answer in (
        read(api, data, []),
        read(api, data, [7], complete=False),
        read_complete_body(WIRES[api], data, 0.0),
    ):
        judge(answer, "abcdefgh", Provability(None), message_complete=True, stalled=False)
        for text in (answer.text, answer.error, answer.corrupt, answer.model, answer.finish):
            (text or "").encode()
        for call in answer.tool_calls:
            (call.name + call.arguments).encode()


@pytest.mark.parametrize("api", ["openai", "anthropic"])
@settings(max_examples=25, deadline=None)
@given(
    body=st.one_of(st.binary(max_size=200), st.lists(TOKENS, max_size=12).map(b"".join)),
    status=st.sampled_from([200, 400, 503]),
    stream=st.booleans(),
)
def test_no_response_makes_a_call_raise(api: str, body: bytes, status: int, stream: bool) -> None:
    length = len(body)
    steps = (head(f"{status} X", length=length) + body,)
    record = play(Dialect(name="", why="", sends=(steps,), api=api, stream=stream))
    expected = Dialect(name="", why="", sends=(), api=api, outcome=record.outcome, status=status)
    assert problems(expected, record) == []


@settings(max_examples=25, deadline=None)
@given(
    data=st.one_of(
        st.binary(min_size=1, max_size=100),
        st.binary(max_size=40).map(lambda data: head("200 OK", "Transfer-Encoding: chunked") + data),
    )
)
def test_no_bytes_of_a_connection_make_a_call_raise(data: bytes) -> None:
    record = play(Dialect(name="", why="", sends=((data, LAST_CHUNK, Close.FIN),)))
    assert problems(Dialect(name="", why="", sends=(), outcome=record.outcome, status=record.status), record) == []
