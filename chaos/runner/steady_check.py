"""Whether a stack is steady before anything is broken: the `steady_state` gates, judged on the record so far.

In a process of its own, under the supervisor: what the analysis needs is too heavy for the runner.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from chaos.supervision.supervisor import Child, ChildSpec, Supervisor, child_environment
from reports.shared.errors import TargetFailed

__all__ = ["STEADY", "STEADY_WITHIN_S", "steady_spec", "unsteady"]

STEADY = "steady"
"""The name of the process."""

STEADY_WITHIN_S = 20.0
NOT_STEADY = 10
"""Its exit code when a gate failed; 1 is what a crash of Python leaves."""


def steady_spec(folder: Path, log: Path) -> ChildSpec:
    """How to start it on a run's folder."""
    argv = [sys.executable, "-m", "reports.analysis", str(folder), "--steady"]
    return ChildSpec(STEADY, argv, child_environment({}), log, "analysis")


async def unsteady(supervisor: Supervisor, spec: ChildSpec, started: Callable[[Child], None]) -> str:
    """Why the run is not steady, in words; empty where it is. Raises TargetFailed where that cannot be told."""
    started(await supervisor.spawn(spec))
    try:
        status = await asyncio.wait_for(supervisor.wait(STEADY), STEADY_WITHIN_S)
    except TimeoutError:
        raise TargetFailed(f"steady_state was not judged within {STEADY_WITHIN_S:g} s; log: {spec.log}") from None
    if status == 0:
        return ""
    said = spec.log.read_text(errors="replace").strip() if spec.log.is_file() else ""
    if status == NOT_STEADY:
        return f"not steady before the fault: {said}"
    raise TargetFailed(f"steady_state could not be judged (exit code {status}): {said}")
