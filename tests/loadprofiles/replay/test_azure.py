from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

import pytest

from loadprofiles.replay import replay_sessions
from loadprofiles.replay.azure import read_azure
from loadprofiles.replay.recorded import Recorded, RecordedCall
from reports.shared.errors import InvalidFile
from reports.shared.tokens import TOKEN_CHARS
from tests.support.paths import DATA
from tests.support.recordings import lines
from tests.support.session_player import play, text_of

REAL = DATA / "azure"
HEADER = "TIMESTAMP,ContextTokens,GeneratedTokens"
ROW = "2023-11-16 18:17:03.9799600,4808,10"


def read(folder: Path, rows: list[str], **given: bool) -> Recorded:
    return read_azure([lines(folder, "a.csv", rows)], **given)


def test_each_row_is_a_session_of_one_call_at_its_time(tmp_path: Path) -> None:
    rows = [HEADER, ROW, "2023-11-16 18:17:04.0319600,3180,8", "2023-11-17T00:00:00+00:00,12,0"]
    recorded = read(tmp_path, rows)
    assert recorded.starts_s is not None
    assert list(recorded.starts_s) == pytest.approx([0.0, 0.052, 20576.02004], abs=1e-5)
    steps = [recorded.sessions[i].main.steps for i in range(3)]
    assert [len(one) for one in steps] == [1, 1, 1]
    assert steps[1][0] == RecordedCall(3180, 8, 0.0, "person", False, True, None)


def test_columns_in_any_order_and_case_a_bom_and_crlf_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(
        b'\xef\xbb\xbfgeneratedtokens,extra,"contextTokens",timestamp\r\n10,,"4808",2023-11-16 18:17:03\r\n'
    )
    (call,) = read_azure([path]).sessions[0].main.steps
    assert isinstance(call, RecordedCall)
    assert (call.input_tokens, call.output_tokens) == (4808, 10)


def test_starts_are_as_recorded_divided_by_speed_or_at_a_rate(tmp_path: Path) -> None:
    path = lines(tmp_path, "a.csv", [HEADER, *(f"2023-11-16 00:00:{s:02},9,1" for s in (5, 9, 25))])
    recorded = replay_sessions(path, {"rate": "recorded", "speed": 2.0}, 7, "r")
    # the mean gap of 10 s is between the last start and the repetition
    assert [plan.start_at_s for plan in islice(recorded, 5)] == [0.0, 2.0, 10.0, 15.0, 17.0]
    at_rate = replay_sessions(path, {"rate": 2.0, "limit": 2}, 7, "r")
    assert [(plan.id, plan.start_at_s) for plan in at_rate] == [("r-0", 0.25), ("r-1", 0.75)]


def test_simultaneous_calls_start_together_and_repeat_later(tmp_path: Path) -> None:
    path = lines(tmp_path, "a.csv", [HEADER, ROW, ROW])
    plans = islice(replay_sessions(path, {"rate": "recorded", "speed": 1.0}, 7, "r"), 4)
    assert [plan.start_at_s for plan in plans] == [0.0, 0.0, 1.0, 1.0]


def test_a_prompt_has_its_recorded_tokens_and_shares_none(tmp_path: Path) -> None:
    path = lines(tmp_path, "a.csv", [HEADER, ROW])
    one, two = (
        text_of(played.calls["main"][0].messages)
        for played in play(islice(replay_sessions(path, {"shrink": 2.0}, 7, "r"), 2)).values()
    )
    assert len(one) == len(two) == 2404 * TOKEN_CHARS
    assert one[:64] != two[:64]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("2023-11-16 18:17:03,4808", "has 2 values, but the header has 3 columns"),
        ("2023-11-16 18:17:03,1,2,3", "has 4 values"),
        ("yesterday,4808,10", "TIMESTAMP is not a time .*'yesterday'"),
        (",4808,10", "TIMESTAMP"),
        ("2023-13-16 18:17:03,4808,10", "TIMESTAMP"),
        ("2023-11-16 18:17:03,-1,10", "ContextTokens .*'-1'"),
        ("2023-11-16 18:17:03,0,10", "ContextTokens"),
        ("2023-11-16 18:17:03,NaN,10", "ContextTokens .*'NaN'"),
        ("2023-11-16 18:17:03,inf,10", "ContextTokens"),
        ("2023-11-16 18:17:03,1e30,10", "ContextTokens"),
        ("2023-11-16 18:17:03," + "9" * 5000 + ",10", "ContextTokens"),
        ("2023-11-16 18:17:03,48.5,10", "ContextTokens"),
        ("2023-11-16 18:17:03,4_8,10", "ContextTokens"),
        ("2023-11-16 18:17:03,4808,many", "GeneratedTokens .*'many'"),
        ("2023-11-16 18:17:03,4808,", "GeneratedTokens"),
        ('2023-11-16 18:17:03,"4808,10', "not a CSV row"),
    ],
)
def test_an_invalid_row_is_reported_with_its_line_and_can_be_skipped(tmp_path: Path, row: str, says: str) -> None:
    rows = [HEADER, ROW, "", row, ROW]
    with pytest.raises(InvalidFile, match=says) as caught:
        read(tmp_path, rows)
    (problem,) = caught.value.problems
    assert (Path(problem.file).name, problem.line) == ("a.csv", 4)
    assert "--skip-bad" in problem.remedy
    recorded = read(tmp_path, rows, skip_bad=True)
    assert (len(recorded.sessions), recorded.skipped_count) == (2, 1)


def test_a_missing_column_is_reported_with_the_existing_ones(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match=r'a\.csv:1: there is no column "ContextTokens"; .*: timestamp, tokens'):
        read(tmp_path, ["TIMESTAMP,Tokens,GeneratedTokens", ROW], skip_bad=True)


def test_rows_out_of_order_are_sorted_by_time(tmp_path: Path) -> None:
    recorded = read(tmp_path, [HEADER, "2023-11-16 18:00:09,9,1", "2023-11-16 18:00:04,4,1"])
    assert list(recorded.starts_s or ()) == [0.0, 5.0]
    assert [step.input_tokens for i in range(2) for step in recorded.sessions[i].main.steps] == [4, 9]  # type: ignore[union-attr]


@pytest.mark.skipif(not os.path.isdir(REAL), reason=f"no recordings in {REAL}")
def test_all_rows_of_the_real_hour_are_read() -> None:
    recorded = read_azure(sorted(REAL.glob("*.csv")))
    assert (len(recorded.sessions), recorded.skipped_count) == (8819, 0)
    assert (recorded.starts_s or [0])[-1] == pytest.approx(3435.948, abs=1e-3)
