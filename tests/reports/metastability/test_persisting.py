"""What may keep a stack down, compared with the baseline."""

from __future__ import annotations

from reports.history.evidence import Scope
from reports.metastability.persisting import find_persisting
from reports.shared import attributes as names
from tests.support.record_builder import RecordBuilder, Up
from tests.support.record_results import evidence_of


def add_calls(record: RecordBuilder, begin: float, attempts: int, cached: int) -> None:
    """Twenty sessions of one call; each call has its attempts, and `cached` of its 200 prompt tokens are cached."""
    for index in range(20):
        at = begin + index / 5
        ups = [Up("gpu-0", at, at + 0.3, "reset", computed=0, cached=0, prompt=0) for _ in range(attempts - 1)]
        ups.append(Up("gpu-1", at + 0.4, at + 0.7, passed_on=11, computed=200 - cached, cached=cached))
        record.call(f"s{at:.1f}", 0, at, ups=ups)


def test_each_quantity_is_compared_with_the_baseline(record: RecordBuilder) -> None:
    add_calls(record, 6.0, attempts=1, cached=150)
    add_calls(record, 40.0, attempts=3, cached=50)
    evidence = evidence_of(record)
    persisting = find_persisting(evidence, evidence.mask(Scope("baseline")), evidence.mask(Scope("recovery")))
    assert [(one.what, one.unit, one.baseline, one.after, one.worse) for one in persisting] == [
        ("client attempts per call", "x", 1.0, 1.0, False),
        ("upstream attempts per call", "x", 1.0, 3.0, True),
        ("wasted share of decoded tokens", "share", 0.0, 0.0, False),
        ("share of prompts not cached", "share", 0.25, 0.75, True),
    ]


def test_without_spans_of_the_stack_only_client_attempts_are_compared(record: RecordBuilder) -> None:
    add_calls(record, 6.0, attempts=1, cached=150)
    add_calls(record, 40.0, attempts=3, cached=50)
    for place in [place for place in record.by_instance if place[0] != names.SERVICE_LOADGEN]:
        del record.by_instance[place]
    evidence = evidence_of(record)
    persisting = find_persisting(evidence, evidence.mask(Scope("baseline")), evidence.mask(Scope("recovery")))
    assert [one.what for one in persisting] == ["client attempts per call"]
