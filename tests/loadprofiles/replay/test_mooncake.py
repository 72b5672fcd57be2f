from __future__ import annotations

import os
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadprofiles.replay import replay_sessions
from loadprofiles.replay.mooncake import read_mooncake
from loadprofiles.replay.recorded import Recorded, RecordedCall
from reports.shared.errors import InvalidFile
from reports.shared.tokens import TOKEN_CHARS, find_marker
from tests.support.paths import DATA
from tests.support.recordings import lines, mooncake
from tests.support.session_player import common_chars, play, text_of

REAL = DATA / "mooncake"


def read(folder: Path, rows: list[Any], **given: bool) -> Recorded:
    return read_mooncake([lines(folder, "a.jsonl", rows)], **given)


def chains(recorded: Recorded) -> list[list[list[int]]]:
    """The ids of each call of each session."""
    found = []
    for i in range(len(recorded.sessions)):
        steps = recorded.sessions[i].main.steps
        assert all(isinstance(step, RecordedCall) for step in steps)
        found.append([list(step.blocks.ids) for step in steps if isinstance(step, RecordedCall) and step.blocks])
    return found


def steps_of(recorded: Recorded, session: int) -> list[RecordedCall]:
    steps = recorded.sessions[session].main.steps
    return [step for step in steps if isinstance(step, RecordedCall)]


def test_a_request_that_extends_an_earlier_ones_full_blocks_continues_it(tmp_path: Path) -> None:
    first, other, more = [0, 1, 2], [0, 7, 8], [0, 1, 3, 4]
    rows = [mooncake(first), mooncake(other, 500), mooncake(more, 60_000), mooncake([0, 1, 3, 5, 6], 90_000)]
    recorded = read(tmp_path, rows)
    assert chains(recorded) == [[first, more, [0, 1, 3, 5, 6]], [other]]
    one = recorded.sessions[0].main.steps
    assert [step.wait_s for step in one] == [0.0, 60.0, 30.0]
    assert list(recorded.starts_s or ()) == [0.0, 0.5]


def test_a_request_that_shares_one_block_or_does_not_grow_starts_a_session(tmp_path: Path) -> None:
    rows = [mooncake([0], tokens=512), mooncake([0, 1]), mooncake([0, 1, 2]), mooncake([0, 1, 2])]
    assert chains(read(tmp_path, rows)) == [[[0]], [[0, 1]], [[0, 1, 2]], [[0, 1, 2]]]


def test_a_second_continuation_starts_a_new_session(tmp_path: Path) -> None:
    rows = [mooncake([0, 1, 2]), mooncake([0, 1, 3, 4]), mooncake([0, 1, 5, 6])]
    assert chains(read(tmp_path, rows)) == [[[0, 1, 2], [0, 1, 3, 4]], [[0, 1, 5, 6]]]


def test_of_two_open_calls_with_the_same_last_block_each_gets_its_continuation(tmp_path: Path) -> None:
    one, two = mooncake([0, 1, 2], tokens=1300), mooncake([0, 1, 3], 1000, tokens=1100)
    after_two, after_one = mooncake([0, 1, 4], 2000, tokens=1200), mooncake([0, 1, 5], 3000, tokens=1400)
    assert chains(read(tmp_path, [one, two, after_two, after_one])) == [
        [[0, 1, 2], [0, 1, 5]],
        [[0, 1, 3], [0, 1, 4]],
    ]


def test_an_open_call_with_other_blocks_before_the_last_does_not_hide_an_older_one(tmp_path: Path) -> None:
    rows = [mooncake([0, 1, 2], tokens=1100), mooncake([9, 1, 3], 1000, tokens=1100), mooncake([0, 1, 4], 2000)]
    assert chains(read(tmp_path, rows)) == [[[0, 1, 2], [0, 1, 4]], [[9, 1, 3]]]


