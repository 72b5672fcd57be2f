from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from loadprofiles.replay import claude_code
from loadprofiles.replay.claude_code import read_session, read_sessions
from loadprofiles.replay.recorded import CommonPrefix, RecordedCall, RecordedFork, RecordedSession
from reports.shared.errors import InvalidFile, Problem
from tests.support.recordings import REAL, needs_real, request, session, sub_agent, write


def calls(recorded: RecordedSession) -> list[RecordedCall]:
    return [step for step in recorded.main.steps if isinstance(step, RecordedCall)]


def read(folder: Path, requests: list[dict[str, Any]], **given: Any) -> RecordedSession:
    return read_session(write(folder, session(requests, **given)))


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"))


def mistakes(folder: Path, data: dict[str, Any] | str, indent: int | None = 1) -> list[Problem]:
    path = write(folder, data, indent=indent) if isinstance(data, dict) else folder / "a.json"
    if isinstance(data, str):
        path.write_text(data)
    with pytest.raises(InvalidFile) as caught:
        read_sessions(files(folder))
    return list(caught.value.problems)


def test_common_prefixes_are_found_when_conversations_grow_rewind_and_return(tmp_path: Path) -> None:
    recorded = read(
        tmp_path,
        [
            request(range(10)),
            request(range(14)),
            request([*range(9), 100, 101]),
            request([200, 201, 202]),
            request([*range(14), 300]),
        ],
    )
    assert [call.common for call in calls(recorded)] == [
        None,
        CommonPrefix(0, None),
        CommonPrefix(1, 9 * 64),
        None,
        CommonPrefix(1, None),
    ]


def test_tokens_waits_and_streaming_are_as_recorded(tmp_path: Path) -> None:
    first = request(range(10), out=7, type="n", stop="end_turn", input_types=["text"])
    second = request(range(11), 20.0, think_time=12.5, input_types=["text"], **{"in": 700})
    one, two = calls(read(tmp_path, [first, second]))
    assert (one.input_tokens, one.output_tokens, one.streamed, one.asks_tool, one.wait_s) == (640, 7, False, False, 0.0)
    assert (two.input_tokens, two.streamed, two.asks_tool, two.wait_s, two.wait_why) == (
        700,
        True,
        True,
        12.5,
        "person",
    )


def test_an_interrupted_answer_asked_for_a_tool_if_a_tool_result_follows(tmp_path: Path) -> None:
    requests = [request(range(9), stop=""), request(range(10), stop=""), request(range(11), input_types=["text"])]
    assert [call.asks_tool for call in calls(read(tmp_path, requests))] == [True, False, True]


def test_overlapping_sub_agents_run_concurrently_and_others_in_sequence(tmp_path: Path) -> None:
    own = [request(range(1000, 1005), api_time=4.0), request(range(1000, 1007), 6.0, api_time=4.0)]
    recorded = read(
        tmp_path,
        [
            request(range(10), api_time=10.0),
            sub_agent(15.0, own),
            sub_agent(30.0, own, duration_ms=20_000),
            sub_agent(37.0, own),
            sub_agent(41.0, []),
            request(range(12), 60.0, think_time=50.0),
            sub_agent(100.0, own),
        ],
    )
    steps = recorded.main.steps
    assert [type(step) for step in steps] == [RecordedCall, RecordedFork, RecordedFork, RecordedCall, RecordedFork]
    alone, pair, last = (step for step in steps if isinstance(step, RecordedFork))
    assert (alone.wait_s, [agent.id for _, agent in alone.agents]) == (5.0, ["sub-1"])
    assert (pair.wait_s, [(at, agent.id) for at, agent in pair.agents]) == (5.0, [(0.0, "sub-2"), (7.0, "sub-3")])
    assert [agent.id for _, agent in last.agents] == ["sub-5"]
    resumed = steps[3]
    assert isinstance(resumed, RecordedCall)
    assert resumed.wait_s == 10.0
    assert [len(agent.steps) for _, agent in pair.agents] == [2, 2]


def test_a_sub_agent_can_share_its_first_prefix_with_another(tmp_path: Path) -> None:
    one = sub_agent(1.0, [request(range(1000, 1010), api_time=5.0)])
    other = sub_agent(2.0, [request([*range(1000, 1008), 2000, 2001])])
    fork = read(tmp_path, [request(range(10)), one, other]).main.steps[1]
    assert isinstance(fork, RecordedFork)
    step = fork.agents[1][1].steps[0]
    assert isinstance(step, RecordedCall)
    assert step.common == CommonPrefix(0, 8 * 64, "sub-1")


