from __future__ import annotations

from reports.analysis import analyse
from reports.shared import attributes as names
from tests.support.record_builder import RecordBuilder


def test_the_report_says_for_how_many_calls_token_counts_are_estimates(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0, its={names.TOKENS_ESTIMATED: True})
    record.call("s1", 0, 6.0)
    notes = analyse(record.write(), write=False).data["notes"]
    assert [note for note in notes if note.startswith("the token counts of 1 of 2 answered calls are estimates")]


def test_a_run_with_reported_counts_has_no_such_note(good: RecordBuilder) -> None:
    assert not [note for note in analyse(good.write(), write=False).data["notes"] if "estimates" in note]
