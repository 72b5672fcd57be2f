from __future__ import annotations

from pathlib import Path

import pytest

from loadprofiles.replay import open_trace
from loadprofiles.replay.burstgpt import read_burstgpt
from loadprofiles.replay.recorded import CommonPrefix, Recorded, RecordedCall
from reports.shared.errors import InvalidFile
from tests.support.recordings import lines

HEADER = "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type"
OLD_HEADER = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type"


def row(at: object = 5, session: object = "a", took: object = 2, request: object = 100, response: object = 20) -> str:
    return f"{at},{session},{took},ChatGPT,{request},{response},120,Conversation log"


def read(folder: Path, rows: list[str], **given: bool) -> Recorded:
    return read_burstgpt([lines(folder, "a.csv", rows)], **given)


def calls(recorded: Recorded) -> list[list[RecordedCall]]:
    return [
        [step for step in recorded.sessions[i].main.steps if isinstance(step, RecordedCall)]
        for i in range(len(recorded.sessions))
    ]


def test_rows_with_the_same_session_id_are_one_session_with_its_waits(tmp_path: Path) -> None:
    rows = [HEADER, row(5), row(7, "b"), row(30, request=130), row(40, request=60, took=50), row(41, request=61)]
    one, two = calls(recorded := read(tmp_path, rows))
    assert [(call.input_tokens, call.wait_s) for call in one] == [(100, 0.0), (130, 23.0), (60, 8.0), (61, 0.0)]
    # a prompt that can contain the whole conversation continues it; a smaller one begins a new one
    assert [call.common for call in one] == [None, CommonPrefix(0, None), None, None]
    assert len(two) == 1
    assert list(recorded.starts_s or ()) == [0.0, 2.0]


def test_without_a_session_id_each_row_is_a_session(tmp_path: Path) -> None:
    found = calls(read(tmp_path, [OLD_HEADER, *["5,ChatGPT,472,18,490,Conversation log"] * 3]))
    assert [[(call.input_tokens, call.output_tokens, call.wait_s) for call in one] for one in found] == [
        [(472, 18, 0.0)]
    ] * 3
    assert len(calls(read(tmp_path, [HEADER, row(session=""), row(session="")]))) == 2


def test_a_response_of_0_tokens_is_a_recorded_failure_left_out_and_counted(tmp_path: Path) -> None:
    path = lines(tmp_path, "a.csv", [HEADER, row(), row(6, request=0, response=0), row(7, "b", response=0)])
    recorded = read_burstgpt([path])
    assert len(recorded.sessions) == 1
    assert recorded.skipped_count == 0
    assert recorded.notes == ("2 recorded failures (a response of 0 tokens) were left out",)
    assert open_trace(path, {}).summary_lines() == ["burstgpt: 1 sessions", *recorded.notes]


def test_a_file_that_contains_only_failures_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="contains no call: 1 recorded failures"):
        read(tmp_path, [HEADER, row(response=0)])


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (row(at="-1"), "Timestamp"),
        (row(at="nan"), "Timestamp .*'nan'"),
        (row(at="1e300"), "Timestamp"),
        (row(at=""), "Timestamp"),
        (row(request=-4), "Request tokens"),
        (row(request=0), "Request tokens"),
        (row(request="x"), "Request tokens"),
        (row(response="1.5"), "Response tokens"),
        (row(response="99999999999"), "Response tokens"),
        (row(took="soon"), "Elapsed time"),
        (row(took="-1"), "Elapsed time"),
        ("5,a,2,ChatGPT", "has 4 values, but the header has 8 columns"),
    ],
)
def test_an_invalid_row_is_reported_with_its_line_and_can_be_skipped(tmp_path: Path, bad: str, says: str) -> None:
    rows = [HEADER, row(session=""), bad, row(session="")]
    with pytest.raises(InvalidFile, match=says) as caught:
        read(tmp_path, rows)
    (problem,) = caught.value.problems
    assert (Path(problem.file).name, problem.line) == ("a.csv", 3)
    recorded = read(tmp_path, rows, skip_bad=True)
    assert (len(recorded.sessions), recorded.skipped_count) == (2, 1)


def test_rows_out_of_order_are_sorted_and_have_no_wait(tmp_path: Path) -> None:
    recorded = read(tmp_path, [HEADER, row(50), row(20, "b"), row(10)])
    assert [len(one) for one in calls(recorded)] == [1, 2]
    assert calls(recorded)[1][1].wait_s == 0.0
    assert list(recorded.starts_s or ()) == [0.0, 30.0]


def test_equal_session_ids_in_two_files_are_different_sessions(tmp_path: Path) -> None:
    paths = [lines(tmp_path, name, [HEADER, row()]) for name in ("a.csv", "b.csv")]
    assert len(read_burstgpt(paths).sessions) == 2
