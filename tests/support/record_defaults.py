"""The experiment and the phases of the records that `tests.support.record_builder` builds."""

from __future__ import annotations

from typing import Any

__all__ = ["EXPERIMENT", "PHASES", "REPLICAS"]

REPLICAS = [
    {"name": f"{pool}-{n}", "pool": pool, "cloud": cloud, "hardware": pool, "chips": 4, "usd_per_hour": price}
    for pool, cloud, price in (("gpu", "azure", 36.0), ("tpu", "gcp", 18.0))
    for n in (0, 1)
]
EXPERIMENT: dict[str, Any] = {
    "brownout": 1,
    "name": "lose-tpu-pool",
    "title": "Losing a pool costs no session",
    "target": {"stack": "two-pools"},
    "load": {"profile": "tiny", "trace": None},
    "profile": {"name": "tiny", "shared_prefix": 100},
    "slo": {"ttft": 2.0, "tpot": 0.1},
    "timeline": {
        "warmup": 5,
        "baseline": 15,
        "faults": [{"at": 0, "for": 10, "kill": {"pool": "tpu"}}],
        "recovery": 20,
    },
    "gates": ["sessions_lost == 0"],
    "steady_state": [],
    "stack": {"name": "two-pools", "model": "test-70b", "replicas": REPLICAS},
    "seed": 7,
    "command": "brownout run lose-tpu-pool --seed 7",
}
PHASES = {"setup": -3.0, "warmup": 0.0, "baseline": 5.0, "fault": 20.0, "recovery": 31.0, "drain": 51.0, "end": 55.0}
