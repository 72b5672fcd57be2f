"""The reason that is reported for a run that ended early."""

from __future__ import annotations

import asyncio

import pytest

from chaos.runner.early_end import EarlyEnd, Ended, most_severe


@pytest.mark.parametrize(
    ("codes", "chosen"),
    [([4, 5], 5), ([5, 4], 5), ([4, 130, 5], 130), ([1, 4], 1), ([4], 4), ([5, 5], 5), ([3, 4], 4), ([3], 3)],
)
def test_the_reported_reason_follows_the_precedence_of_exit_codes(codes: list[int], chosen: int) -> None:
    reasons = [Ended("event", f"{number}: {code}", code) for number, code in enumerate(codes)]
    found = most_severe(reasons)
    assert found is reasons[codes.index(chosen)]


def test_without_a_reason_the_run_did_not_end_early() -> None:
    assert most_severe([]) is None


async def test_an_early_end_cancels_what_the_run_waits_for() -> None:
    early = EarlyEnd()
    waiting = asyncio.ensure_future(asyncio.Event().wait())
    asyncio.get_running_loop().call_soon(early.end, "failed", "the first", 5)
    with pytest.raises(Ended, match="the first"):
        await early.or_end(waiting)
    assert waiting.cancelled()
