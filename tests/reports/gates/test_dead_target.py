"""A target that died by itself is a failure (exit code 5); everything that may be a result of the experiment is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reports.analysis import analyse
from reports.gates.dead_target import AFTER_FAULT_S, MIN_CALLS, DeadTarget, dead_target
from reports.shared import attributes as names
from tests.support.record_builder import RecordBuilder, Try
from tests.support.record_results import evidence_of

DIED_AT_S = 10.0


@pytest.fixture
def url(record: RecordBuilder) -> RecordBuilder:
    """A run on a user's endpoint: good calls from second 0 to 10."""
    record.has_gateway = False
    record.load_gauges()
    for index in range(20):
        answered(record, f"good-{index}", index * 0.5)
    return record


def answered(record: RecordBuilder, session: str, at: float, **how: Any) -> None:
    record.call(session, 0, at, ups=[], ttft=0.1, **how)
    record.session(session, at, at + 0.4)


def unanswered(record: RecordBuilder, session: str, at: float, outcome: str = "refused", **how: Any) -> None:
    said = {names.ERROR_MESSAGE: "Connection refused"} if outcome == "refused" else {}
    record.call(session, 0, at, ups=[], ttft=None, outcome=outcome, last=said, **how)
    record.session(session, at, at + 0.1, "lost")


def die(
    record: RecordBuilder, *outcomes: str, at: float = DIED_AT_S, every_s: float = 0.5, until: float = 40.0
) -> None:
    count = int((until - at) / every_s)
    for index in range(count):
        outcome = outcomes[index % len(outcomes)] if outcomes else "refused"
        unanswered(record, f"dead-{at}-{index}", at + 0.2 + index * every_s, outcome)


def found(record: RecordBuilder) -> DeadTarget | None:
    return dead_target(evidence_of(record))


def test_a_target_that_refuses_every_connection_until_the_end_is_dead(url: RecordBuilder) -> None:
    die(url)
    dead = found(url)
    assert dead is not None
    assert [dead.since_s, dead.until_s, dead.calls] == pytest.approx([10.2, 39.7, 60])
    assert str(dead).splitlines()[0] == (
        "the target died during the run: from second 10.2 to the end of the load (second 39.7), "
        "none of 60 calls got a response"
    )
    assert "the connection was refused: Connection refused" in str(dead)
    assert "what helps: " in str(dead)


def test_the_verdict_is_failed_with_code_5_before_any_failed_gate(url: RecordBuilder) -> None:
    die(url)
    url.experiment["gates"] = ["calls_failed == 0", "session_success >= 97%"]
    report = analyse(url.write())
    assert (report.verdict.verdict, report.exit_code) == ("failed", 5)
    assert report.verdict.why[0].startswith("failed: the target died during the run: from second 10.2")
    assert any(why.startswith("calls_failed == 0") for why in report.verdict.why)
    data = json.loads((url.path / "report.json").read_text())
    assert data["explanation"]["sentence"].startswith("Failed: the target died during the run")
    assert 'name="run completed"' in (url.path / "junit.xml").read_text()


def test_connections_closed_before_the_response_count_too(url: RecordBuilder) -> None:
    die(url, "reset", "reset", "refused")
    dead = found(url)
    assert dead is not None
    assert dead.words == "the connection was closed before the response"


def test_retries_of_a_call_are_attempts_and_one_call(url: RecordBuilder) -> None:
    for index in range(MIN_CALLS - 1):
        at = 11.0 + index
        tries = [Try(at, at + 0.1, "refused", None), Try(at + 0.4, at + 0.5, "refused", None)]
        unanswered(url, f"dead-{index}", at, tries=tries)
    assert found(url) is None
    unanswered(url, "dead-last", 16.0)
    assert found(url) is not None


def test_a_call_that_was_refused_first_and_then_answered_shows_life(url: RecordBuilder) -> None:
    die(url, until=30.0)
    answered(url, "late", 30.0, tries=[Try(30.0, 30.1, "refused", None)])
    assert found(url) is None


