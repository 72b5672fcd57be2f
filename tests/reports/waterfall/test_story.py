"""A call in sentences: its headline, what the client observed, the decisions of the gateway in order."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from reports.shared import attributes as names
from reports.waterfall.calls import call_reports, failovers
from reports.waterfall.story import Waterfall, waterfall_of
from tests.support.lost_pool import add_decision, lost_pool_calls
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import evidence_of


def worst(builder: RecordBuilder, number: int = 0) -> Waterfall:
    """The waterfall of the worst call but `number`."""
    evidence = evidence_of(builder)
    chosen = failovers(evidence, 10)
    faults = [{"id": f.id, "kind": f.kind, "targets": f.targets, "stages": f.stages} for f in evidence.record.faults]
    return waterfall_of(call_reports(evidence, chosen)[number], faults)


def test_the_headline_shows_the_interruption_that_the_client_observed(tmp_path: Path) -> None:
    gone, saved = (worst(lost_pool_calls(tmp_path / str(n)), n) for n in (0, 1))

    assert saved.key == "saved/main#2"
    assert saved.failover_s == pytest.approx(0.84, abs=0.001)
    assert (saved.tokens_before, saved.tokens_after) == (5, 6)
    assert saved.headline == "ended ok: interrupted on tpu-0, after 5 tokens of 11, resumed on gpu-1 840 ms later"
    assert gone.failover_s == math.inf
    assert "never resumed" in gone.headline
    assert "error_event" in gone.headline


def test_the_story_lists_faults_decisions_and_reasons_in_order(tmp_path: Path) -> None:
    builder = lost_pool_calls(tmp_path / "run")
    add_decision(builder, "saved")
    story = worst(builder, 1).story

    assert [moment.kind for moment in story] == ["sent", "fault", "failed", "decision", "resumed", "end"]
    assert [moment.at_s for moment in story] == sorted(moment.at_s for moment in story)
    decision = story[3]
    assert decision.text == "the gateway chose gpu-1 of 2: its home tpu-0 is out: p2c"
    assert decision.details == (
        "considered (load in ms): gpu-0 5,000, gpu-1 1,234",
        "excluded: tpu-0: failed this call; tpu-1: ejected",
    )
    assert story[4].text == "next token received by the client, 840 ms after the previous token"


def call_report(**attributes: object) -> dict[str, object]:
    """A call that broke off after two tokens, with attributes of its chat span."""
    own = {"brownout.outcome": "error_event", "brownout.tokens.received": 2, **attributes}
    span: dict[str, object] = {
        "name": "chat m", "service": "c", "instance": "c#1", "parent": None, "depth": 0, "start_s": 1.0, "end_s": 3.0,
        "error": True, "attributes": own, "events": [],
    }  # fmt: skip
    return {
        "session": "s", "agent": "main", "turn": 0, "outcome": "error_event", "sent_s": 1.0, "failover_s": math.inf,
        "last_token_before_s": 2.0, "first_token_after_s": math.inf, "from_replica": "tpu-0", "to_replica": "",
        "tokens_before": 2, "tokens_after": 0, "fault": "f1", "spans": [span],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("attributes", "counts"),
    [
        ({names.TOKENS_EXPECTED: 90}, "after 2 tokens of 90,"),
        ({names.REQUEST_MAX_TOKENS: 128}, "after 2 tokens of 128,"),
        ({}, "after 2 tokens,"),
        ({names.TOKENS_EXPECTED: 2}, "after 2 tokens,"),
    ],
)
def test_a_broken_answer_is_compared_with_the_whole_answer(attributes: dict[str, object], counts: str) -> None:
    assert counts in waterfall_of(call_report(**attributes), []).headline


def test_the_words_of_the_target_are_shown_without_control_characters() -> None:
    shown = waterfall_of(call_report(**{names.ERROR_MESSAGE: "HTTP 500: out\x1b[31m of\nmemory"}), [])

    assert 'the target said: "HTTP 500: out [31m of memory"' in shown.story[-1].details
    assert 'out [31m of memory"' in shown.rows[0].detail
    assert all("\x1b" not in value for _, value in shown.rows[0].attributes)
