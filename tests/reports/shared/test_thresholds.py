"""The shared thresholds have the values that the documentation states."""

from __future__ import annotations

from reports.shared.thresholds import DOWN_BELOW, WINDOW_S
from tests.support.paths import ROOT


def test_the_documentation_states_the_values_of_the_thresholds() -> None:
    documented = (ROOT / "docs" / "measures.md").read_text()
    assert f"Windows are {WINDOW_S:g} s long" in documented
    assert f"good / offered stays below {DOWN_BELOW * 100:g} % of the baseline's" in documented
