"""When to stop a run: exact texts, exact windows."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.experiment.guardrails import LEAST_SAMPLES, MEASURES, Guardrail, GuardrailWatch, Tripped, parse_guardrail
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


def watch(*texts: str) -> GuardrailWatch:
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
def test_a_guardrail_is_read(text: str, expected: Guardrail) -> None:
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
        (5, "a guardrail is a text", "write it as"),
    ],
)
def test_what_is_none_is_told_with_what_would_be_right(text: object, what: str, remedy: str) -> None:
    with pytest.raises(Mistake) as caught:
        parse_guardrail(text)
    assert what in caught.value.what
    assert remedy in caught.value.remedy


# -- watching -------------------------------------------------------------------------------------------------------


def test_it_stops_the_run_once_it_has_been_bad_for_its_time() -> None:
    rail = watch(TEXT)
    assert rail.observe(0, counters()) is None
    assert rail.observe(5, counters(succeeded=20)) is None
    assert rail.observe(8, counters(succeeded=20, lost=21)) is None  # bad from here on
    assert rail.observe(12.9, counters(succeeded=22, lost=30)) is None
    assert rail.observe(13, counters(succeeded=22, lost=30)) == Tripped(TEXT, 22 / 52)


def test_a_burst_of_losses_that_successes_follow_stops_nothing() -> None:
    rail = watch(TEXT)
    for second in range(60):
        lost = 60 if second >= 10 else 0  # sixty at once, more than had succeeded; and five a second that succeed
        assert rail.observe(second, counters(succeeded=5 * second, lost=lost)) is None


def test_a_moment_on_the_right_side_begins_the_time_anew() -> None:
    rail = watch("abort if ttft > 2s for 4s")
    for at, ttft in ((0, 1000.0), (1, 3000.0), (4, 1000.0), (5, 3000.0), (8.9, 3000.0)):
        assert rail.observe(at, counters(ttft=ttft)) is None
    assert rail.observe(9, counters(ttft=3000)) == Tripped("abort if ttft > 2s for 4s", 3.0)


def test_what_was_over_thirty_seconds_ago_is_forgotten() -> None:
    rail = watch(TEXT)
    rail.observe(0, counters())
    rail.observe(20, counters(succeeded=1000))
    for second in range(21, 51):
        assert rail.observe(second, counters(succeeded=1000, lost=second)) is None
    # from 50 on only losses are left in sight
    assert rail.observe(54.9, counters(succeeded=1000, lost=55)) is None
    assert rail.observe(55, counters(succeeded=1000, lost=55)) == Tripped(TEXT, 0.0)


def test_before_the_load_has_started_nothing_is_counted() -> None:
    rail = watch("abort if goodput < 10 for 2s")
    for second in range(10):
        assert rail.observe(second, {**counters(), "load_started": None}) is None
    assert rail.observe(10, counters()) is None
    assert rail.observe(11, counters()) is None
    assert rail.observe(13, counters()) == Tripped("abort if goodput < 10 for 2s", 0.0)


def test_too_few_to_say_stop_nothing() -> None:
    rail = watch(TEXT)
    rail.observe(0, counters())
    for second in range(1, 20):
        assert rail.observe(second, counters(lost=LEAST_SAMPLES - 1)) is None


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
def test_each_measure_is_that_of_what_it_looks_back_on(text: str, later: dict[str, Any], value: float) -> None:
    rail = watch(text)
    assert rail.observe(0, counters()) is None
    assert rail.observe(2, later) is None
    assert rail.observe(4, later) == Tripped(text, value)


def test_every_measure_is_tried_above_or_before() -> None:
    assert set(MEASURES) == {
        *("session_success", "error_rate", "slo_attainment", "goodput", "sessions_lost", "calls_failed", "ttft")
    }


def test_the_first_of_several_that_trips_is_named() -> None:
    rail = watch("abort if calls_failed > 100 for 10s", "abort if sessions_lost > 1 for 1s")
    rail.observe(0, counters())
    rail.observe(1, counters(lost=2))
    assert rail.observe(2, counters(lost=2)) == Tripped("abort if sessions_lost > 1 for 1s", 2.0)


def test_what_no_window_needs_is_forgotten_and_late_posts_are_passed_over() -> None:
    rail = watch(TEXT)
    for quarter in range(4000):
        rail.observe(quarter / 4, counters(succeeded=quarter))
    assert len(rail._samples) <= 30 * 4 + 2
    assert rail.observe(1.0, counters(lost=4000)) is None  # of the past


def test_without_guardrails_nothing_is_kept() -> None:
    rail = GuardrailWatch([])
    assert rail.observe(1, counters(lost=100)) is None
    assert not rail._samples