def test_the_longest_call_whose_answer_fits_too_is_continued(tmp_path: Path) -> None:
    rows = [mooncake([0, 1, 2], tokens=1200, out=200), mooncake([0, 1, 3], 1000, tokens=1100, out=50)]
    continued = read(tmp_path, [*rows, mooncake([0, 1, 4], 2000, tokens=1250)])
    assert chains(continued) == [[[0, 1, 2]], [[0, 1, 3], [0, 1, 4]]]
    continued = read(tmp_path, [*rows, mooncake([0, 1, 4], 2000, tokens=1500)])
    assert chains(continued) == [[[0, 1, 2], [0, 1, 4]], [[0, 1, 3]]]


def test_of_equal_calls_the_latest_is_continued(tmp_path: Path) -> None:
    rows = [mooncake([0, 1, 2]), mooncake([0, 1, 3], 1000), mooncake([0, 1, 4, 5], 2000)]
    assert chains(read(tmp_path, rows)) == [[[0, 1, 2]], [[0, 1, 3], [0, 1, 4, 5]]]


def test_a_request_does_not_continue_a_later_one(tmp_path: Path) -> None:
    rows = [mooncake([0, 1, 2], 9000), mooncake([0, 1, 3, 4], 5000)]
    assert chains(read(tmp_path, rows)) == [[[0, 1, 3, 4]], [[0, 1, 2]]]


@settings(deadline=None)
@given(lengths=st.lists(st.integers(1025, 1535), min_size=1, max_size=20))
def test_no_call_is_lost_and_each_session_grows(lengths: list[int], tmp_path_factory: pytest.TempPathFactory) -> None:
    """All calls have the same full blocks: a call starts a session only if no open call is shorter."""
    rows = [mooncake([0, 1, 2], 1000.0 * at, tokens) for at, tokens in enumerate(lengths)]
    recorded = read(tmp_path_factory.mktemp("trace"), rows)
    sizes = [[step.input_tokens for step in steps_of(recorded, i)] for i in range(len(recorded.sessions))]
    assert sorted(chain.from_iterable(sizes)) == sorted(lengths)
    assert all(earlier < later for session in sizes for earlier, later in pairwise(session))
    open_calls: list[int] = []
    starts = 0
    for tokens in lengths:
        shorter = [one for one in open_calls if one < tokens]
        starts += not shorter
        fits = [one for one in shorter if one + 10 <= tokens]
        if shorter:
            open_calls.remove(max(fits or shorter))
        open_calls.append(tokens)
    assert len(sizes) == starts


@pytest.mark.parametrize("shrink", [1.0, 3.0, 8.0])
def test_equal_ids_are_equal_text_in_all_sessions(tmp_path: Path, shrink: float) -> None:
    path = lines(tmp_path, "a.jsonl", [mooncake([0, 1, 2, 3]), mooncake([0, 1, 2, 9]), mooncake([0, 5, 6, 7])])
    plans = list(islice(replay_sessions(path, {"shrink": shrink, "rate": 1.0}, 7, "r"), 3))
    calls = [played.calls["main"][0] for played in play(plans).values()]
    texts = [text_of(call.messages) for call in calls]
    assert [len(text) for text in texts] == [round((4 * 512 - 256) / shrink) * TOKEN_CHARS] * 3
    block = 512 / shrink * TOKEN_CHARS
    assert 0 <= common_chars(texts[0], texts[1]) - round(3 * block) < 4 * TOKEN_CHARS
    assert 0 <= common_chars(texts[0], texts[2]) - round(block) < 4 * TOKEN_CHARS
    assert [find_marker(text) for text in texts] == [call.marker for call in calls]


def test_a_continued_conversation_begins_with_the_earlier_full_blocks(tmp_path: Path) -> None:
    path = lines(tmp_path, "a.jsonl", [mooncake([0, 1, 2]), mooncake([0, 1, 3, 4])])
    (played,) = play(islice(replay_sessions(path, {"rate": 1.0}, 7, "r"), 1)).values()
    one, two = (text_of(call.messages) for call in played.calls["main"])
    assert common_chars(one, two) >= 2 * 512 // 8 * TOKEN_CHARS


