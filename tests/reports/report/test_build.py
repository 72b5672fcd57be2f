"""The report's form for JSON."""

from __future__ import annotations

from typing import Any

import pytest

from reports.record.reader import read_record
from reports.report.build import plain, run_facts
from tests.support.foreign_records import ForeignRecord


def test_values_that_json_has_no_form_for_are_replaced() -> None:
    assert plain({"a": float("inf"), "b": [float("nan"), b"\x01"], 3: True}) == {
        "a": "never",
        "b": [None, "01"],
        "3": True,
    }


@pytest.mark.parametrize(
    ("target", "gateway"),
    [
        ({"stack": "two-pools"}, None),
        ({"stack": "two-pools", "gateway": {"nginx": {"preset": "tuned"}}}, "nginx:tuned"),
        ({"stack": "two-pools", "gateway": {"nginx": None}}, "nginx"),
        ({"stack": "two-pools", "gateway": {}}, None),
        ({"stack": "two-pools", "gateway": "garbage"}, None),
        ("garbage", None),
    ],
)
def test_a_run_names_the_gateway_that_it_started(foreign: ForeignRecord, target: Any, gateway: str | None) -> None:
    foreign.experiment["target"] = target
    assert run_facts(read_record(foreign.write()))["gateway"] == gateway


def test_a_run_names_the_program_and_the_version_of_its_gateway(foreign: ForeignRecord) -> None:
    assert run_facts(read_record(foreign.write()))["gateway_version"] is None
    foreign.event("gateway", -3.0, name="nginx", preset="tuned", program="nginx", version="1.24.0", tested="1.22.1")
    facts = run_facts(read_record(foreign.write()))
    assert [facts[f"gateway_{key}"] for key in ("program", "version", "tested")] == ["nginx", "1.24.0", "1.22.1"]
