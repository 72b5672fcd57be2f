from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from loadprofiles.replay import replay_sessions
from loadprofiles.replay.recorded import CommonPrefix, Recorded, RecordedCall
from loadprofiles.replay.tracelab import read_tracelab
from reports.shared.errors import InvalidFile
from reports.shared.tokens import TOKEN_CHARS
from tests.support.paths import DATA
from tests.support.recordings import lines, tracelab
from tests.support.session_player import common_chars, play, text_of

REAL = DATA / "tracelab"


def read(folder: Path, rows: list[Any], **given: bool) -> Recorded:
    return read_tracelab([lines(folder, "a.jsonl", rows)], **given)


def calls(recorded: Recorded, session: int = 0) -> list[RecordedCall]:
    return [step for step in recorded.sessions[session].main.steps if isinstance(step, RecordedCall)]


def test_the_rounds_of_a_session_are_its_calls_in_order_of_index(tmp_path: Path) -> None:
    rows = [tracelab(1, 1000, 50), tracelab(0, 9, 9, session="t"), tracelab(0, 900, 100, 7), tracelab(2, 500, 700)]
    recorded = read(tmp_path, rows)
    assert [recorded.sessions[i].name for i in range(len(recorded.sessions))] == ["s", "t"]
    found = calls(recorded)
    assert [(call.input_tokens, call.output_tokens) for call in found] == [(1000, 7), (1050, 40), (1200, 40)]
    assert [call.common for call in found] == [None, CommonPrefix(0, None), CommonPrefix(1, 500)]
    assert recorded.sessions[0].main.system_tokens == 900
    assert recorded.starts_s is None


def test_waits_are_the_longest_tool_and_a_persons_pause(tmp_path: Path) -> None:
    rows = [
        tracelab(0, 0, 100, tools_ms=(860.0, 19291.0), events=(("user_message", "05:40:20.000"),)),
        tracelab(1, 100, 50, events=(("tool_result", "05:40:50.000"), ("text", "05:41:00.500"))),
        tracelab(2, 150, 50, events=(("user_message", "05:42:00.000"), ("text", "05:42:09.000"))),
        tracelab(3, 200, 50),
    ]
    found = calls(read(tmp_path, rows))
    assert [(call.wait_s, call.wait_why) for call in found[1:]] == [
        (19.291, "tool"),
        (59.5, "person"),
        (0.0, "person"),
    ]
    assert [call.asks_tool for call in found] == [True, False, False, False]


def test_sessions_share_the_prefix_of_their_first_call(tmp_path: Path) -> None:
    path = lines(tmp_path, "a.jsonl", [tracelab(0, 1200, 120), tracelab(1, 1310, 120)])
    sessions = list(play(islice(replay_sessions(path, {"shrink": 1.0}, 7, "r"), 2)).values())
    one, other = (text_of(played.calls["main"][0].messages) for played in sessions)
    assert 1200 <= common_chars(one, other) / TOKEN_CHARS < 1204
    first, second = (text_of(call.messages) for call in sessions[0].calls["main"])
    assert (len(first), len(second)) == (1320 * TOKEN_CHARS, 1430 * TOKEN_CHARS)
    assert second.startswith(first)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ('{"session_id": "s", "round_index', "truncated"),
        ({"session_id": "s", "round_index": 1}, "prefix_tokens"),
        (tracelab(1, -1, 5), "prefix_tokens"),
        (tracelab(1, 1, 10**12), "newly_append_tokens"),
        (tracelab(1, 0, 0), "the prompt is empty"),
        (tracelab(1, 1, 1, out=None), "output_tokens"),  # type: ignore[arg-type]
        (tracelab(0, 1, 1), "session s already has a round 0"),
        (tracelab(1, 1, 1, tools_ms=(-5.0,)), "tool_wall_latency_ms"),
        (tracelab(1, 1, 1, events=(("text", "25:00:00"),)), "timestamp"),
        (tracelab(1, 1, 1) | {"session_id": ""}, "session_id"),
    ],
)
def test_an_invalid_line_is_reported_with_its_number_and_can_be_skipped(tmp_path: Path, row: object, says: str) -> None:
    rows = [tracelab(0, 5, 5), row, tracelab(2, 5, 5)]
    with pytest.raises(InvalidFile, match=says) as caught:
        read(tmp_path, rows)
    (problem,) = caught.value.problems
    assert (Path(problem.file).name, problem.line) == ("a.jsonl", 2)
    recorded = read(tmp_path, rows, skip_bad=True)
    assert (len(calls(recorded)), recorded.skipped_count) == (2, 1)


def test_a_session_may_span_files_but_a_duplicate_round_is_a_mistake(tmp_path: Path) -> None:
    one, two = lines(tmp_path, "a.jsonl", [tracelab(0, 5, 5)]), lines(tmp_path, "b.jsonl", [tracelab(1, 5, 5)])
    assert len(calls(read_tracelab([one, two]))) == 2
    with pytest.raises(InvalidFile, match=r"a\.jsonl:1: session s already has a round 0"):
        read_tracelab([one, one])


def test_times_that_go_backwards_give_no_wait(tmp_path: Path) -> None:
    rows = [
        tracelab(0, 0, 100, events=(("text", "05:41:00.500"),)),
        tracelab(1, 100, 50, events=(("user_message", "05:40:00.000"),)),
    ]
    assert calls(read(tmp_path, rows))[1].wait_s == 0.0


@pytest.mark.skipif(not os.path.isdir(REAL), reason=f"no recordings in {REAL}")
def test_real_sessions_keep_their_token_counts_and_tool_times() -> None:
    recorded = read_tracelab(sorted(REAL.glob("*.jsonl")))
    assert [len(calls(recorded, i)) for i in range(len(recorded.sessions))] == [10, 9]
    first = calls(recorded)
    assert [call.input_tokens for call in first[:3]] == [32272, 35740, 38592]
    assert [call.common for call in first[:3]] == [None, CommonPrefix(0, 29380), CommonPrefix(1, None)]
    assert [call.wait_s for call in first[1:3]] == [19.291, 12.688]
