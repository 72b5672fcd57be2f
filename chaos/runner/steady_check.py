"""Judges the `steady_state` gates on the record so far, before a fault is injected.

In a process of its own, under the supervisor: the libraries of the analysis are too large for the runner.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from brownout.children import python_words
from chaos.supervision.supervisor import Child, ChildSpec, Supervisor, child_environment
from reports.shared.errors import TargetFailed

__all__ = ["STEADY", "STEADY_WITHIN_S", "steady_spec", "unsteady"]

STEADY = "steady"
"""The name of the process."""

STEADY_WITHIN_S = 20.0
NOT_STEADY = 10
"""Its exit code if a gate failed. Not 1, which is the exit code of a Python crash."""


def steady_spec(folder: Path, log: Path) -> ChildSpec:
    """How to start the process on a run's folder."""
    argv = python_words("-m", "reports.analysis", str(folder), "--steady")
    return ChildSpec(STEADY, argv, child_environment({}), log, "analysis")


async def unsteady(supervisor: Supervisor, spec: ChildSpec, started: Callable[[Child], None]) -> str:
    """Returns which gates fail, or "" if the stack is steady. Raises TargetFailed if that cannot be judged.

    `started` is called with the process.
    """
    started(await supervisor.spawn(spec))
    try:
        async with asyncio.timeout(STEADY_WITHIN_S):
            status = await supervisor.wait(STEADY)
    except TimeoutError:
        raise TargetFailed(f"steady_state was not judged within {STEADY_WITHIN_S:g} s; log: {spec.log}") from None
    if status == 0:
        return ""
    output = spec.log.read_text(errors="replace").strip() if spec.log.is_file() else ""
    if status == NOT_STEADY:
        return f"not steady before the fault: {output}"
    raise TargetFailed(f"steady_state could not be judged (exit code {status}): {output}")
