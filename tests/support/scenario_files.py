"""Scenario files for tests: a valid one, changed in one place."""

from __future__ import annotations

from pathlib import Path

from chaos.gameday.scenario.game_day import GameDay
from chaos.gameday.scenario.model import load_scenario
from reports.shared.errors import InvalidFile

__all__ = ["SCENARIO", "made", "problems", "write"]

SCENARIO = """\
brownout: 1
scenario: slow-chip
title: One chip is slow
family: grey-failure
briefing: You are on call.
target: {stack: multi-cloud}
load: {profile: busy-tenants-ci}
slo: {ttft: 2s, tpot: 100ms}
length: 20m
faults:
  - id: slow
    at: 3m
    slow_decode: {replica: tpu-1, factor: 8}
    repair: [{restart: tpu-1}, {drain: tpu}]
hints:
  - {after: 8m, unless: diagnosed, text: Compare the replicas.}
events:
  - {at: 5m, who: A customer, text: It is slow., answer_within: 2m}
findings:
  - Somebody looked at single replicas.
branches:
  - at: 12m
    when: not_repaired
    text: It gets worse.
    faults:
      - {kill: {pool: nvidia}}
    hints:
      - {after: 13m, text: Look at the pools.}
guardrails:
  - abort if session_success < 5% for 60s
seed: 7
"""


def write(folder: Path, old: str = "", new: str = "") -> Path:
    """The path of a scenario with `new` in place of `old`."""
    assert old in SCENARIO, old
    path = folder / "x.yaml"
    path.write_text(SCENARIO.replace(old, new, 1) if old else SCENARIO + new)
    return path


def made(folder: Path, old: str = "", new: str = "") -> GameDay:
    """The scenario after this change. Raises InvalidFile."""
    return load_scenario(write(folder, old, new))


def problems(folder: Path, old: str = "", new: str = "") -> list[tuple[int, str, str]]:
    """Line, problem and remedy of each mistake after this change."""
    try:
        made(folder, old, new)
    except InvalidFile as error:
        return [(one.line, one.what, one.remedy) for one in error.problems]
    return []
