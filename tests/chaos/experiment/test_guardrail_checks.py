"""Guardrails that stop no run, or every run, are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.experiment_files import accepted, refused


@pytest.mark.parametrize(
    ("guardrail", "what"),
    [
        ("abort if session_success < 0% for 5s", "stops no run: session_success is between 0% and 100%"),
        ("abort if error_rate > 100% for 5s", "stops no run: error_rate is between 0% and 100%"),
        ("abort if session_success <= 100% for 5s", "stops every run: session_success is between 0% and 100%"),
        ("abort if sessions_lost >= 0 for 5s", "stops every run: sessions_lost is at least 0"),
        ("abort if goodput < 0 for 5s", "stops no run: goodput is at least 0"),
        ("abort if ttft <= 0s for 5s", "stops no run: ttft is always above 0"),
        ("abort if ttft > 4s for 41s", "stops no run: it waits for 41 s, and the load lasts 40 s"),
    ],
)
def test_a_guardrail_that_decides_nothing_is_refused(tmp_path: Path, guardrail: str, what: str) -> None:
    [(line, found, remedy)] = refused(tmp_path, "shed == 0", guardrails=guardrail)
    assert (line, found) == (12, f'"{guardrail}" {what}')
    assert remedy


@pytest.mark.parametrize(
    "guardrail",
    [
        "abort if session_success <= 0% for 5s",
        "abort if error_rate >= 100% for 5s",
        "abort if goodput <= 0 for 5s",
        "abort if sessions_lost > 0 for 5s",
        "abort if ttft > 4s for 40s",
    ],
)
def test_a_guardrail_at_an_end_of_its_range_is_accepted(tmp_path: Path, guardrail: str) -> None:
    assert accepted(tmp_path, "shed == 0", guardrails=guardrail).guardrails


def test_the_same_guardrail_twice_is_refused(tmp_path: Path) -> None:
    one, other = "abort if session_success < 50% for 5s", "abort if session_success < 0.5 for 5000ms"
    [(_, what, remedy)] = refused(tmp_path, "shed == 0", guardrails=f"{one}, {other}")
    assert what == f'"{other}" is the same guardrail as "{one}" on line 12'
    assert remedy == "remove one"


@pytest.mark.parametrize("other", ["session_success < 50% for 6s", "session_success < 40% for 5s"])
def test_guardrails_with_another_limit_or_time_are_not_the_same(tmp_path: Path, other: str) -> None:
    text = f"abort if session_success < 50% for 5s, abort if {other}"
    assert len(accepted(tmp_path, "shed == 0", guardrails=text).guardrails) == 2
