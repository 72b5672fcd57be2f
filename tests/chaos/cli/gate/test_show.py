"""The result of a gate on the terminal."""

from __future__ import annotations

import io

import pytest

from brownout.result import Result
from chaos.cli.console import open_console
from chaos.cli.gate.show import experiment_renderable, result_renderable
from tests.support.gate_results import failed_result, inconclusive_result, passed_result, regression_result


def shown(result: Result) -> str:
    text = io.StringIO()
    console = open_console(text, width=200)
    for experiment in result.experiments:
        console.print(experiment_renderable(experiment))
    console.print(result_renderable(result))
    return text.getvalue()


@pytest.mark.parametrize("make", [failed_result, passed_result, inconclusive_result, regression_result])
def test_every_gate_and_the_verdict_are_shown(make: object) -> None:
    result: Result = make()  # type: ignore[operator]
    text = shown(result)
    assert all(gate.text in text for one in result.experiments for gate in one.gates)
    assert f"GATE {result.verdict.upper()}  exit code {result.exit_code}" in text


def test_a_regression_is_shown_with_its_change_and_what_is_accepted() -> None:
    text = shown(regression_result())
    worse = [line for line in text.splitlines() if line.startswith("✗") and "%" in line]
    assert any("more" in line for line in worse), text
