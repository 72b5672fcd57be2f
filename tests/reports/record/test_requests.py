"""The lines that replicas wrote as requests began."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.record.lines import Damage
from reports.record.requests import RequestLine, read_requests

SPAN, TRACE = "00000000000000aa", "000000000000000000000000000000bb"


def read(folder: Path, **files: str) -> tuple[list[RequestLine], list[Damage]]:
    for name, text in files.items():
        (folder / f"{name}.jsonl").write_text(text)
    damage: list[Damage] = []
    return list(read_requests(folder, damage)), damage


def test_a_line_has_the_ids_and_the_marker_of_its_request(tmp_path: Path) -> None:
    text = (
        f'{{"at": 5, "span": "{SPAN}", "trace": "{TRACE}", "parent": "{SPAN}", "session": "s1", "agent": "main",'
        ' "turn": 2, "prompt_tokens": 200, "offset": 3, "model": "m"}\n'
    )
    [line], damage = read(tmp_path, gpu=text)
    assert line == RequestLine(
        "gpu", 5, bytes.fromhex(SPAN), bytes.fromhex(TRACE), bytes.fromhex(SPAN), "s1", "main", 2, 200, 3, "m"
    )
    assert damage == []


def test_a_request_without_trace_and_marker_has_neither(tmp_path: Path) -> None:
    [line], _ = read(tmp_path, gpu='{"at": 5}\n')
    assert (line.span_id, line.trace_id, line.parent_id, line.session, line.agent, line.turn) == (
        b"",
        b"",
        b"",
        None,
        None,
        None,
    )


def test_the_lines_of_every_replica_are_read(tmp_path: Path) -> None:
    lines, _ = read(tmp_path, gpu='{"at": 5}\n{"at": 6}\n', tpu='{"at": 4}\n')
    assert [(line.replica, line.at_ns) for line in lines] == [("gpu", 5), ("gpu", 6), ("tpu", 4)]


def test_an_id_that_is_no_hexadecimal_is_none(tmp_path: Path) -> None:
    [line], damage = read(tmp_path, gpu='{"at": 5, "span": "what?", "trace": "\\u00e4", "parent": "abc"}\n')
    assert (line.span_id, line.trace_id, line.parent_id) == (b"", b"", b"")
    assert damage == []


@pytest.mark.parametrize(
    "wrong",
    [
        "not JSON",
        "[]",
        '{"span": "00"}',
        '{"at": "5"}',
        '{"at": 5, "span": 7}',
        '{"at": 5, "turn": "x"}',
        '{"at": 5, "prompt_tokens": null}',
        '{"at": 5, "offset": 1.5}',
        '{"at": 1' + "0" * 400 + "}",
    ],
)
def test_a_wrong_line_is_skipped_and_named(tmp_path: Path, wrong: str) -> None:
    lines, damage = read(tmp_path, tpu='{"at": 4}\n' + wrong + '\n{"at": 6}\n')
    assert [line.at_ns for line in lines] == [4, 6]
    assert [one.text.startswith("line 2 of tpu.jsonl cannot be read") for one in damage] == [True]


def test_half_a_line_at_the_end_is_what_a_crash_leaves(tmp_path: Path) -> None:
    lines, [damage] = read(tmp_path, gpu='{"at": 4}\n{"at": 5, "sp')
    assert [line.at_ns for line in lines] == [4]
    assert damage.expected


def test_without_the_folder_there_are_no_lines(tmp_path: Path) -> None:
    assert read(tmp_path / "none") == ([], [])
    (tmp_path / "file").write_text("x")
    assert read(tmp_path / "file") == ([], [])


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "gpu.jsonl").mkdir()
    lines, [damage] = read(tmp_path)
    assert lines == []
    assert "gpu.jsonl" in damage.text
