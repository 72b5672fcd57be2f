"""Guardrails: how their texts are parsed, and at which post each stops the run."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.experiment import guardrails
from chaos.experiment.guardrails import (
    LEAST_SAMPLES,
    MEASURES,
    Guardrail,
    GuardrailWatch,
    Tripped,
    nearness,
    parse_guardrail,
)
from reports.shared.documents import Mistake

TEXT = "abort if session_success < 50% for 5s"


def counters(
    succeeded: int = 0,
    lost: int = 0,
    ok: int = 0,
    failed: int = 0,
    good: int = 0,
    tokens: int = 0,
    ttft: float | None = None,
) -> dict[str, Any]:
    return {
        "load_started": 1,
        "sessions": {"running": 1, "succeeded": succeeded, "lost": lost, "unfinished": 0},
        "calls": {"sent": ok + failed, "ok": ok, "failed": failed},
        "good_calls": good,
        "output_tokens": tokens,
        "ttft_ms_recent": ttft,
    }


def watch_of(*texts: str) -> GuardrailWatch:
    return GuardrailWatch([parse_guardrail(text) for text in texts])


# -- texts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TEXT, Guardrail(TEXT, "session_success", "<", 0.5, 5)),
        (
            "abort  if error_rate>=0.2 for  1m",
            Guardrail("abort if error_rate>=0.2 for 1m", "error_rate", ">=", 0.2, 60),
        ),
        (
            "abort if goodput < 10 tok/s for 10s",
            Guardrail("abort if goodput < 10 tok/s for 10s", "goodput", "<", 10, 10),
        ),
        ("abort if ttft > 900ms for 5s", Guardrail("abort if ttft > 900ms for 5s", "ttft", ">", 0.9, 5)),
        (
            "Abort if sessions_lost > 20 for 30s",
            Guardrail("Abort if sessions_lost > 20 for 30s", "sessions_lost", ">", 20, 30),
        ),
    ],
)
def test_a_valid_text_is_parsed(text: str, expected: Guardrail) -> None:
    assert parse_guardrail(text) == expected


@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        ("stop if session_success < 50% for 5s", "is not a guardrail", "write it as"),
        ("abort if session_succes < 50% for 5s", 'cannot watch "session_succes"', 'did you mean "session_success"?'),
        ("abort if session_success < 50%", "does not say for how long", "for 5s"),
        ("abort if session_success < 50% for ever", "is not a duration", "write a number with a unit"),
        ("abort if session_success < 50% for 100ms", "too short", "at least 1s"),
        ("abort if session_success < 50 for 5s", '"50" is not a share', "write it as 50%"),
        ("abort if session_success < half for 5s", '"half" is not a number', "write it as"),
        ("abort if sessions_lost > 5% for 5s", "is not a unit", "write the number alone"),
        ("abort if ttft > -1s for 5s", "cannot be negative", "0 or more"),
        (5, "a guardrail must be text", "write it as: abort if session_success < 50% for 5s"),
    ],
)
def test_an_invalid_text_is_reported_with_its_remedy(text: object, what: str, remedy: str) -> None:
    with pytest.raises(Mistake) as caught:
        parse_guardrail(text)
    assert what in caught.value.what
    assert remedy in caught.value.remedy


OPERATORS = {"<": {2}, "<=": {2, 3}, ">": {4}, ">=": {3, 4}}
"""Each operator, and the values in 2, 3, 4 for which `value op 3` is true."""


@pytest.mark.parametrize("op", guardrails.COMPARISONS)
def test_each_known_operator_is_parsed_and_evaluated(op: str) -> None:
    text = f"abort if sessions_lost {op} 3 for 1s"
    assert parse_guardrail(text).op == op
    stopped = set()
    for lost in (2, 3, 4):
        watch = watch_of(text)
        watch.observe(0, counters())
        watch.observe(1, counters(lost=lost))
        if watch.observe(2, counters(lost=lost)) == Tripped(text, float(lost)):
            stopped.add(lost)
    assert stopped == OPERATORS[op]


@pytest.mark.parametrize("op", ["==", "=", "!=", "=<", "=>", "<>", ""])
def test_an_unknown_operator_is_refused(op: str) -> None:
    with pytest.raises(Mistake):
        parse_guardrail(f"abort if sessions_lost {op} 3 for 1s")


# -- watching -------------------------------------------------------------------------------------------------------


def test_a_condition_that_was_true_for_the_whole_time_stops_the_run() -> None:
    watch = watch_of(TEXT)
    assert watch.observe(0, counters()) is None
    assert watch.observe(5, counters(succeeded=20)) is None
    assert watch.observe(8, counters(succeeded=20, lost=21)) is None  # true from here on
    assert watch.observe(12.9, counters(succeeded=22, lost=30)) is None
    assert watch.observe(13, counters(succeeded=22, lost=30)) == Tripped(TEXT, 22 / 52)


def test_a_burst_of_losses_followed_by_successes_stops_nothing() -> None:
    watch = watch_of(TEXT)
    for second in range(60):
        lost = 60 if second >= 10 else 0  # 60 at once, more than succeeded so far; then 5 successes per second
        assert watch.observe(second, counters(succeeded=5 * second, lost=lost)) is None


def test_a_post_at_which_the_condition_is_false_restarts_the_time() -> None:
    watch = watch_of("abort if ttft > 2s for 4s")
    for at, ttft in ((0, 1000.0), (1, 3000.0), (4, 1000.0), (5, 3000.0), (8.9, 3000.0)):
        assert watch.observe(at, counters(ttft=ttft)) is None
    assert watch.observe(9, counters(ttft=3000)) == Tripped("abort if ttft > 2s for 4s", 3.0)


def test_counters_older_than_30_seconds_do_not_count() -> None:
    watch = watch_of(TEXT)
    watch.observe(0, counters())
    watch.observe(20, counters(succeeded=1000))
    for second in range(21, 51):
        assert watch.observe(second, counters(succeeded=1000, lost=second)) is None
    # from 50 s on, the window contains only losses
    assert watch.observe(54.9, counters(succeeded=1000, lost=55)) is None
    assert watch.observe(55, counters(succeeded=1000, lost=55)) == Tripped(TEXT, 0.0)


def test_posts_before_the_start_of_the_load_do_not_count() -> None:
    watch = watch_of("abort if goodput < 10 for 2s")
    for second in range(10):
        assert watch.observe(second, {**counters(), "load_started": None}) is None
    assert watch.observe(10, counters()) is None
    assert watch.observe(11, counters()) is None
    assert watch.observe(13, counters()) == Tripped("abort if goodput < 10 for 2s", 0.0)


def test_a_share_of_too_few_sessions_stops_nothing() -> None:
    watch = watch_of(TEXT)
    watch.observe(0, counters())
    for second in range(1, 20):
        assert watch.observe(second, counters(lost=LEAST_SAMPLES - 1)) is None


@pytest.mark.parametrize(
    ("text", "later", "value"),
    [
        ("abort if error_rate > 10% for 2s", counters(ok=80, failed=20), 0.2),
        ("abort if slo_attainment < 90% for 2s", counters(ok=90, failed=10, good=70), 0.7),
        ("abort if goodput < 600 for 2s", counters(ok=10, good=5, tokens=2000), 250.0),
        ("abort if goodput < 500 tok/s for 2s", counters(tokens=2000), 0.0),
        ("abort if sessions_lost >= 3 for 2s", counters(lost=3), 3.0),
        ("abort if calls_failed > 3 for 2s", counters(failed=4), 4.0),
        ("abort if ttft > 2s for 2s", counters(ttft=2500), 2.5),
    ],
)
def test_each_measure_is_computed_over_its_window(text: str, later: dict[str, Any], value: float) -> None:
    watch = watch_of(text)
    assert watch.observe(0, counters()) is None
    assert watch.observe(2, later) is None
    assert watch.observe(4, later) == Tripped(text, value)


def test_every_measure_has_a_test_in_this_file() -> None:
    assert set(MEASURES) == {
        *("session_success", "error_rate", "slo_attainment", "goodput", "sessions_lost", "calls_failed", "ttft")
    }


def test_of_several_guardrails_the_one_that_stops_the_run_is_named() -> None:
    watch = watch_of("abort if calls_failed > 100 for 10s", "abort if sessions_lost > 1 for 1s")
    watch.observe(0, counters())
    watch.observe(1, counters(lost=2))
    assert watch.observe(2, counters(lost=2)) == Tripped("abort if sessions_lost > 1 for 1s", 2.0)


def test_old_samples_are_dropped_and_late_posts_are_ignored() -> None:
    watch = watch_of(TEXT)
    for quarter in range(4000):
        watch.observe(quarter / 4, counters(succeeded=quarter))
    assert len(watch._samples) <= 30 * 4 + 2
    assert watch.observe(1.0, counters(lost=4000)) is None  # older than the last post


def test_a_condition_that_was_true_stops_the_run_on_time_without_posts() -> None:
    watch = watch_of("abort if calls_failed > 2 for 5s")
    assert watch.observe(0.0, counters()) is None
    assert watch.observe(1.0, counters(failed=3)) is None
    assert watch.tick(5.9) is None
    assert watch.tick(6.0) == Tripped("abort if calls_failed > 2 for 5s", 3)


def test_a_tick_keeps_no_sample_and_is_nothing_before_the_first_post_or_back_in_time() -> None:
    watch = watch_of("abort if goodput < 10 for 2s")
    assert watch.tick(100.0) is None
    watch.observe(0.0, counters())
    watch.observe(1.0, counters(ok=5, good=5, tokens=500))
    assert watch.tick(0.5) is None
    assert watch.tick(40.0) is None, "true for the first time"
    assert watch.observe(1.5, counters(ok=9, good=9, tokens=900)) is None, "a post of before is still taken"
    assert watch.tick(2.0) is None


def test_without_guardrails_no_sample_is_kept() -> None:
    watch = GuardrailWatch([])
    assert watch.observe(1, counters(lost=100)) is None
    assert not watch._samples


def test_readings_say_how_near_each_guardrail_is() -> None:
    watch = watch_of("abort if error_rate > 50% for 5s", "abort if session_success < 50% for 5s")
    assert [nearness(reading) for reading in watch.readings()] == [None, None]
    watch.observe(0.0, counters())
    watch.observe(10.0, counters(succeeded=9, lost=1, ok=6, failed=4))
    errors, success = watch.readings()
    assert (errors.value, nearness(errors)) == (0.4, 0.8)
    assert (success.value, nearness(success)) == (0.9, 0.556)
    watch.observe(12.0, counters(succeeded=9, lost=91, ok=6, failed=4))
    watch.observe(14.0, counters(succeeded=9, lost=91, ok=6, failed=4))
    success = watch.readings()[1]
    assert (nearness(success), success.true_for_s) == (1.0, 2.0)