def test_every_mistake_of_a_file_is_reported_with_its_line(tmp_path: Path) -> None:
    good = session([request([1, 2]), request([1, 2, 3])])
    good["requests"][0]["out"] = "many"
    del good["requests"][1]["in"]
    good["requests"].append(sub_agent(1.0, [request([1], t=-1.0)]))
    found = mistakes(tmp_path, good)
    lines = (tmp_path / "a.json").read_text().splitlines()
    assert len(found) == 3
    by_text = {problem.what: lines[problem.line - 1] for problem in found}
    assert any("requests[0].out" in what and '"many"' in line for what, line in by_text.items())
    assert any("requests[1]" in what and "`in`" in what for what in by_text)
    assert any("requests[2].requests[0].t" in what and '"t": -1.0' in line for what, line in by_text.items())
    assert all("--skip-bad" in problem.remedy for problem in found)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "not valid JSON"),
        ('{\n"block_size": 64,\n"requests": [1,}', 3, "not valid JSON"),
        ('{"block_size": 64', 1, "not valid JSON"),
        ("[]", 1, "object"),
        ('{\n"block_size": 0,\n"tool_tokens": 1,\n"system_tokens": 1,\n"requests": []}', 2, "block_size"),
        ('{"block_size": 64,\n"tool_tokens": 1,\n"system_tokens": 1,\n"requests": []}', 4, "no call"),
        ('{"block_size": 64, "tool_tokens": 1, "system_tokens": 1, "requests": [\n3]}', 2, "requests[0]"),
        ('{"block_size": 64, "tool_tokens": 1, "system_tokens": 1, "requests": [\n{"type": "x"}]}', 2, "'x'"),
    ],
)
def test_an_invalid_file_is_reported_with_file_line_and_remedy(tmp_path: Path, text: str, line: int, says: str) -> None:
    (problem,) = mistakes(tmp_path, text)
    assert problem.file.endswith("a.json")
    assert problem.line == line
    assert says in problem.what
    assert problem.remedy


@pytest.mark.parametrize(
    ("raw", "says"),
    [(b'{"block_size":\n "\xff"}', "a.json:2: is not UTF-8"), (b'{"x": ' + b"[" * 100_000, "nested too deeply")],
)
def test_a_file_that_is_not_utf_8_or_nested_too_deeply_is_reported(tmp_path: Path, raw: bytes, says: str) -> None:
    (tmp_path / "a.json").write_bytes(raw)
    with pytest.raises(InvalidFile, match=says):
        read_sessions(files(tmp_path))


def test_numbers_outside_their_range_are_mistakes(tmp_path: Path) -> None:
    text = json.dumps(session([request([1])])).replace('"think_time": 1.0', '"think_time": 1e999')
    assert len(mistakes(tmp_path, text)) == 1
    assert len(mistakes(tmp_path, session([request([1], **{"in": 0})]))) == 1


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match=r"absent\.json: cannot be read"):
        read_sessions([tmp_path / "absent.json"])


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    path = write(tmp_path, session([request([1, 2])]))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(read_sessions([path]).sessions) == 1


def test_a_file_that_is_too_large_is_reported_without_reading_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadprofiles.replay.claude_code.MAX_FILE_BYTES", 1000)
    write(tmp_path, session([request(range(300))]))
    with pytest.raises(InvalidFile, match=r"a\.json: is longer than"):
        read_sessions(files(tmp_path))


def test_skip_bad_skips_and_counts_invalid_files(tmp_path: Path) -> None:
    write(tmp_path, session([request([1, 2])]), "good.json")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(InvalidFile, match=r"bad\.json:1"):
        read_sessions(files(tmp_path))
    found = read_sessions(files(tmp_path), skip_bad=True)
    assert [found.sessions[i].name for i in range(len(found.sessions))] == ["good"]
    assert [Path(problem.file).name for problem in found.skipped] == ["bad.json"]
    (tmp_path / "good.json").unlink()
    with pytest.raises(InvalidFile, match=r"bad\.json"):
        read_sessions(files(tmp_path), skip_bad=True)


@needs_real
def test_all_real_sessions_are_read() -> None:
    recorded = read_sessions(files(REAL))
    assert not recorded.skipped
    assert len(recorded.sessions) == 50
    sessions = [recorded.sessions[i] for i in range(len(recorded.sessions))]
    main = [call for one in sessions for call in calls(one)]
    assert len(main) == 874
    forks = {
        one.name: [len(step.agents) for step in one.main.steps if isinstance(step, RecordedFork)] for one in sessions
    }
    assert {name: sizes for name, sizes in forks.items() if sizes} == {"trace_0277": [1, 2, 1], "trace_0291": [2]}
    # one session begins a second conversation, with another model
    assert sum(call.common is None for call in main) == 51
    assert sum(call.common is not None and call.common.tokens is None for call in main) == 773


def test_the_types_of_entries_are_those_of_calls_and_sub_agents() -> None:
    types = [get_type_hints(entry)["type"] for entry in (claude_code._Request, claude_code._SubAgent)]
    assert get_args(get_type_hints(claude_code._Kind)["type"]) == tuple(one for kind in types for one in get_args(kind))
