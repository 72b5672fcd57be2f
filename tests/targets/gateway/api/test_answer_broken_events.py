"""Broken events in the middle of reads: nothing broken is passed on, and nothing whole before them is lost."""

from __future__ import annotations

import pytest

from targets.gateway.api.answer import AnswerStream
from targets.gateway.api.anthropic_stream import AnthropicStream
from targets.gateway.api.incoming import Body, error_in
from targets.gateway.api.openai_stream import OpenAIStream
from targets.gateway.api.sse import has_unknown_field


@pytest.mark.parametrize(
    ("event", "strange"),
    [
        (b"data: {}\n\n", False),
        (b": a comment\n\n", False),
        (b":\n\n", False),
        (b"event: ping\ndata: {}\nid: 7\nretry: 10\n\n", False),
        (b"event\ndata\n\n", False),
        (b"\xef\xbf\xbd{}\n\n", True),
        (b"event: content_block_delta\n{}\n\n", True),
        (b"<html>\n\n", True),
        (b" data: {}\n\n", True),
    ],
)
def test_a_line_without_a_fields_name_is_strange(event: bytes, strange: bool) -> None:
    assert has_unknown_field(event) == strange


def openai(text: str) -> bytes:
    return b'data: {"choices":[{"index":0,"delta":{"content":"%b"},"finish_reason":null}]}\n\n' % text.encode()


def anthropic(text: str) -> bytes:
    data = b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"%b"}}' % text.encode()
    return b"event: content_block_delta\ndata: " + data + b"\n\n"


BREAKS = [
    lambda event: event.replace(b"data: {", b"data: {{"),
    lambda event: event.replace(b'"index":0', b'"index":'),
    lambda event: event.replace(b"data: ", b""),
    lambda event: event.replace(b"}\n\n", b"\n\n"),
    lambda event: event.replace(b"0", b'"a string"'),
    lambda event: event.replace(b"data: ", b"data: null\ngarbage: "),
]


@pytest.mark.parametrize("hold", [True, False])
@pytest.mark.parametrize("broken", BREAKS)
@pytest.mark.parametrize(("stream_of", "made"), [(OpenAIStream, openai), (AnthropicStream, anthropic)])
def test_what_stands_before_a_broken_event_is_passed_on_and_nothing_after(
    stream_of: type[OpenAIStream | AnthropicStream], made: object, broken: object, hold: bool
) -> None:
    assert callable(made)
    assert callable(broken)
    stream: AnswerStream = stream_of(Body(stream=True), hold)
    assert stream.feed(made("abcd")) == made("abcd")
    passed = stream.feed(made("efgh") + broken(made("ijkl")) + made("mnop"))
    assert passed == made("efgh")
    assert stream.corrupt
    assert stream.error is not None
    assert (stream.events, stream.done) == (2, False)
    if hold:
        assert stream.text == "abcdefgh"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"error":{"message":"out of memory"}}', "out of memory"),
        (b'{"type":"error","error":{"type":"overloaded_error"}}', "{'type': 'overloaded_error'}"),
        (b'{"error":"no"}', "no"),
        (b'{"error":null,"choices":[]}', None),
        (b'{"choices":[{"message":{"content":"\\"error\\""}}]}', None),
        (b'["error"]', None),
    ],
)
def test_an_error_with_a_good_status_is_seen(body: bytes, error: str | None) -> None:
    assert error_in(body) == error
