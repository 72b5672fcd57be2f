from __future__ import annotations

import pytest

from reports.explanation.reasons import OUTCOME_TEXTS, kind_of_reason, shortened
from reports.shared.attributes import Outcome


def test_every_outcome_has_a_text() -> None:
    assert set(OUTCOME_TEXTS) == set(Outcome)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("call 17 failed after 3.5 s", "call 4,000 failed after 12 s"),
        ("request req-4f9a81bc: no", "request req-00aa11bb: no"),
        ("id 123e4567-e89b-12d3-a456-426614174000", "id 00000000-e89b-12d3-a456-426614174999"),
        ("at 2026-11-27T21:50:09", "at 2026-11-28T01:02:03"),
    ],
)
def test_reasons_that_differ_in_numbers_and_ids_are_of_one_kind(one: str, other: str) -> None:
    assert kind_of_reason(one) == kind_of_reason(other)


def test_other_words_are_another_kind() -> None:
    assert kind_of_reason("engine died") != kind_of_reason("engine slept")
    assert kind_of_reason("not well-known") == "not well-known"


def test_a_long_reason_is_shortened_for_a_sentence() -> None:
    assert shortened("short") == "short"
    assert len(shortened("x" * 500)) <= 70
