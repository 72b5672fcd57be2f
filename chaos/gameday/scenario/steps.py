"""A fault as a step of the run sheet: its options as `chaos.by_hand.injection` takes them, with its replicas chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from chaos.experiment.wording import params_text
from chaos.faults.selection import Selector
from chaos.faults.spec import FaultSpec
from chaos.gameday.core.plan import Repair, Step

__all__ = ["step_of"]

_MOST_NAMED: Final = 4


def step_of(
    step_id: str,
    spec: FaultSpec,
    options: Mapping[str, Any],
    targets: Sequence[str],
    *,
    at_s: float,
    for_s: float | None,
    repairs: tuple[Repair, ...] | None = None,
) -> Step:
    """The step. `options`: as written in the file. `targets`: those that the seed has chosen."""
    chosen = dict(options)
    if isinstance(spec, Selector) and spec.count != "all":
        # The draw is part of the plan: the game master sees what will be hit, and a repeated step hits the same.
        for key in ("pool", "cloud", "count"):
            chosen.pop(key, None)
        chosen["replica"] = list(targets)
    return Step(
        id=step_id,
        label=_label(spec, targets),
        kind=spec.kind,
        options=chosen,
        at_s=at_s,
        for_s=for_s,
        repairs=repairs,
    )


def _label(spec: FaultSpec, targets: Sequence[str]) -> str:
    on = ", ".join(targets) if len(targets) <= _MOST_NAMED else f"{len(targets)} replicas"
    params = params_text(spec.params())
    share = f", {spec.requests_share * 100:g}% of the requests" if spec.requests_share is not None else ""
    return f"{spec.kind} on {on}{f' ({params})' if params else ''}{share}"