@pytest.mark.parametrize(
    "outcome", ["ok", "http_5xx", "http_4xx", "rate_limited", "truncated", "error_event", "corrupt", "timeout"]
)
def test_a_target_that_shows_life_in_any_way_at_the_end_is_not_dead(url: RecordBuilder, outcome: str) -> None:
    die(url)
    url.call("last", 0, 41.0, ups=[], ttft=0.1 if outcome == "ok" else None, outcome=outcome)
    assert found(url) is None


def test_answers_with_an_error_status_are_a_result(url: RecordBuilder) -> None:
    die(url, "http_5xx")
    assert found(url) is None


def test_a_target_that_answers_too_late_is_a_result(url: RecordBuilder) -> None:
    die(url, "timeout")
    assert found(url) is None


def test_a_stream_that_goes_on_while_connections_are_refused_shows_life(url: RecordBuilder) -> None:
    die(url)
    url.call("draining", 0, 9.0, ups=[], ttft=0.5, tokens=11, token_s=1.0)
    dead = found(url)
    assert dead is not None
    assert dead.since_s == pytest.approx(19.7)
    url.call("until-the-end", 0, 9.0, ups=[], ttft=0.5, tokens=11, token_s=3.0)
    assert found(url) is None


def test_the_streams_that_the_death_cut_are_before_it(url: RecordBuilder) -> None:
    url.call("cut", 0, 9.0, ups=[], ttft=0.1, tokens=5, outcome="truncated", token_s=0.25)
    die(url)
    dead = found(url)
    assert dead is not None
    assert dead.since_s == pytest.approx(10.2)


def test_calls_that_the_load_generator_ended_say_nothing(url: RecordBuilder) -> None:
    die(url)
    unanswered(url, "ended-by-us", 39.9, "abandoned")
    assert found(url) is not None


@pytest.mark.parametrize(("until", "every_s"), [(DIED_AT_S + 2.5, 0.1), (DIED_AT_S + 20.0, 5.0)])
def test_a_few_seconds_or_a_few_calls_are_no_proof(url: RecordBuilder, until: float, every_s: float) -> None:
    die(url, until=until, every_s=every_s)
    assert found(url) is None


def test_a_target_that_was_dead_from_the_first_call_on_is_dead(record: RecordBuilder) -> None:
    record.has_gateway = False
    die(record, at=0.0)
    dead = found(record)
    assert dead is not None
    assert dead.since_s == pytest.approx(0.2)


def stages(injected: float, reverted: float | None) -> dict[str, float]:
    begun = {"planned": 0.0, "injected": injected, "confirmed": injected + 0.1}
    return begun | ({} if reverted is None else {"reverted": reverted, "verified": reverted})


@pytest.mark.parametrize(
    ("injected", "reverted"),
    [(5.0, 20.0), (5.0, None), (5.0, DIED_AT_S - AFTER_FAULT_S + 5.0), (DIED_AT_S, 20.0)],
)
def test_a_target_that_died_under_a_fault_or_soon_after_it_is_a_result(
    url: RecordBuilder, injected: float, reverted: float | None
) -> None:
    url.fault(kind="surge", targets=["load"], stages=stages(injected, reverted))
    die(url)
    assert found(url) is None


@pytest.mark.parametrize(("injected", "reverted"), [(-5.0, -1.0), (15.0, 20.0)])
def test_a_fault_long_before_or_after_the_death_does_not_explain_it(
    url: RecordBuilder, injected: float, reverted: float
) -> None:
    url.fault(kind="surge", targets=["load"], stages=stages(injected, reverted))
    die(url)
    assert found(url) is not None


def test_a_planned_fault_that_was_never_injected_does_not_explain_it(url: RecordBuilder) -> None:
    url.fault(kind="surge", targets=["load"], stages={"planned": 0.0})
    die(url)
    assert found(url) is not None


def test_a_fault_on_all_replicas_behind_our_gateway_is_a_result(record: RecordBuilder) -> None:
    record.fault(stages=stages(5.0, None))
    record.load_gauges()
    die(record, "http_5xx")
    record.experiment["gates"] = ["calls_failed == 0"]
    assert analyse(record.write(), write=False).exit_code != 5
