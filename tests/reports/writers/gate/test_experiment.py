"""The sections of one experiment in a gate's summary."""

from __future__ import annotations

from reports.writers.gate.experiment import experiment_sections
from reports.writers.gate.sections import Rank
from tests.support.gate_results import (
    compared,
    experiment,
    failed_result,
    gate,
    inconclusive_result,
    passed_result,
    regression_result,
)


def test_a_failed_experiment_begins_with_what_broke_and_what_helps() -> None:
    first, *others = experiment_sections(failed_result().experiments[0])
    lines = first.text.splitlines()[::2]
    assert lines.pop(1).startswith("31 sessions lost: each of 27 was on the pool tpu when it was killed, and naive")
    assert lines == [
        "### ✗ failed: Lose the TPU pool under load (`lose-tpu-pool` on naive)",
        "**Decided by** `sessions_lost == 0`: 31 (worst of 3 runs), required == 0.",
        "**What helps:** continue started answers on another replica (migration), and retry before the first token",
    ]
    assert [section.rank for section in others] == [Rank.TABLE, Rank.PASSED, Rank.CALLS, Rank.AGAIN, Rank.RUNS]


def test_passed_gates_of_a_failed_experiment_are_folded() -> None:
    text = "\n\n".join(section.text for section in experiment_sections(failed_result().experiments[0]))
    opened, _, folded = text.partition("<summary>2 gates passed</summary>")
    assert "failover.max" not in opened
    assert "failover.max" in folded


def test_what_could_not_be_decided_has_its_reason() -> None:
    text = "\n\n".join(section.text for section in experiment_sections(inconclusive_result().experiments[0]))
    assert "**Not decided** `ttft.p95 in fault <= 2 s`: 2.4 s (95% interval 2.1 s to 2.7 s)" in text
    assert "- not decided: ttft.p95 in fault &lt;= 2 s: 9.4% of the tokens were over 20 ms late" in text
    assert "No further run was played: the time of --within is over" in text
    assert "judged 2 times" in text


def test_a_regression_is_shown_with_how_it_was_compared() -> None:
    text = "\n\n".join(section.text for section in experiment_sections(regression_result().experiments[0]))
    assert "**Compared with** `main` (both sides played in turn, 5 pairs of runs of the same seed): 1 of 4" in text
    assert "<summary>2 measures not worse than main</summary>" in text


def test_a_comparison_that_compared_nothing_shows_its_note() -> None:
    note = compared(verdict="inconclusive", note="the baseline has 3 runs, and 5 are needed", pairs=1)
    text = "\n\n".join(section.text for section in experiment_sections(experiment(comparison=note)))
    assert "1 pair of runs of the same seed): ? inconclusive. the baseline has 3 runs, and 5 are needed" in text


def test_a_passed_experiment_is_one_section_and_folded() -> None:
    (section,) = experiment_sections(passed_result().experiments[0])
    assert section.text.startswith("<details>\n<summary><b>✓ passed: lose-tpu-pool on multi-cloud</b>: 2 gates passed<")
    (alone,) = experiment_sections(passed_result().experiments[0], alone=True)
    assert alone.text.startswith(
        "### ✓ passed: Lose the TPU pool under load (`lose-tpu-pool` on multi-cloud)\n\nNo session"
    )
    assert alone.text.count("<details>") == alone.text.count("</details>") == 1


def test_an_experiment_without_a_passed_gate_or_run_has_no_empty_parts() -> None:
    broken = experiment(verdict="failed", gates=[gate(verdict="inconclusive")], runs=(), commands=(), sentence="")
    sections = list(experiment_sections(broken))
    assert [section.rank for section in sections] == [Rank.BROKEN, Rank.TABLE]
