"""cold_cache_tail: prefill repeated after sessions moved."""

from __future__ import annotations

import math

import pytest

from tests.support.record_builder import RecordBuilder, Up
from tests.support.record_results import measured, value


def cached(record: RecordBuilder, session: str, turn: int, at: float, hit: int, prompt: int) -> None:
    up = Up("gpu-0", at, at + 0.7, passed_on=11, prompt=prompt, computed=prompt - hit, cached=hit)
    record.call(session, turn, at, ups=[up])


def test_the_cold_cache_tail_is_the_prefill_repeated_until_the_hit_ratio_is_back(record: RecordBuilder) -> None:
    record.fault()
    cached(record, "first", 0, 5.5, 0, 100)
    for index in range(90):  # each prompt is the one before it, its answer of 11, and 39 more
        at, prompt = 6.0 + 0.5 * index, 200 + 50 * index
        warm = prompt - 39 if index else 100
        cached(record, "a", index, at, 0 if 20.5 <= at < 25 else warm, prompt)
    cold = [200 + 50 * index - 39 for index in range(90) if 20.5 <= 6.0 + 0.5 * index < 25]
    assert value(record, "cold_cache_tail.tokens") == sum(cold)
    # the window from 24.0 on still holds two cold calls, and is within 10 points of the baseline's
    assert value(record, "cold_cache_tail.seconds") == pytest.approx(4.0)


def test_a_cache_that_stays_cold_has_an_infinite_tail(record: RecordBuilder) -> None:
    record.fault()
    for index in range(90):
        at = 6.0 + 0.5 * index
        cached(record, f"s{index}", 0, at, 150 if at < 20 else 0, 200)
    assert value(record, "cold_cache_tail.seconds") == math.inf


def test_without_a_fault_cold_cache_tail_is_not_measured(good: RecordBuilder) -> None:
    assert measured(good, "cold_cache_tail.tokens").why_not == "no fault was injected"
