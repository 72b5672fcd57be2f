"""Broken events in the middle of reads: none is forwarded, and no whole event before them is lost."""

from __future__ import annotations

import pytest

from targets.gateway.api.answer import AnswerStream
from targets.gateway.api.anthropic_stream import AnthropicStream
from targets.gateway.api.incoming import Body
from targets.gateway.api.openai_stream import OpenAIStream


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
def test_whole_events_before_a_broken_one_are_forwarded_and_none_after_it(
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
