"""Numbers, values and intervals as text."""

from __future__ import annotations

import math
from typing import Any

import pytest

from reports.shared.wording import difference_text, gateway_text, interval_text, number_text, target_text, value_text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (3.0, "3"), (1234567, "1,234,567"), (0.123456, "0.123"), (12.345, "12.3"), (123.45, "123.5"),
     (1234.5, "1,234"), (math.inf, "never"), (-math.inf, "-infinite")],
)  # fmt: skip
def test_a_number_has_at_most_four_significant_digits(value: float, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(1.25, "s", "1.25 s"), (0.35, "s", "350 ms"), (0.0, "s", "0 s"), (0.9712, "share", "97.12%"), (1.05, "x", "1.05x"),
     (2.1, "USD", "$2.10"), (900, "tok/s", "900 tok/s"), (6, "sessions/s", "6 sessions/s"), (3, "count", "3"),
     (math.inf, "s", "never"), (None, "s", "not measured"), ("never", "s", "never")],
)  # fmt: skip
def test_a_value_is_printed_in_its_unit(value: float | str | None, unit: str, text: str) -> None:
    assert value_text(value, unit) == text


def test_an_interval_has_both_bounds_and_a_fact_is_exact() -> None:
    gate: dict[str, Any] = {
        "interval": [0.3, 0.5], "kind": "percentile", "value": 0.4, "unit": "s", "relative_to_baseline": False
    }  # fmt: skip
    assert interval_text(gate) == "300 ms to 500 ms"
    assert interval_text({**gate, "interval": [1.5, 2.0], "relative_to_baseline": True}) == "1.5x to 2x"
    assert interval_text({**gate, "interval": None, "kind": "fact"}) == "exact"
    assert interval_text({**gate, "interval": None, "kind": "fact", "value": None}) == ""


def test_a_difference_has_a_sign_and_shares_are_in_points() -> None:
    assert difference_text({"difference": 1.25, "unit": "s", "interval": [0.9, 1.6]}) == "+1.25 s (+900 ms to +1.6 s)"
    assert difference_text({"difference": -0.051, "unit": "share", "interval": None}) == "-5.1 points"
    assert difference_text({"difference": "never", "unit": "s", "interval": None}) == "+infinite"
    assert difference_text({"difference": 0.0, "unit": "x", "interval": None}) == "0x"


@pytest.mark.parametrize(
    ("run", "text"),
    [
        ({"stack": "naive", "url": None}, "naive"),  # of an older version
        ({"stack": "naive", "url": None, "gateway": None}, "naive"),
        ({"stack": "naive", "url": None, "gateway": "nginx:tuned"}, "nginx:tuned on naive"),
        ({"stack": "naive", "url": "http://127.0.0.1:4000", "gateway": None}, "http://127.0.0.1:4000 on naive"),
        ({"stack": None, "url": "http://127.0.0.1:4000", "gateway": None}, "http://127.0.0.1:4000"),
        ({"stack": None, "url": None}, "unknown"),
    ],
)
def test_a_target_is_named_with_what_is_in_front_of_the_replicas(run: dict[str, str | None], text: str) -> None:
    assert target_text(run) == text


@pytest.mark.parametrize(
    ("run", "text"),
    [
        ({}, ""),
        ({"gateway": "nginx:tuned"}, ""),
        ({"gateway": "nginx:tuned", "gateway_program": "nginx", "gateway_version": "1.2"}, "nginx:tuned, version 1.2"),
        (
            {"gateway": "envoy", "gateway_program": "envoy-bin", "gateway_version": "1", "gateway_tested": "2"},
            "envoy (program envoy-bin), version 1 (brownout was tested with 2)",
        ),
    ],
)
def test_a_gateway_is_named_with_its_version(run: dict[str, str], text: str) -> None:
    assert gateway_text(run) == text
