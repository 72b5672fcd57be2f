"""The result of a gate as types: read and written."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brownout.result import InvalidResult, Result
from tests.support.gate_results import failed_result, inconclusive_result, passed_result, regression_result

MAKERS = [failed_result, passed_result, inconclusive_result, regression_result]


@pytest.mark.parametrize("make", MAKERS)
def test_what_is_written_is_read_again(make: Any, tmp_path: Path) -> None:
    result: Result = make()
    (tmp_path / "gate.json").write_text(json.dumps(result.to_json(), allow_nan=False))
    found = Result.read(tmp_path)
    assert found == result
    assert found.folder == tmp_path


def test_infinite_numbers_have_a_word_and_missing_ones_are_null() -> None:
    result = failed_result()
    first, *others = result.experiments
    gate = replace(first.gates[0], value=math.inf, interval=(-math.inf, math.inf), values=(None, math.nan))
    result = replace(result, experiments=(replace(first, gates=(gate,)), *others))
    data = json.loads(json.dumps(result.to_json(), allow_nan=False))
    its = data["experiments"][0]["gates"][0]
    assert (its["value"], its["interval"], its["values"]) == ("never", ["-never", "never"], [None, None])
    read = Result.from_json(data).experiments[0].gates[0]
    assert (read.value, read.interval, read.values) == (math.inf, (-math.inf, math.inf), (None, None))


def test_fields_of_a_later_version_are_ignored() -> None:
    data = passed_result().to_json() | {"more": 1}
    data["experiments"][0]["later"] = {}
    assert Result.from_json(data) == passed_result()


@pytest.mark.parametrize(
    "change", [{"schema": 2}, {"schema": None}, {"verdict": "good"}, {"experiments": 3}, {"why": [1]}]
)
def test_what_is_no_result_is_refused_with_its_file(tmp_path: Path, change: dict[str, Any]) -> None:
    (tmp_path / "gate.json").write_text(json.dumps(passed_result().to_json() | change))
    with pytest.raises(InvalidResult, match=r"gate\.json"):
        Result.read(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", '"x"'])
def test_what_is_no_json_object_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "gate.json").write_text(text)
    with pytest.raises(InvalidResult):
        Result.read(tmp_path)


def test_a_missing_file_is_answered_with_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(InvalidResult, match="brownout gate EXPERIMENT --out"):
        Result.read(tmp_path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda one: st.lists(one) | st.dictionaries(st.text(max_size=8), one),
    max_leaves=8,
)


@settings(max_examples=25)
@given(JSON)
def test_no_json_is_a_crash(value: Any) -> None:
    data = passed_result().to_json()
    for key in list(data):
        if key != "schema":
            changed = {**data, key: value}
            try:
                Result.from_json(changed)
            except InvalidResult:
                continue
