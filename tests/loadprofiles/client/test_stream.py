"""Streams are read correctly in any packets; the fast path reads what the slow path reads."""

from __future__ import annotations

import pytest

from loadprofiles.client.answer import Answer
from loadprofiles.client.client import WIRES
from loadprofiles.client.judge import Provability, judge
from loadprofiles.client.stream import StreamReader, read_complete_body
from loadprofiles.client.wire import argument_tokens
from reports.shared.attributes import Outcome
from tests.support.answer_streams import PIECES, TOKENS, read_stream, stream_of
from tests.support.scripted_server import anthropic_event, anthropic_events, openai_chunk, openai_events


@pytest.mark.parametrize("api", ["openai", "anthropic"])
@pytest.mark.parametrize("crlf", [False, True])
@pytest.mark.parametrize("size", [1, 7, 150, 2_000, 1_000_000])
def test_any_packets_and_line_ends_give_the_same_answer(api: str, crlf: bool, size: int) -> None:
    answer = read_stream(api, stream_of(api), seed=size, size=size, crlf=crlf)
    assert answer.text == TOKENS
    assert answer.chunk_tokens == [1] * 40
    assert (answer.terminals, answer.corrupt, answer.error) == (1, None, None)
    assert answer.usage.output_tokens == 7
    assert (answer.usage.input_tokens, answer.usage.cached_tokens) == (100, 90)
    assert answer.model == "m"


@pytest.mark.parametrize("api", ["openai", "anthropic"])
def test_tool_arguments_are_collected_and_only_their_tokens_counted(api: str) -> None:
    parts = ['{"input":"', *PIECES[32:], '"}']
    make = openai_events if api == "openai" else anthropic_events
    data = b"".join(make(PIECES[:32], arguments=parts, finish="tool_calls"))
    answer = read_stream(api, data)
    assert answer.text == "".join(PIECES[:32])
    assert answer.arguments == '{"input":"' + "".join(PIECES[32:]) + '"}'
    assert sum(answer.chunk_tokens) == 40
    found = judge(answer, TOKENS, Provability(True), message_complete=True, stalled=False)
    assert found.outcome is Outcome.OK


def test_fast_and_slow_path_agree_on_escaped_and_non_ascii_content() -> None:
    pieces = [
        "plain",
        'with "quotes"',
        "back\\slash",
        "ünï",
        "日本語",
        "new\nline",
        "",
        "plain again",
        "\u2028",
        "}]}",
        "data: x",
    ]
    answer = read_stream("openai", b"".join(openai_events(pieces)), size=9)
    assert answer.text == "".join(pieces)


def test_a_template_does_not_match_a_chunk_with_different_json() -> None:
    frame = openai_chunk("abcd")
    changed = frame.replace(b'"finish_reason":null', b'"finish_reason":"length"')
    other_key = frame.replace(b'"content"', b'"unknown"')
    answer = read_stream("openai", frame + frame + other_key + changed)
    assert answer.text == "abcd" * 3
    assert (answer.finish, answer.finish_count) == ("length", 1)


def test_the_role_chunk_is_not_the_first_token() -> None:
    reader = StreamReader(WIRES["openai"])
    for at, event in enumerate(openai_events(["abcd", "efgh"]), start=1):
        reader.feed(event, float(at))
    answer = reader.finish(True)
    assert answer.chunk_times_s == [2.0, 3.0]


def test_the_longest_gap_is_between_chunks_that_contain_tokens() -> None:
    reader = StreamReader(WIRES["openai"])
    for at, piece in ((1.0, "abcd"), (1.5, "efgh"), (4.0, "ijkl"), (4.25, "mnop")):
        reader.feed(openai_chunk(piece), at)
    assert reader.finish(False).max_gap_s == 2.5
    assert Answer().max_gap_s is None


@pytest.mark.parametrize("api", ["openai", "anthropic"])
def test_an_error_event_ends_the_stream(api: str) -> None:
    if api == "openai":
        data = openai_chunk("abcd") + b'data: {"error":{"message":"engine died"}}\n\n' + openai_chunk("efgh")
    else:
        data = b"".join(anthropic_events(["abcd"])[:4]) + anthropic_event("error", error={"type": "overloaded_error"})
    answer = read_stream(api, data)
    assert answer.error is not None
    assert answer.text == "abcd"


@pytest.mark.parametrize("bad", [b"data: {not json}\n\n", b"data: 17\n\n", b"data: null\n\n", b"data: : ping\n\n"])
def test_an_unparseable_event_is_corrupt(bad: bytes) -> None:
    answer = read_stream("openai", openai_chunk("abcd") + bad)
    assert answer.corrupt is not None


def test_an_html_page_instead_of_a_stream_is_corrupt() -> None:
    assert read_stream("openai", b"<html>sorry</html>").corrupt is not None


def test_comments_and_unknown_fields_are_ignored() -> None:
    data = b": keep-alive\n\nid: 7\nretry: 10\ndata: [DONE]\n\n"
    assert read_stream("openai", data).end_count == 1


def test_duplicate_and_missing_terminal_events_are_counted() -> None:
    assert read_stream("openai", stream_of("openai") + b"data: [DONE]\n\n").terminals == 2
    assert read_stream("openai", stream_of("openai", done=False)).terminals == 0
    assert read_stream("openai", stream_of("openai", finish=None)).terminals == 0
    assert read_stream("anthropic", stream_of("anthropic", stop=False)).terminals == 0


def test_complete_bodies_of_both_apis_are_read() -> None:
    openai = (
        b'{"model":"m","choices":[{"message":{"content":"abcd","tool_calls":[{"function":{"name":"bash",'
        b'"arguments":"{\\"input\\":\\"efgh\\"}"}}]},"finish_reason":"tool_calls"}],"usage":{"completion_tokens":2}}'
    )
    anthropic = (
        b'{"type":"message","model":"m","content":[{"type":"text","text":"abcd"},{"type":"tool_use","id":"x",'
        b'"name":"bash","input":{"input": "efgh"}}],"stop_reason":"tool_use",'
        b'"usage":{"input_tokens":1,"output_tokens":2}}'
    )
    for api, body in (("openai", openai), ("anthropic", anthropic)):
        answer = read_complete_body(WIRES[api], body, 3.0)
        assert (answer.text, argument_tokens(answer.arguments)) == ("abcd", ("efgh", True))
        assert (answer.terminals, answer.chunk_times_s, answer.usage.output_tokens) == (1, [3.0], 2)
    assert read_complete_body(WIRES["openai"], b"<html>", 0.0).corrupt is not None
    assert read_complete_body(WIRES["anthropic"], b'{"type":"error","error":{"message":"no"}}', 0.0).error is not None
