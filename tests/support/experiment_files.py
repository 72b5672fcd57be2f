"""Experiment files for tests of the checks: the mistakes that are found in them, and their warnings."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.experiment.model import Experiment, load_experiment
from reports.shared.errors import InvalidFile

__all__ = ["FIRST_GATE", "PROFILE", "accepted", "refused", "write_profile"]

FIRST_GATE = 14
"""The line of the first gate."""

TEXT = """\
brownout: 1
name: mine
title: a hypothesis
target: TARGET
load: {profile: LOAD}
slo: {ttft: 2s, tpot: 100ms}
timeline:
  warmup: WARMUP
  baseline: 10s
  recovery: RECOVERY
  faults: [FAULTS]
guardrails: [GUARDRAILS]
gates:
GATES
"""

PROFILE = {
    "arrivals": "{constant: {rate: 3}}",
    "shared_prefix": "100",
    "own_prefix": "100",
    "calls": "{min: 1, max: 3}",
    "appended": "50",
    "output": "20",
    "tool": "100ms",
}
"""The keys of a small profile whose load does not rise."""


def _text(folder: Path, gates: tuple[str, ...], **given: str) -> Path:
    values = {
        "TARGET": "{stack: multi-cloud}",
        "LOAD": "coding-agent-ci",
        "WARMUP": "5s",
        "RECOVERY": "20s",
        "FAULTS": "{for: 5s, kill: {pool: tpu}}",
        "GUARDRAILS": "",
        "GATES": "\n".join(f"  - {gate}" for gate in gates),
    } | {key.upper(): value for key, value in given.items()}
    text = TEXT
    for key, value in values.items():
        text = text.replace(key, value)
    path = folder / "mine.yaml"
    path.write_text(text)
    return path


def accepted(folder: Path, *gates: str, **given: str) -> Experiment:
    """The experiment with these gates. `given`: other parts of the file (target, load, warmup, faults, ...)."""
    return load_experiment(_text(folder, gates, **given))


def refused(folder: Path, *gates: str, **given: str) -> list[tuple[int, str, str]]:
    """What is wrong with the experiment with these gates: line, what, remedy."""
    path = _text(folder, gates, **given)
    with pytest.raises(InvalidFile) as caught:
        load_experiment(path)
    assert all(problem.file == str(path) for problem in caught.value.problems)
    return [(problem.line, problem.what, problem.remedy) for problem in caught.value.problems]


def write_profile(folder: Path, **given: str) -> str:
    """A profile file with these keys in place of those of `PROFILE`; returns its name for `load=`."""
    keys = PROFILE | given
    (folder / "own.yaml").write_text("".join(f"{key}: {value}\n" for key, value in keys.items()))
    return "own.yaml"
