"""The page for the meeting before an exercise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chaos.experiment.model import Experiment, experiment_names, load_experiment
from chaos.gameday.runbook import runbook_markdown
from tests.support.gate_runs import run_report
from tests.support.plans import experiment, load

WORDS = ("mine.yaml", "--stack", "my stack.yaml")


def page(made: Experiment, earlier: dict[str, Any] | None = None) -> str:
    return runbook_markdown(made, load(20, 2), words=WORDS, earlier=earlier)


def sections(text: str) -> dict[str, str]:
    """The page by its headings of the second level."""
    return {part.partition("\n")[0]: part.partition("\n")[2] for part in text.split("\n## ")[1:]}


def kill(tmp_path: Path) -> Experiment:
    return experiment(tmp_path, "sessions_lost == 0", fault="kill: {pool: tpu}")


def test_the_page_says_what_is_injected_where_and_when(tmp_path: Path) -> None:
    found = sections(page(kill(tmp_path)))
    assert "| 0:10 | f1: kill tpu-0, tpu-1 |" in found["What will be injected"]
    assert "| 0:20 | f1: kill reverted, and verified |" in found["What will be injected"]
    assert "about 20 sessions and 40 calls" in found["What is played"]
    assert "| `sessions_lost == 0` | sessions lost | at the end |" in found["What should happen"]
    assert "| `slo_attainment >= 90%` |" in found["What should happen"]
    assert "before a fault is injected" in found["What should happen"]
    assert "- `abort if session_success < 50% for 5s`" in found["How to stop it"]
    assert "brownout run mine.yaml --stack 'my stack.yaml'" in found["Play it"]


def test_the_parts_of_the_description_stand_where_they_belong() -> None:
    made = load_experiment("grey-failure")
    found = sections(page(made))
    assert "One chip is throttled" in found["What we believe"]
    assert "blast" not in found["What we believe"]
    assert found["What to watch"].strip().startswith("blast_radius.sessions (how many sessions")
    assert found["What helps"].strip().startswith("ejection of latency outliers")


@pytest.mark.parametrize("name", experiment_names())
def test_every_experiment_of_the_catalogue_has_a_whole_page(name: str) -> None:
    found = sections(page(load_experiment(name)))
    assert list(found) == [
        "What we believe",
        "What is played",
        "What will be injected",
        "What should happen",
        "What to watch",
        "What helps",
        "How to stop it",
        "Roles",
        "Checklist",
        "Play it",
    ]
    assert all(text.strip() for text in found.values())
    assert "does not say" not in found["What to watch"] + found["What helps"]


def test_without_faults_and_guardrails_the_page_says_so(tmp_path: Path) -> None:
    made = replace(kill(tmp_path), faults=(), guardrails=(), description="")
    found = sections(page(made))
    assert "No fault: the exercise is the load itself." in found["What will be injected"]
    assert "No guardrail stops it by itself." in found["How to stop it"]
    assert "The experiment does not say." in found["What helps"]


def test_figures_of_an_earlier_run_stand_beside_the_gates(tmp_path: Path) -> None:
    made = load_experiment("lose-tpu-pool")
    found = sections(page(made, run_report(made, lost=3, values={"ttft.p95": 0.5})))["What should happen"]
    assert "| `sessions_lost == 0` | sessions lost | at the end | 3: fail |" in found
    assert "3 sessions were lost" in found
    assert "| `ttft.p95` | 500 ms | 500 ms | 500 ms |" in found
    assert "other conditions" not in found
    assert "No earlier run" not in found


def test_an_earlier_run_on_another_stack_is_named_as_such() -> None:
    made = load_experiment("lose-tpu-pool")
    found = sections(page(made, run_report(load_experiment("lose-tpu-pool", stack="naive"))))["What should happen"]
    assert "It was played under other conditions: stack naive, now multi-cloud." in found


def test_text_of_the_experiment_is_no_markup(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script> | [a](http://evil.example) `x` # y"
    made = replace(kill(tmp_path), title=hostile, description=hostile)
    text = page(made)
    assert "<script" not in text
    assert "[a](" not in text
    assert "\\[a\\](http" in text
