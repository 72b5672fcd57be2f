"""The operators of gates: those that the grammar parses are those that judging judges."""

from __future__ import annotations

from typing import get_args

import pytest

from reports.gates.grammar import GateError, parse_gate
from reports.gates.operators import MISSPELT, OPERATORS, Limit
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import judged


@pytest.mark.parametrize("text", OPERATORS)
def test_each_operator_is_parsed(text: str) -> None:
    assert parse_gate(f"sessions_lost {text} 0").op == text


@pytest.mark.parametrize(
    ("text", "verdicts"),
    [
        ("<=", ("fail", "pass", "pass")),
        ("<", ("fail", "fail", "pass")),
        (">=", ("pass", "pass", "fail")),
        (">", ("pass", "fail", "fail")),
        ("==", ("fail", "pass", "fail")),
        ("!=", ("pass", "fail", "pass")),
    ],
)
def test_each_operator_compares_a_count_with_its_bound(
    record: RecordBuilder, text: str, verdicts: tuple[str, ...]
) -> None:
    record.call("s0", 0, 6.0)
    record.call("s1", 0, 7.0)
    gates = judged(record, *(f"calls {text} {bound}" for bound in (1, 2, 3)))
    assert tuple(gate.verdict for gate in gates) == verdicts


def test_each_limit_is_that_of_an_operator() -> None:
    assert {operator.limit for operator in OPERATORS.values()} == set(get_args(Limit))


@pytest.mark.parametrize("text", MISSPELT)
def test_a_misspelt_operator_is_an_error_that_suggests_the_right_one(text: str) -> None:
    with pytest.raises(GateError, match="is not a comparison") as caught:
        parse_gate(f"sessions_lost {text} 0")
    assert f"did you mean {MISSPELT[text]!r}?" in caught.value.remedy


def test_no_misspelt_operator_is_an_operator() -> None:
    assert set(MISSPELT).isdisjoint(OPERATORS)
    assert set(MISSPELT.values()) <= set(OPERATORS)
