"""Streams are read right however they are cut into packets, and the fast path reads what the long way reads."""

from __future__ import annotations

import random

import pytest

from loadprofiles.client.client import WIRES
from loadprofiles.client.judge import Provability, judge
from loadprofiles.client.sse import parse_block, split_blocks
from loadprofiles.client.stream import Answer, StreamReader, read_complete_body
from loadprofiles.client.wire import argument_tokens
from reports.shared.attributes import Outcome
from reports.shared.tokens import token_stream
from tests.support.scripted_server import anthropic_event, anthropic_events, openai_chunk, openai_events

TOKENS = token_stream("s-1/main#0", 40)
PIECES = [TOKENS[i : i + 4] for i in range(0, 160, 4)]


def read(api: str, data: bytes, *, seed: int = 0, size: int = 10_000_000, crlf: bool = False) -> Answer:
    reader = StreamReader(WIRES[api])
    rng = random.Random(seed)
    if crlf:
        data = data.replace(b"\n", b"\r\n")
    at, now = 0, 0.0
    while at < len(data) and not reader.stopped:
        step = rng.randint(1, size)
        now += 1
        reader.feed(data[at : at + step], now)
        at += step
    return reader.finish(True)


def stream_of(api: str, **options: object) -> bytes:
    make = openai_events if api == "openai" else anthropic_events
    return b"".join(make(PIECES, **options))  # type: ignore[operator]


@pytest.mark.parametrize("api", ["openai", "anthropic"])
@pytest.mark.parametrize("crlf", [False, True])
@pytest.mark.parametrize("size", [1, 7, 150, 2_000, 1_000_000])
def test_any_packets_and_line_ends_give_the_same_answer(api: str, crlf: bool, size: int) -> None:
    answer = read(api, stream_of(api), seed=size, size=size, crlf=crlf)
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
    answer = read(api, data)
    assert answer.text == "".join(PIECES[:32])
    assert answer.arguments == '{"input":"' + "".join(PIECES[32:]) + '"}'
    assert sum(answer.chunk_tokens) == 40
    found = judge(answer, TOKENS, Provability(True), message_complete=True, stalled=False)
    assert found.outcome is Outcome.OK


def test_fast_path_and_long_way_agree_on_content_that_needs_care() -> None:
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
    answer = read("openai", b"".join(openai_events(pieces)), size=9)
    assert answer.text == "".join(pieces)


def test_a_template_is_not_fooled_by_a_changed_frame() -> None:
    frame = openai_chunk("abcd")
    changed = frame.replace(b'"finish_reason":null', b'"finish_reason":"length"')
    other_key = frame.replace(b'"content"', b'"refusal"')
    answer = read("openai", frame + frame + other_key + changed)
    assert answer.text == "abcd" * 3
    assert (answer.finish, answer.finish_count) == ("length", 1)


def test_first_token_is_not_the_role_chunk() -> None:
    reader = StreamReader(WIRES["openai"])
    for at, event in enumerate(openai_events(["abcd", "efgh"]), start=1):
        reader.feed(event, float(at))
    answer = reader.finish(True)
    assert answer.chunk_times_s == [2.0, 3.0]


def test_longest_gap_is_between_chunks_that_carry_tokens() -> None:
    reader = StreamReader(WIRES["openai"])
    for at, piece in ((1.0, "abcd"), (1.5, "efgh"), (4.0, "ijkl"), (4.25, "mnop")):
        reader.feed(openai_chunk(piece), at)
    assert reader.finish(False).max_gap_s == 2.5
    assert Answer().max_gap_s is None


@pytest.mark.parametrize("api", ["openai", "anthropic"])
def test_an_error_inside_a_stream_ends_it(api: str) -> None:
    if api == "openai":
        data = openai_chunk("abcd") + b'data: {"error":{"message":"engine died"}}\n\n' + openai_chunk("efgh")
    else:
        data = b"".join(anthropic_events(["abcd"])[:4]) + anthropic_event("error", error={"type": "overloaded_error"})
    answer = read(api, data)
    assert answer.error is not None
    assert answer.text == "abcd"


