"""A key without a value is a mistake, wherever it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.experiment_files import FIRST_FAULT, WITHOUT_FAULTS, mistakes, of_faults

REMEDY = "write a value, or remove the key"


@pytest.mark.parametrize(
    ("entry", "key"),
    [
        ("{for: 5s, kill: {pool: null}}", "pool"),
        ("{for: null, kill: {pool: tpu}}", "for"),
        ("{for: 5s, stall: {pool: tpu, tenant: }}", "tenant"),
    ],
)
def test_a_key_of_a_fault_without_a_value_is_named_with_its_line(tmp_path: Path, entry: str, key: str) -> None:
    assert (FIRST_FAULT, f"{key} has no value", REMEDY) in of_faults(tmp_path, entry)


@pytest.mark.parametrize(("more", "key"), [("  baseline:\n", "baseline"), ("guardrails:\n", "guardrails")])
def test_any_other_key_without_a_value_is_named_with_its_line(tmp_path: Path, more: str, key: str) -> None:
    line = WITHOUT_FAULTS.count("\n") + 1
    assert (line, f"{key} has no value", REMEDY) in mistakes(tmp_path, WITHOUT_FAULTS + more)
