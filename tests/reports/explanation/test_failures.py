"""Failed calls are grouped by reason, the largest group first, each with an example."""

from __future__ import annotations

from reports.explanation.failures import MAX_GROUPS
from reports.shared import attributes as names
from tests.support.explained import explained, lose
from tests.support.record_builder import RecordBuilder


def test_reasons_that_differ_in_numbers_only_are_one_group(record: RecordBuilder) -> None:
    record.fault()
    for index in range(3):
        message = f"request {index}7 timed out after {index}.5 s"
        lose(record, f"s{index}", outcome="http_5xx", status=503, message=message)
    lose(record, "t", outcome="http_4xx", status=401, message="no key")
    large, small = explained(record)["failures"]
    assert (large["calls"], large["sessions_lost"], large["status"], large["pool"]) == (3, 3, 503, "tpu")
    assert large["message"] == "request 07 timed out after 0.5 s"
    assert large["example"] == {"session": "s0", "agent": "main", "turn": 0, "key": "s0/main#0"}
    assert (small["calls"], small["outcome"], small["message"]) == (1, "http_4xx", "no key")


def test_a_record_without_messages_has_the_outcome_in_words(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0, outcome="reset", ttft=None)
    (group,) = explained(record)["failures"]
    assert (group["message"], group["phase"]) == ("the connection closed before the response", "baseline")


def test_calls_that_the_load_ended_did_not_fail(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0, outcome="abandoned")
    assert explained(record)["failures"] == []


def test_many_reasons_end_in_one_group_of_the_rest(record: RecordBuilder) -> None:
    for index in range(MAX_GROUPS + 4):
        word = "abcdefghij"[index // 10] + "abcdefghij"[index % 10]
        record.call(f"s{index}", 0, 6.0, outcome="http_5xx", its={names.ERROR_MESSAGE: f"reason {word}"})
    groups = explained(record)["failures"]
    assert len(groups) == MAX_GROUPS + 1
    assert (groups[-1]["calls"], groups[-1]["outcome"], groups[-1]["message"]) == (4, "", "4 other reasons")


def test_a_lost_session_is_counted_in_the_phase_in_which_it_was_lost(record: RecordBuilder) -> None:
    record.fault()
    record.call("s0", 0, 6.0)
    lose(record, "s0", outcome="truncated")
    found = explained(record)
    assert found["lost_in_phase"] == {"fault": 1}
    (lost,) = found["sessions_lost"]
    assert (lost["phase"], lost["lost_phase"], lost["reason"]) == ("baseline", "fault", "the answer ended early")
