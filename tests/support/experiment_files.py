"""Experiment files for tests of the checks: the mistakes that are found in them, and their warnings."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.experiment.model import Experiment, load_experiment
from reports.shared.errors import InvalidFile

__all__ = [
    "FIRST_FAULT",
    "FIRST_GATE",
    "HEAD",
    "PROFILE",
    "WITHOUT_FAULTS",
    "Found",
    "accepted",
    "mistakes",
    "of_faults",
    "refused",
    "write_profile",
]

Found = list[tuple[int, str, str]]
"""Line, mistake and remedy of each."""

HEAD = """\
brownout: 1
name: mine
title: a hypothesis
target: {stack: multi-cloud}
load: {profile: coding-agent-ci}
slo: {ttft: 2s, tpot: 100ms}
gates: [sessions_lost == 0]
timeline:
  recovery: 20s
  faults:
"""
"""A file that ends where its faults follow, one a line."""
FIRST_FAULT = 11
"""The line of the first of them."""
WITHOUT_FAULTS = HEAD.replace("  faults:\n", "")

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


def refused(folder: Path, *gates: str, **given: str) -> Found:
    """The mistakes of the experiment with these gates; fails if it has none."""
    return _found(_text(folder, gates, **given))


def mistakes(folder: Path, text: str, *, stack: str | None = None) -> Found:
    """The mistakes of a file with this text; fails if it has none."""
    path = folder / "mine.yaml"
    path.write_text(text)
    return _found(path, stack)


def of_faults(folder: Path, *entries: str, stack: str | None = None) -> Found:
    """The mistakes of a file with these faults; the first one is on line `FIRST_FAULT`."""
    return mistakes(folder, HEAD + "".join(f"    - {entry}\n" for entry in entries), stack=stack)


def _found(path: Path, stack: str | None = None) -> Found:
    with pytest.raises(InvalidFile) as caught:
        load_experiment(path, stack=stack)
    assert all(problem.file == str(path) for problem in caught.value.problems)
    return [(problem.line, problem.what, problem.remedy) for problem in caught.value.problems]


def write_profile(folder: Path, **given: str) -> str:
    """A profile file with these keys in place of those of `PROFILE`; returns its name for `load=`."""
    keys = PROFILE | given
    (folder / "own.yaml").write_text("".join(f"{key}: {value}\n" for key, value in keys.items()))
    return "own.yaml"
