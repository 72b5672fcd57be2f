"""When the tokens of each call arrived, by phase."""

from __future__ import annotations

import pytest

from reports.history.arrivals import tokens_arrived
from reports.shared.phases import PHASES
from tests.support.record_builder import RecordBuilder, Try
from tests.support.record_results import evidence_of


def test_every_token_arrives_in_one_phase(record: RecordBuilder) -> None:
    for index in range(40):
        record.call(f"s{index}", 0, 1.0 + index * 1.2, tokens=9 + index, token_s=0.11)
    evidence = evidence_of(record)
    assert tokens_arrived(evidence, PHASES).tolist() == pytest.approx(evidence.columns.tokens.tolist())
    apart = sum(tokens_arrived(evidence, (phase,)).sum() for phase in PHASES)
    assert apart == pytest.approx(evidence.columns.tokens.sum())


def test_tokens_of_an_attempt_that_the_client_gave_up_do_not_count(record: RecordBuilder) -> None:
    tries = [Try(19.0, 20.5, "reset", None)]
    record.call("s0", 0, 19.0, tokens=10, ttft=2.0, tries=tries, last={"start": 20.6})
    assert tokens_arrived(evidence_of(record), ("baseline",)).tolist() == [0.0]


def test_a_call_without_tokens_brings_none(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0, ttft=None, outcome="refused")
    assert tokens_arrived(evidence_of(record), PHASES).tolist() == [0.0]
