"""The probe before a load on a user's endpoint: one call, so that a wrong address or key costs seconds, not a run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from brownout.children import python_words
from chaos.runner.deployment import child_spec
from chaos.runner.probe_result import ProbeResult
from chaos.runner.record_writer import RunFolder
from chaos.supervision.supervisor import Child, ChildSpec, Supervisor
from reports.shared.errors import TargetFailed

__all__ = ["PROBE", "PROBE_WITHIN_S", "probe_spec", "probe_target"]

PROBE = "probe"
"""The name of the process."""

PROBE_WITHIN_S = 45.0
"""Seconds for the process. It ends its calls after 30 s by itself."""


def probe_spec(folder: RunFolder, config: Any, *, token: str) -> ChildSpec:
    """How to start the process. `config`: the configuration of the load."""
    argv = python_words("-m", "chaos.children.probe")
    return child_spec(folder, PROBE, "probe", argv, config, token=token, collector="")


async def probe_target(supervisor: Supervisor, spec: ChildSpec, started: Callable[[Child], None]) -> ProbeResult:
    """Calls the target once and returns what it found. Raises TargetFailed if the probe itself failed.

    `started` is called with the process.
    """
    started(await supervisor.spawn(spec))
    try:
        async with asyncio.timeout(PROBE_WITHIN_S):
            status = await supervisor.wait(PROBE)
    except TimeoutError:
        raise TargetFailed(f"the first call to the target took over {PROBE_WITHIN_S:g} s; no load was sent") from None
    output = spec.log.read_text(errors="replace").strip() if spec.log.is_file() else ""
    last = output.splitlines()[-1] if output else ""
    try:
        return msgspec.json.decode(last, type=ProbeResult)
    except msgspec.DecodeError:
        raise TargetFailed(f"the first call to the target could not be made (exit code {status}): {last}") from None
