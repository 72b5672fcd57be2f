"""Records of retry storms: a stack that stays down after its fault, with or without a twin and shedding."""

from __future__ import annotations

import json

from tests.support.measure_records import LATE_TTFT_S
from tests.support.otlp_values import ZERO_NS
from tests.support.record_builder import RecordBuilder, Up
from tests.support.record_defaults import PHASES

__all__ = ["PHASES_WITH_SHEDDING", "add_storm", "add_storm_with_spare_capacity", "write_twin"]

PHASES_WITH_SHEDDING = {
    **{phase: at for phase, at in PHASES.items() if at < 51.0},
    "shedding": 51.0,
    "readmission": 60.0,
    "drain": 70.0,
    "end": 74.0,
}
"""The phases of a run that tests by shedding, with their start in seconds."""


def add_storm(record: RecordBuilder, *, down: tuple[float, float] = (20.0, 51.0), attempts: int = 3) -> None:
    """A session of one call each half second. During `down` the calls are late and take `attempts` attempts."""
    record.experiment["profile"]["client"] = {"timeout_s": 5.0}
    record.fault(hits=9)
    until = max(event["at"] - ZERO_NS for event in record.events if event.get("phase") == "drain") / 1e9
    at, index = 0.25, 0
    while at < until:
        is_down = down[0] <= at < down[1]
        ttft = LATE_TTFT_S if is_down else 0.5
        failed = attempts - 1 if is_down else 0
        ups = [Up("gpu-0", at, at + 0.3, "reset", computed=0, decoded=5) for _ in range(failed)]
        ups.append(Up("gpu-1", at + 0.01, at + ttft + 0.3, passed_on=11))
        record.call(f"s{index}", 0, at, ttft=ttft, ups=ups)
        record.session(f"s{index}", at, at + ttft + 0.2)
        at, index = at + 0.5, index + 1


def add_storm_with_spare_capacity(
    record: RecordBuilder, *, down: tuple[float, float] = (20.0, 51.0), attempts: int = 3
) -> RecordBuilder:
    """A storm after a burst of good calls in the warm-up, which shows spare capacity."""
    for index in range(30):
        record.call(f"burst{index}", 0, 2.0 + index * 0.01)
    add_storm(record, down=down, attempts=attempts)
    return record


def write_twin(record: RecordBuilder, good: float, **more: object) -> None:
    """Write the report of a twin that offered ten calls per second, of which the share `good` was good."""
    folder = record.path.parent / "twin"
    folder.mkdir(parents=True)
    report = {
        "run": {"name": "lose-tpu-pool-twin", "seed": 7},
        "faults": [],
        "timeline": {"offered": [10] * 60, "good": [10 * good] * 60},
        **more,
    }
    (folder / "report.json").write_text(json.dumps(report))
    record.path.mkdir(parents=True, exist_ok=True)
    (record.path / "twin.json").write_text(json.dumps({"path": "../twin", "seed": 7}))
