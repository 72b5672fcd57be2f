from __future__ import annotations

import json
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadprofiles.replay.claude_code import read_session
from loadprofiles.replay.plan import plan_replay
from loadprofiles.replay.recorded import RecordedSession
from loadprofiles.replay.shaping import TraceOptions
from loadprofiles.sessions.session import Call
from reports.shared.tokens import TOKEN_CHARS, find_marker, marker_text
from tests.support.recordings import REAL, needs_real, request, session, sub_agent, write
from tests.support.session_player import FAILED, Played, common_chars, play, replica_answer, text_of

FULL = TraceOptions(rate=1, speed=1, max_pause_s=1e6, shrink=1, max_calls=None)


def played(recorded: RecordedSession, options: TraceOptions = FULL, count: int = 1, **given: Any) -> list[Played]:
    return list(play(islice(plan_replay([recorded], options, 7, "r"), count), **given).values())


def replay(folder: Path, requests: list[dict[str, Any]], options: TraceOptions = FULL, **given: Any) -> Played:
    return played(read_session(write(folder, session(requests))), options, **given)[0]


def texts(calls: list[Call]) -> list[str]:
    return [text_of(call.messages) for call in calls]


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Requests that grow, rewind, return, repeat, and begin a new conversation."""
    fresh = iter(range(10_000))
    history = [[next(fresh) for _ in range(draw(st.integers(9, 14)))]]
    for _ in range(draw(st.integers(1, 7))):
        base = draw(st.sampled_from(history))
        kept = draw(st.sampled_from([len(base), len(base), draw(st.integers(0, len(base)))]))
        history.append(base[:kept] + [next(fresh) for _ in range(draw(st.integers(0 if kept else 1, 8)))])
    requests = []
    for blocks in history:
        extra = draw(st.integers(0, 63))
        stop = draw(st.sampled_from(["tool_use", "end_turn", ""]))
        out = draw(st.integers(0, 300))
        requests.append(request(blocks, stop=stop, out=out, **{"in": 64 * len(blocks) + extra}))
    return requests


@settings(max_examples=120, deadline=None)
@given(conversations(), st.sampled_from([1.0, 1.7, 3.0]))
def test_a_replay_keeps_token_counts_and_common_prefixes(requests: list[dict[str, Any]], shrink: float) -> None:
    options = TraceOptions(rate=1, speed=1, shrink=shrink, max_calls=None)
    folder = Path(__file__).parent  # not written to
    recorded = _read(folder, requests)
    calls = played(recorded, options)[0].calls["main"]
    found = texts(calls)
    assert [call.max_tokens for call in calls] == [max(round(one["out"] / shrink), 1) for one in requests]
    for i, (one, text) in enumerate(zip(requests, found, strict=True)):
        wanted = max(round(one["in"] / shrink), 16)
        assert len(text) == wanted * TOKEN_CHARS
        for j in range(i):
            other = requests[j]
            blocks = next(
                (k for k, (a, b) in enumerate(zip(one["hash_ids"], other["hash_ids"], strict=False)) if a != b),
                min(len(one["hash_ids"]), len(other["hash_ids"])),
            )
            common = common_chars(text, found[j]) / TOKEN_CHARS
            # a common prefix stays common, except for a marker and the room for one
            assert common >= min(blocks * 64 / shrink, wanted, len(found[j]) / TOKEN_CHARS) - 33
            if blocks > 8:  # beyond the shared prefix
                assert common <= (blocks + 1) * 64 / shrink + 300 / shrink + 8


def _read(folder: Path, requests: list[dict[str, Any]]) -> RecordedSession:
    from loadprofiles.replay.claude_code import _Reading

    return _Reading(str(folder / "made"), json.dumps(session(requests)).encode()).session("made")


def test_a_growing_conversation_keeps_its_messages_and_the_answers_received(tmp_path: Path) -> None:
    calls = replay(tmp_path, [request(range(10)), request(range(14)), request(range(16), stop="end_turn")]).calls[
        "main"
    ]
    for before, after in pairwise(calls):
        n = len(before.messages)
        assert all(one is other for one, other in zip(after.messages, before.messages, strict=False))
        answer, result = after.messages[n:]
        received = replica_answer(before)
        (tool_call,) = answer.tool_calls
        assert (answer.text, (tool_call.arguments,)) == (received.text, received.tool_arguments)
        assert (result.role, result.tool_call_id) == ("tool", tool_call.id)
    assert [call.tools for call in calls] == [True, True, False]
    assert [message.role for message in calls[0].messages] == ["system", "user"]


def test_an_answer_is_cut_if_the_recorded_prompt_has_no_room_for_it(tmp_path: Path) -> None:
    calls = replay(tmp_path, [request(range(10), out=500), request(range(12))]).calls["main"]
    *_, answer, last = calls[1].messages
    assert (answer.role, answer.tool_calls) == ("assistant", ())
    assert replica_answer(calls[0]).text.startswith(answer.text)
    assert last.role == "user"
    assert len(text_of(calls[1].messages)) == 12 * 64 * TOKEN_CHARS


def test_a_prompt_that_is_sent_again_is_equal_up_to_its_marker(tmp_path: Path) -> None:
    calls = replay(tmp_path, [request(range(10)), request(range(10))]).calls["main"]
    one, other = texts(calls)
    assert len(one) == len(other)
    assert common_chars(one, other) >= len(one) - 16 * TOKEN_CHARS
    assert [call.marker.turn for call in calls] == [0, 1]


@pytest.mark.parametrize("shrink", [1.0, 5.0, 400.0])
def test_each_prompt_ends_in_its_own_marker_and_contains_no_partial_marker(tmp_path: Path, shrink: float) -> None:
    requests = [
        request(range(10)),
        request(range(14), stop="end_turn"),
        request([*range(12), 50, 51]),
        request([70]),
        sub_agent(5.0, [request(range(1000, 1008)), request(range(1000, 1012))]),
    ]
    options = TraceOptions(rate=1, shrink=shrink, max_calls=None)
    for calls in replay(tmp_path, requests, options).calls.values():
        for call in calls:
            last = [message for message in call.messages if message.role != "assistant"][-1]
            assert last is call.messages[-1]
            assert find_marker(last.text) == call.marker
            assert last.text.endswith(marker_text(call.marker))
            for message in call.messages:
                assert message.text.count("[") == message.text.count("]") <= 1


def test_sessions_share_only_the_tools_and_the_system_prompt(tmp_path: Path) -> None:
    recorded = read_session(write(tmp_path, session([request(range(20))])))
    one, other = (texts(session.calls["main"])[0] for session in played(recorded, count=2))
    assert common_chars(one, other) // TOKEN_CHARS in range(512, 516)


def test_sub_agents_play_concurrently_after_their_own_delays(tmp_path: Path) -> None:
    begin = list(range(1000, 1008))
    requests = [
        request(range(10), api_time=10.0),
        sub_agent(15.0, [request([*begin, 1]), request([*begin, 1, 2], t=3.0, api_time=27.0)]),
        sub_agent(19.0, [request([*begin, 4])]),
        request(range(12), 60.0),
    ]
    session = replay(tmp_path, requests)
    assert session.forks == [("sub-1", "sub-2")]
    assert {agent: len(calls) for agent, calls in session.calls.items()} == {"main": 2, "sub-1": 2, "sub-2": 1}
    assert [pause.seconds for pause in session.pauses["main"]] == [5.0, 15.0]
    assert [pause.seconds for pause in session.pauses["sub-2"]] == [4.0]
    one, other = (texts(session.calls[agent])[0] for agent in ("sub-1", "sub-2"))
    assert common_chars(one, other) // TOKEN_CHARS in range(8 * 64 - 2, 8 * 64 + 4)
    assert session.calls["sub-1"][0].messages[0].text != session.calls["main"][0].messages[0].text


def test_a_session_is_the_same_in_any_interleaving_of_its_sub_agents(tmp_path: Path) -> None:
    subs = [sub_agent(5.0, [request(range(b, b + 6 + k)) for k in range(4)], duration_ms=9e4) for b in (1000, 2000)]
    recorded = read_session(write(tmp_path, session([request(range(10)), *subs, request(range(12), 200.0)])))
    assert (
        played(recorded, count=3) == played(recorded, count=3, interleave=5) == played(recorded, count=3, interleave=6)
    )


@pytest.mark.parametrize("failing", ["main", "sub-1"])
def test_a_failed_call_ends_the_session_as_lost(tmp_path: Path, failing: str) -> None:
    requests = [request(range(10)), sub_agent(5.0, [request(range(90, 96))]), request(range(12), 60.0)]
    session = replay(tmp_path, requests, answer=lambda call: FAILED if call.agent == failing else replica_answer(call))
    assert session.succeeded is False
    assert len(session.calls["main"]) == 1


@needs_real
def test_real_sessions_keep_their_token_counts_and_prefix_hits() -> None:
    shrink = 12.0
    for path in sorted(REAL.glob("*.json")):
        recorded = read_session(path)
        requests = [one for one in json.loads(path.read_text())["requests"] if one["type"] != "subagent"]
        calls = played(recorded, TraceOptions(rate=1, shrink=shrink, max_calls=None))[0].calls["main"]
        found = texts(calls)
        assert [len(text) // TOKEN_CHARS for text in found] == [round(one["in"] / shrink) for one in requests]
        for i in range(1, len(requests)):
            ids, before = requests[i]["hash_ids"], requests[i - 1]["hash_ids"]
            blocks = next((k for k, (a, b) in enumerate(zip(ids, before, strict=False)) if a != b), len(before))
            recorded_hit = requests[i - 1]["in"] if blocks == len(before) else 64 * blocks
            hit = common_chars(found[i], found[i - 1]) / TOKEN_CHARS
            # differs by at most a marker, the room for one, and the block in which they diverge
            assert abs(hit - recorded_hit / shrink) <= 34
