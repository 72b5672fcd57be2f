"""Each exit code has a meaning for a pipeline, the same in the summary and in the documentation."""

from __future__ import annotations

from reports.gates.verdict import EXIT_CODES as CODES_OF_RUNS
from reports.writers.gate.exit_codes import EXIT_CODES, exit_code_text, exit_codes_table
from tests.support.paths import ROOT


def test_each_exit_code_of_a_run_has_a_meaning() -> None:
    assert {one.code for one in EXIT_CODES} == {*CODES_OF_RUNS.values(), 2}
    assert {one.verdict: one.code for one in EXIT_CODES if one.code != 2}.items() <= CODES_OF_RUNS.items()


def test_the_text_begins_with_what_the_pipeline_should_do() -> None:
    assert exit_code_text(1).startswith("Exit code 1: block the merge. A gate is violated")
    assert exit_code_text(3).startswith("Exit code 3: do not block by default; play it again, or ask a person. ")


def test_an_unknown_code_blocks() -> None:
    assert exit_code_text(137).startswith("Exit code 137: block the merge. ")


def test_the_documentation_has_the_same_table() -> None:
    assert exit_codes_table() in (ROOT / "docs" / "gate-schema.md").read_text(encoding="utf-8")
