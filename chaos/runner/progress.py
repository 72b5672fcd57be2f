"""The progress of a run on the terminal: phase, sessions, goodput, active faults.

On a terminal, one block that is redrawn; otherwise (CI), a line at each change and every ten seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from chaos.runner.collector import Counters
from reports.shared.thresholds import WINDOW_S

__all__ = ["Progress"]

PLAIN_EVERY_S = 10.0
PHASE_STYLE = {"fault": "bold red", "recovery": "yellow", "baseline": "green"}


@dataclass(slots=True)
class _Phase:
    name: str = "setup"
    began: float = 0.0
    lasts_s: float | None = None


@dataclass(slots=True)
class _Load:
    running: int = 0
    succeeded: int = 0
    lost: int = 0
    sent: int = 0
    ttft_ms: float | None = None
    history: list[tuple[float, int, int]] = field(default_factory=list)

    def good_share(self) -> float | None:
        """Good calls / calls ended, over the last 5 s. None: no call ended."""
        if len(self.history) < 2:
            return None
        first, last = self.history[0], self.history[-1]
        ended = last[2] - first[2]
        return (last[1] - first[1]) / ended if ended > 0 else None


class Progress:
    """A context manager that shows the progress. `quiet`: prints nothing. `clock`: monotonic seconds."""

    def __init__(
        self, console: Console, title: str, *, quiet: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = console
        self._title = title
        self._quiet = quiet
        self._clock = clock
        self._phase = _Phase(began=clock())
        self._load = _Load()
        self._faults: list[str] = []
        self._excluded: list[str] = []
        self._live: Live | None = None
        self._printed_at = 0.0

    def __enter__(self) -> Progress:
        if self._quiet:
            return self
        self._console.print(Text(self._title, style="bold"))
        if self._console.is_terminal:
            self._live = Live(
                console=self._console,
                get_renderable=self._block,
                refresh_per_second=4,
                transient=True,
                redirect_stdout=False,
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def phase(self, name: str, lasts_s: float | None = None) -> None:
        """A phase begins. `lasts_s`: its planned length; None: unknown."""
        self._phase = _Phase(name, self._clock(), lasts_s)
        self.say(f"{name}" + (f" ({lasts_s:g} s)" if lasts_s else ""), style=PHASE_STYLE.get(name, "bold"))

    def say(self, text: str, *, style: str = "") -> None:
        """Print one line, with the time."""
        if self._quiet:
            return
        stamp = time.strftime("%H:%M:%S")
        self._console.print(Text.assemble((stamp, "dim"), "  ", (text, style)))

    def fault(self, text: str, *, on: bool) -> None:
        """A fault was injected (`on`) or reverted."""
        if on and text not in self._faults:
            self._faults.append(text)
        elif not on and text in self._faults:
            self._faults.remove(text)

    def counters(self, counters: Counters) -> None:
        """A process has posted its counters."""
        data: dict[str, Any] = counters.data
        if counters.kind == "gateway":
            self._excluded = sorted(
                name
                for name, state in data.get("replicas", {}).items()
                if state.get("ejected") or state.get("breaker") == "open"
            )
        if counters.kind != "load" or "sessions" not in data:
            return
        now = self._clock()
        load = self._load
        load.running = data["sessions"]["running"]
        load.succeeded = data["sessions"]["succeeded"]
        load.lost = data["sessions"]["lost"]
        load.sent = data["calls"]["sent"]
        load.ttft_ms = data.get("ttft_ms_recent")
        load.history.append((now, data["good_calls"], data["calls"]["ok"] + data["calls"]["failed"]))
        load.history = [entry for entry in load.history if entry[0] >= now - WINDOW_S]
        if not self._quiet and self._live is None and now - self._printed_at >= PLAIN_EVERY_S:
            self._printed_at = now
            self.say(self._line())

    def _line(self) -> str:
        load = self._load
        share = load.good_share()
        parts = [
            f"{load.running} sessions running",
            f"{load.succeeded} succeeded",
            f"{load.lost} lost",
            f"{load.sent} calls",
            "goodput --" if share is None else f"goodput {share:.0%}",
        ]
        if load.ttft_ms is not None:
            parts.append(f"TTFT p50 {load.ttft_ms:.0f} ms")
        if self._excluded:
            parts.append(f"excluded by the gateway: {', '.join(self._excluded)}")
        return " · ".join(parts)

    def _block(self) -> Group:
        phase = self._phase
        elapsed = self._clock() - phase.began
        head = Table.grid(padding=(0, 2))
        bar = (
            ProgressBar(total=phase.lasts_s, completed=min(elapsed, phase.lasts_s or elapsed), width=30)
            if phase.lasts_s
            else ""
        )
        clock = f"{elapsed:.0f} s" + (f" of {phase.lasts_s:g} s" if phase.lasts_s else "")
        head.add_row(Text(phase.name, style=PHASE_STYLE.get(phase.name, "bold")), bar, clock)
        rows: list[Any] = [head, Text(self._line())]
        if self._faults:
            rows.append(Text("active faults: " + "; ".join(self._faults), style="bold red"))
        return Group(*rows)
