"""prefill_amplification: prefill computed / prefill needed once."""

from __future__ import annotations

import pytest

from tests.support.measure_records import add_session_of_three
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import value


def test_prompts_computed_again_on_a_cold_cache_raise_the_amplification(record: RecordBuilder) -> None:
    add_session_of_three(record, "a", 6.0, (200, 260, 330))
    assert value(record, "prefill_amplification") == pytest.approx(790 / 308)
