"""The time that a gate may take: `--within`. No run begins that would probably end later."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from reports.shared.units import duration_text

__all__ = ["Budget"]


@dataclass
class Budget:
    """`limit_s`: for the whole gate, from now on; None: without a limit. `clock`: seconds."""

    limit_s: float | None
    clock: Callable[[], float] = time.monotonic
    began_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.began_s = self.clock()

    @property
    def spent_s(self) -> float:
        """Since the gate began."""
        return self.clock() - self.began_s

    def refuses(self, run_s: float, runs: int = 1, *, kept_s: float = 0.0) -> str:
        """Why `runs` more runs of `run_s` seconds each may not begin; "" if they may. `kept_s`: for others after."""
        if self.limit_s is None or self.spent_s + runs * run_s + kept_s <= self.limit_s:
            return ""
        what = f"another run of about {duration_text(round(run_s))} does" if runs == 1 else f"{runs} more runs do"
        kept = f", of which {duration_text(round(kept_s))} are kept for the experiments that follow" if kept_s else ""
        return f"{what} not fit into --within {duration_text(self.limit_s)}{kept}"

    def retries(self, run_s: float, wanted: int, *, kept_s: float = 0.0) -> int:
        """How many of the wanted retries of a run fit beside the run itself."""
        if self.limit_s is None or run_s <= 0:
            return wanted
        left_s = self.limit_s - self.spent_s - kept_s - run_s
        return max(0, min(wanted, int(left_s // run_s)))
