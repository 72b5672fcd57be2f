"""The report's form for JSON."""

from __future__ import annotations

from reports.report.build import plain


def test_values_that_json_has_no_form_for_are_replaced() -> None:
    assert plain({"a": float("inf"), "b": [float("nan"), b"\x01"], 3: True}) == {
        "a": "never",
        "b": [None, "01"],
        "3": True,
    }
