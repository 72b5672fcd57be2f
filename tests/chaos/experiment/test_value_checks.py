"""A key without a value is a mistake, wherever it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.experiment.model import load_experiment
from reports.shared.errors import InvalidFile

FILE = """\
brownout: 1
name: mine
title: a title
target: {stack: multi-cloud}
load: {profile: coding-agent-ci}
slo: {ttft: 2s, tpot: 100ms}
timeline:
  faults:
    - {for: 5s, kill: {pool: tpu}}
gates: [sessions_lost == 0]
"""


@pytest.mark.parametrize(
    ("before", "after", "line", "key"),
    [
        ("{for: 5s, kill: {pool: tpu}}", "{for: 5s, kill: {pool: null}}", 9, "pool"),
        ("{for: 5s, kill: {pool: tpu}}", "{for: null, kill: {pool: tpu}}", 9, "for"),
        ("{for: 5s, kill: {pool: tpu}}", "{for: 5s, stall: {pool: tpu, tenant: }}", 9, "tenant"),
        ("{for: 5s, kill: {pool: tpu}}", "{for: 5s, kill: {pool: tpu}}\n  baseline:", 10, "baseline"),
        ("slo: {ttft: 2s, tpot: 100ms}", "slo: {ttft: 2s, tpot: 100ms}\nguardrails:", 7, "guardrails"),
    ],
)
def test_a_key_without_a_value_is_named_with_its_line(
    tmp_path: Path, before: str, after: str, line: int, key: str
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(FILE.replace(before, after))
    with pytest.raises(InvalidFile) as error:
        load_experiment(path)
    found = {(problem.line, problem.what, problem.remedy) for problem in error.value.problems}
    assert (line, f"{key} has no value", "write a value, or remove the key") in found