@pytest.mark.parametrize(
    "bad", [b"data: {not json}\n\n", b"data: 17\n\n", b'data: {"choices":17}\n\n', b"data: {}\n\n"]
)
def test_an_unparseable_event_is_corrupt(bad: bytes) -> None:
    answer = read("openai", openai_chunk("abcd") + bad)
    assert answer.corrupt is not None


def test_a_page_instead_of_a_stream_is_corrupt() -> None:
    assert read("openai", b"<html>sorry</html>").corrupt is not None


def test_comments_and_unknown_fields_are_passed_over() -> None:
    data = b": keep-alive\n\nid: 7\nretry: 10\ndata: [DONE]\n\n"
    assert read("openai", data).end_count == 1


def test_double_and_missing_terminals_are_seen() -> None:
    assert read("openai", stream_of("openai") + b"data: [DONE]\n\n").terminals == 2
    assert read("openai", stream_of("openai", done=False)).terminals == 0
    assert read("openai", stream_of("openai", finish=None)).terminals == 0
    assert read("anthropic", stream_of("anthropic", stop=False)).terminals == 0


def judged(
    answer: Answer, complete: bool = True, provable: bool | None = True
) -> tuple[Outcome, int | None, bool | None]:
    found = judge(answer, TOKENS, Provability(provable), message_complete=complete, stalled=False)
    return found.outcome, found.tokens_lost, found.silently_truncated


def test_complete_needs_finish_reason_and_end_and_whole_message() -> None:
    assert judged(read("openai", stream_of("openai"))) == (Outcome.OK, 0, False)
    assert judged(read("openai", stream_of("openai")), complete=False)[0] is Outcome.TRUNCATED
    assert judged(read("openai", stream_of("openai", done=False)))[0] is Outcome.TRUNCATED
    assert judged(read("openai", stream_of("openai", finish=None))) == (Outcome.TRUNCATED, 0, True)


def test_a_short_answer_that_looks_whole_is_silently_truncated_and_a_visible_cut_is_not() -> None:
    short = b"".join(openai_events(PIECES[:30]))
    assert judged(read("openai", short)) == (Outcome.TRUNCATED, 10, True)
    assert judged(read("openai", short), complete=False) == (Outcome.TRUNCATED, 0, False)
    assert judged(read("openai", short), provable=False) == (Outcome.OK, None, None)


def test_another_kind_of_speaker_is_not_measured_until_the_target_has_shown_itself() -> None:
    prose = read("openai", b"".join(openai_events(["The quick ", "brown fox"])))
    unknown = Provability(None)
    found = judge(prose, TOKENS, unknown, message_complete=True, stalled=False)
    assert (found.outcome, found.integrity, found.silently_truncated) == (Outcome.OK, None, None)
    exact = judge(read("openai", stream_of("openai")), TOKENS, unknown, message_complete=True, stalled=False)
    assert exact.integrity is not None
    later = judge(prose, TOKENS, unknown, message_complete=True, stalled=False)
    assert later.outcome is Outcome.CORRUPT


def test_wrong_tokens_are_corrupt() -> None:
    other = token_stream("s-2/main#0", 20)
    pieces = [*PIECES[:20], *(other[i : i + 4] for i in range(0, 80, 4))]
    assert judged(read("openai", b"".join(openai_events(pieces))))[0] is Outcome.CORRUPT


def test_whole_bodies_of_both_apis() -> None:
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


def test_incomplete_arguments_give_the_tokens_so_far() -> None:
    assert argument_tokens('{"input":"abcd') == ("abcd", False)
    assert argument_tokens('{"input":"abcd"') == ("abcd", False)
    assert argument_tokens('{"inp') == ("", False)
    assert argument_tokens('{"other":1}') == ('{"other":1}', False)


def test_event_stream_blocks() -> None:
    blocks, rest = split_blocks(b"data: a\r\n\r\nevent: x\rdata: b\rdata: c\r\rdata: d\n\r")
    assert [parse_block(block) for block in blocks] == [("message", b"a"), ("x", b"b\nc")]
    assert rest == b"data: d\n\r"
