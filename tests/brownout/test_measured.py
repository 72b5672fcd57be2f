"""Which changes say that nothing was measured."""

from __future__ import annotations

from dataclasses import replace

from brownout.measured import NOT_MEASURED, is_measured
from tests.support.fake_gate import failed_result


def test_only_a_change_that_says_so_was_not_measured() -> None:
    comparison = failed_result().experiments[0].comparison
    assert comparison is not None
    change = comparison.measures[0]
    assert is_measured(change)
    assert not is_measured(replace(change, interval=None, why=f"ttft.p95: {NOT_MEASURED}"))
    assert is_measured(replace(change, interval=None))
