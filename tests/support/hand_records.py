"""Records of a stack that was up for chaos by hand."""

from __future__ import annotations

from pathlib import Path

from tests.support.record_builder import RecordBuilder

__all__ = ["hand_run", "injected"]


def hand_run(path: Path, *, load: tuple[float, float] | None = (0.0, 120.0), end: float = 130.0) -> RecordBuilder:
    """A stack that was up from -10 s to `end`. `load`: from when to when its load ran, with a call a second."""
    record = RecordBuilder(path)
    record.experiment |= {
        "name": "up-two-pools",
        "title": "Chaos by hand on two-pools",
        "by_hand": True,
        "gates": [],
        "headline_gate": "sessions_lost == 0",
        "timeline": {"warmup": 0, "baseline": 3600, "faults": [], "recovery": 0},
    }
    record.event("run", -10.0, event="started", why="")
    record.event("phase", -10.0, phase="setup")
    if load is not None:
        first, last = load
        record.event("action", first, action="load_start", text="profile chat, seed 7")
        record.event("action", last, action="load_stop", text="")
        record.load_gauges(last)
        for second in range(int(first), int(last) - 2):
            record.call(f"s{second}", 0, second + 0.1)
            record.session(f"s{second}", second + 0.1, second + 1.0)
    else:
        record.load_gauges(0.0)
    record.event("phase", end, phase="end")
    record.event("run", end, event="finished", why="")
    return record


def injected(
    record: RecordBuilder,
    fault_id: str,
    at: float,
    over: float | None,
    targets: tuple[str, ...] = ("tpu-0", "tpu-1"),
    kind: str = "kill",
) -> None:
    """A fault that was injected by hand at `at`, and verified as reverted at `over`; None: never."""
    stages = {"planned": at, "injected": at, "confirmed": at + 0.1}
    if over is not None:
        stages |= {"reverted": over - 0.1, "verified": over}
    record.fault(fault_id, kind, targets, stages=stages)
    record.event("action", at + 0.1, action="inject", text=f"{fault_id}: {kind} on {', '.join(targets)}")
