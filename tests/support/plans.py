"""An experiment and a load of exact size, for tests of the plan."""

from __future__ import annotations

from pathlib import Path

from chaos.experiment.load_estimate import LoadEstimate, PlannedCall, PlannedSession
from chaos.experiment.model import Experiment, load_experiment

__all__ = ["TEXT", "experiment", "load"]

TEXT = """\
brownout: 1
name: mine
title: a hypothesis
target: {stack: multi-cloud}
load: {profile: coding-agent-ci}
slo: {ttft: 2s, tpot: 100ms}
steady_state: [slo_attainment >= 90%]
timeline:
  warmup: 0s
  baseline: 10s
  recovery: 10s
  faults:
    - {at: 0s, for: 10s, FAULT}
gates:
GATES
guardrails: [abort if session_success < 50% for 5s]
"""


def experiment(folder: Path, *gates: str, fault: str = "kill: {pool: tpu}") -> Experiment:
    """An experiment of 30 s with these gates and one fault, from 10 s to 20 s."""
    path = folder / "mine.yaml"
    path.write_text(TEXT.replace("FAULT", fault).replace("GATES", "\n".join(f"  - {gate}" for gate in gates)))
    return load_experiment(path)


def load(sessions: int, calls: int, over_s: float = 30.0) -> LoadEstimate:
    """Sessions evenly over `over_s`, each with this number of calls of one second, one after another."""

    def session(at: float) -> PlannedSession:
        return PlannedSession(at, None, tuple(PlannedCall(at + n, at + n + 1.0) for n in range(calls)))

    return LoadEstimate(tuple(session(n * over_s / sessions) for n in range(sessions)))
