"""gate.json holds the whole result, and each of its fields is documented."""

from __future__ import annotations

import dataclasses
import json
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from brownout.result import Result
from reports.writers.gate.gate_json import write_gate_json
from tests.support.gate_results import (
    experiment,
    failed_result,
    gate,
    hostile_result,
    many_results,
    regression_result,
    result,
)
from tests.support.paths import ROOT


@pytest.mark.parametrize(
    "made",
    [failed_result(), regression_result(), hostile_result(), many_results(40)],
    ids=["fail", "worse", "hostile", "40"],
)
def test_what_is_written_is_read_again(made: Result, tmp_path: Path) -> None:
    assert write_gate_json(made, tmp_path) == tmp_path / "gate.json"
    assert Result.read(tmp_path) == made
    assert [path.name for path in tmp_path.iterdir()] == ["gate.json"]


def test_numbers_that_json_has_no_form_for_are_words_or_null(tmp_path: Path) -> None:
    made = result(experiment(gates=[gate(value=float("inf"), interval=(float("-inf"), 1.0), bound=float("nan"))]))
    data = json.loads(write_gate_json(made, tmp_path).read_text())
    found = data["experiments"][0]["gates"][0]
    assert (found["value"], found["interval"], found["bound"]) == ("never", ["-never", 1.0], None)


def field_paths(kind: Any, path: str = "") -> Iterator[str]:
    """The path of each field of a type and of the types in it; `[]` stands for the items of a list."""
    for one in dataclasses.fields(kind):
        if one.name == "folder" and kind is Result:
            continue  # not in the file
        here = f"{path}.{one.name}" if path else one.name
        yield here
        hint = typing.get_type_hints(kind)[one.name]
        for inner in (hint, *typing.get_args(hint)):
            if dataclasses.is_dataclass(inner):
                yield from field_paths(inner, f"{here}[]" if typing.get_origin(hint) is tuple else here)


def test_the_page_documents_exactly_the_fields_of_the_types() -> None:
    text = (ROOT / "docs" / "gate-schema.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)
    assert sorted(documented) == sorted(field_paths(Result))
