"""Of several reasons for an early end the gravest names it, whichever came first."""

from __future__ import annotations

import pytest

from chaos.runner.early_end import Ended, gravest


@pytest.mark.parametrize(
    ("codes", "chosen"), [([4, 5], 5), ([5, 4], 5), ([4, 130, 5], 130), ([1, 4], 1), ([4], 4), ([5, 5], 5)]
)
def test_the_gravest_of_several_reasons_counts(codes: list[int], chosen: int) -> None:
    reasons = [Ended("event", f"{number}: {code}", code) for number, code in enumerate(codes)]
    found = gravest(reasons)
    assert found is reasons[codes.index(chosen)]


def test_a_run_without_a_reason_did_not_end_early() -> None:
    assert gravest([]) is None