def test_repetitions_and_other_loads_share_no_cached_blocks(tmp_path: Path) -> None:
    path = lines(tmp_path, "a.jsonl", [mooncake([0, 1, 2])])
    plans = [*islice(replay_sessions(path, {}, 7, "r"), 2), *islice(replay_sessions(path, {}, 7, "r-f1"), 1)]
    one, *others = (text_of(played.calls["main"][0].messages) for played in play(plans).values())
    assert len(others) == 2
    assert all(common_chars(one, other) < 4 * TOKEN_CHARS for other in others)


def test_equal_ids_in_two_files_are_different_blocks(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        lines(tmp_path, name, [mooncake([0, 1, 2]), mooncake([0, 1, 3, 4])])
    plans = list(islice(replay_sessions(tmp_path, {}, 7, "r"), 2))
    assert [plan.calls_planned for plan in plans] == [2, 2]
    one, two = (text_of(played.calls["main"][0].messages) for played in play(plans).values())
    assert common_chars(one, two) < 4 * TOKEN_CHARS


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ('{"timestamp": 0, "input_length": 10', "truncated"),
        ({"timestamp": 0, "input_length": 10, "output_length": 1}, "hash_ids"),
        (mooncake([1], at_ms=-1), "timestamp"),
        (mooncake([1], tokens=-5), "input_length"),
        (mooncake([1], tokens=0), "input_length"),
        (mooncake([1], tokens=10**12), "input_length"),
        (mooncake([-1]), "hash_ids"),
        (mooncake([2**70]), "hash_ids"),
        (mooncake([1, 2], tokens=100), "100 tokens are 1 blocks of 512, but hash_ids has 2"),
        (mooncake([1], out="many"), "output_length"),  # type: ignore[arg-type]
        ('{"timestamp": NaN, "input_length": 10, "output_length": 1, "hash_ids": [1]}', "malformed"),
        ("[1, 2]", "object"),
        ("[" * 100_000, "not a Mooncake request"),
    ],
)
def test_an_invalid_line_is_reported_with_its_number_and_can_be_skipped(tmp_path: Path, row: object, says: str) -> None:
    rows = [mooncake([0, 1]), row, mooncake([0, 2])]
    with pytest.raises(InvalidFile, match=says) as caught:
        read(tmp_path, rows)
    (problem,) = caught.value.problems
    assert (Path(problem.file).name, problem.line) == ("a.jsonl", 2)
    assert "--skip-bad" in problem.remedy
    recorded = read(tmp_path, rows, skip_bad=True)
    assert (len(recorded.sessions), recorded.skipped_count) == (2, 1)


def test_requests_out_of_order_are_sorted_by_time(tmp_path: Path) -> None:
    recorded = read(tmp_path, [mooncake([0, 1], 9000), mooncake([0, 2], 5000), mooncake([0, 3], 7000)])
    assert chains(recorded) == [[[0, 2]], [[0, 3]], [[0, 1]]]
    assert list(recorded.starts_s or ()) == [0.0, 2.0, 4.0]


@pytest.mark.skipif(not os.path.isdir(REAL), reason=f"no recordings in {REAL}")
def test_the_real_trace_has_sessions_and_20_to_50_percent_prefix_hits() -> None:
    recorded = read_mooncake(sorted(REAL.glob("*.jsonl")))
    assert (len(recorded.sessions), recorded.skipped_count) == (2899, 0)
    sizes = [len(recorded.sessions[i].main.steps) for i in range(len(recorded.sessions))]
    assert sum(sizes) == 4000
    assert sizes.count(1) == 2232
    assert (recorded.starts_s or [0])[-1] == pytest.approx(1302, abs=5)
    # the text that is sent has the prefix hits of the ids, also with shrink
    shrink, seen, hit, total = 8.0, set[str](), 0, 0
    plans = islice(replay_sessions(REAL, {"shrink": shrink, "max_calls": None}, 7, "r"), 500)
    block = round(512 / shrink) * TOKEN_CHARS
    for played in play(plans).values():
        for call in played.calls["main"]:
            text = text_of(call.messages)
            prefixes = [text[:end] for end in range(block, len(text), block)]
            hit += sum(prefix in seen for prefix in prefixes) * block
            seen.update(prefixes)
            total += len(text)
    assert 0.2 < hit / total < 0.5
