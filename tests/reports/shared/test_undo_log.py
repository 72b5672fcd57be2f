"""Which faults a run armed, and which of them are not undone."""

from __future__ import annotations

import json
from typing import Any

from reports.shared.undo_log import read_undo_log

START = {"do": "start", "process": "tpu-0"}


def data(*entries: dict[str, Any], last: bytes = b"") -> bytes:
    return b"".join(json.dumps(entry, separators=(",", ":")).encode() + b"\n" for entry in entries) + last


def armed(fault: str) -> dict[str, Any]:
    return {"fault": fault, "owner": "r", "undo": [START]}


def done(fault: str, by: str) -> dict[str, Any]:
    return {"fault": fault, "owner": "r", "done": True, "by": by}


def test_a_fault_is_pending_until_someone_undid_it() -> None:
    log = read_undo_log(data(armed("f1"), armed("f2"), done("f1", "shepherd"), done("f9", "runner")))
    assert [(one.fault, one.done_by, one.undo) for one in log.faults] == [
        ("f1", "shepherd", [START]),
        ("f2", "", [START]),
    ]
    assert [one.fault for one in log.pending] == ["f2"]
    assert (log.torn, log.bad) == ([], [])


def test_a_failed_undo_keeps_the_fault_pending_and_says_why() -> None:
    log = read_undo_log(data(armed("f1"), {"fault": "f1", "owner": "r", "failed": ["status 500"], "by": "shepherd"}))
    assert [(one.fault, one.failed, one.undo) for one in log.pending] == [("f1", ("status 500",), [START])]


def test_what_heal_undid_was_left_by_the_run() -> None:
    log = read_undo_log(data(armed("f1"), armed("f2"), armed("f3"), done("f1", "heal"), done("f2", "runner")))
    assert [one.fault for one in log.left_by_run] == ["f1", "f3"]
    again = read_undo_log(data(armed("f1"), done("f1", "runner"), armed("f1")))
    assert [one.fault for one in again.pending] == ["f1"]


def test_a_torn_line_is_no_mistake_and_garbage_is_named_with_its_line() -> None:
    torn = b'{"fault":"f2","owner":"r","un'
    assert read_undo_log(data(armed("f1"), last=torn)).torn == [2]
    in_the_middle = read_undo_log(torn + b"\n" + data(armed("f1")))
    assert (in_the_middle.torn, in_the_middle.bad, len(in_the_middle.pending)) == ([1], [], 1)
    short = read_undo_log(b'{"fa\n' + data(armed("f1")))
    assert (short.torn, short.bad) == ([1], [])
    bad = read_undo_log(b"\xff\xfe\n[1]\n" + data({"fault": "f1"}, armed("f3"))).bad
    assert [line for line, _ in bad] == [1, 2, 3]
    assert bad[2][1] == "it has no 'owner'"
