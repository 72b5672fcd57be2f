"""Parts of a game day's documents, as rich as those of a real exercise. Deterministic: a function of the time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = [
    "CATALOGUE",
    "CAUSES",
    "COMPONENTS",
    "FAULT_WORDS",
    "OPERATIONS",
    "charts",
    "gamemaster_part",
    "live",
    "review",
]

FAULT_WORDS = ("slow_decode", "Grey failure of tpu-0", "grey-failure", "Grey failure", "decodes at a tenth")
"""What only a game master may see before the exercise is over."""

CAUSES = [
    {"id": "replica-down", "label": "a replica is down"},
    {"id": "replica-slow", "label": "a replica is slow"},
    {"id": "streams-break", "label": "streams break"},
    {"id": "retries", "label": "clients retry too much"},
    {"id": "tenant", "label": "one tenant takes everything"},
    {"id": "demand", "label": "demand outgrew supply"},
    {"id": "network", "label": "network latency"},
    {"id": "health", "label": "health checks lie"},
    {"id": "cloud-lost", "label": "a cloud or pool is lost"},
    {"id": "other", "label": "something else"},
]
COMPONENTS = [
    {"id": "gateway", "label": "the gateway"},
    {"id": "load", "label": "the load"},
    {"id": "cloud:gcp", "label": "cloud gcp"},
    {"id": "pool:gpu", "label": "pool gpu"},
    {"id": "pool:tpu", "label": "pool tpu"},
    {"id": "pool:spot", "label": "pool spot"},
    {"id": "replica:gpu-0", "label": "replica gpu-0"},
    {"id": "replica:tpu-0", "label": "replica tpu-0"},
    {"id": "tenant:hooli", "label": "tenant hooli"},
]
OPERATIONS: list[dict[str, Any]] = [
    {
        "id": "restart",
        "label": "Restart a replica",
        "arguments": [{"name": "replica", "label": "replica", "choices": ["gpu-0", "gpu-1", "tpu-0", "tpu-1"]}],
        "possible": True,
        "why_not": "",
    },
    {"id": "restart_gateway", "label": "Restart the gateway", "arguments": [], "possible": True, "why_not": ""},
    {
        "id": "drain",
        "label": "Drain a pool",
        "arguments": [{"name": "pool", "label": "pool", "choices": ["gpu", "tpu", "spot"]}],
        "possible": True,
        "why_not": "",
    },
    {
        "id": "shed",
        "label": "Shed a tier",
        "arguments": [{"name": "tier", "label": "tier", "choices": ["batch", "interactive"]}],
        "possible": True,
        "why_not": "",
    },
    {
        "id": "switch",
        "label": "Switch a policy",
        "arguments": [{"name": "policy", "label": "policy", "choices": ["retries: off", "hedging: off"]}],
        "possible": False,
        "why_not": "this gateway cannot change its policies while it runs",
    },
    {
        "id": "add_pool",
        "label": "Add a pool",
        "arguments": [{"name": "pool", "label": "pool", "choices": ["reserve"]}],
        "possible": True,
        "why_not": "",
    },
]
CATALOGUE: list[dict[str, Any]] = [
    {
        "kind": "slow_decode",
        "where": "replica",
        "title": "The replica decodes slowly",
        "keys": [
            {"name": "targets", "required": True, "choices": ["gpu-0", "gpu-1", "tpu-0", "tpu-1"], "default": None,
             "help": "replicas, pools or clouds"},
            {"name": "factor", "required": False, "choices": None, "default": 10.0, "help": "times slower"},
        ],
    },
    {
        "kind": "kill",
        "where": "process",
        "title": "The process is killed",
        "keys": [{"name": "targets", "required": True, "choices": ["gpu-0", "gpu-1", "tpu-0", "tpu-1", "gateway"],
                  "default": None, "help": "replicas, pools, clouds or the gateway"}],
    },
    {
        "kind": "surge",
        "where": "load",
        "title": "More sessions arrive",
        "keys": [{"name": "factor", "required": True, "choices": None, "default": 2.0, "help": "times the rate"}],
    },
]  # fmt: skip


def charts(elapsed_s: float, points: int) -> dict[str, Any]:
    """Five minutes of charts: None before the load began."""
    step_s = 2.0
    ages = [elapsed_s - step_s * (points - 1 - index) for index in range(points)]

    def series(base: float, swing: float) -> list[float | None]:
        return [
            None if t < 0 else round(base + swing * math.sin(t / 17) + swing / 3 * math.sin(t / 3), 2) for t in ages
        ]

    return {
        "step_s": step_s,
        "end_s": elapsed_s,
        "offered": series(14.0, 2.0),
        "good": series(12.0, 3.0),
        "failed": series(1.5, 1.0),
        "ttft_ms": series(850.0, 400.0),
        "queue": series(12.0, 9.0),
        "running": series(64.0, 12.0),
    }


def live(elapsed_s: float, pools: Mapping[str, int], running: bool, level: float, points: int) -> dict[str, Any]:
    """The stack at a time. `pools`: replicas of each pool."""
    clouds = ("aws", "gcp", "on-prem")
    return {
        "age_s": 0.4,
        "load": {"running": running, "profile": "coding-agent-ci", "level": level},
        "offered_per_s": round(14 * level, 1),
        "good_per_s": round(11.4 * level, 1),
        "failed_per_s": 1.6,
        "ttft_ms": 1240.0,
        "slo_ttft_s": 2.0,
        "sessions": {"running": 42, "succeeded": 311 + int(elapsed_s), "lost": 7},
        "gateway": {"name": "reference gateway", "state": "up", "queued": 9, "panic": False},
        "operations": [],
        "pools": [
            {
                "name": pool,
                "cloud": clouds[number % len(clouds)],
                "reserve": pool == "reserve",
                "state": "off" if pool == "reserve" else "up",
                "replicas": [_replica(pool, index, int(elapsed_s)) for index in range(count)],
            }
            for number, (pool, count) in enumerate(pools.items())
        ],
        "charts": charts(elapsed_s, points),
    }


def _replica(pool: str, index: int, second: int) -> dict[str, Any]:
    if pool == "reserve":
        return {"name": f"{pool}-{index}", "state": "off", "running": None, "waiting": None, "gateway": None}
    silent = pool == "spot" and index == 1
    return {
        "name": f"{pool}-{index}",
        "state": "silent" if silent else "up",
        "running": None if silent else 8 + (second + index) % 5,
        "waiting": None if silent else (second * 3 + index) % 7,
        "gateway": {
            "breaker": "open" if silent else "closed",
            "ejected": silent,
            "in_flight": 0 if silent else 9 + index,
            "drained": False,
        },
    }


def gamemaster_part(
    elapsed_s: float, sheet: Sequence[dict[str, Any]], faults: Sequence[dict[str, Any]], held: bool, aborted: bool
) -> dict[str, Any]:
    """What the game master alone may see."""
    return {
        "title": "Grey failure of tpu-0",
        "description": "tpu-0 decodes at a tenth of its speed; its health checks are green.",
        "family": "grey-failure",
        "drawn": {"seed": 7, "family": "grey-failure"},
        "sheet": list(sheet),
        "sheet_s": elapsed_s,
        "held": held,
        "faults": list(faults),
        "catalogue": CATALOGUE,
        "hints": [
            {"id": "h1", "after_s": 240.0, "text": "Look at the replicas one by one.", "given": False},
            {"id": "h2", "after_s": 480.0, "text": "Compare running with waiting in pool tpu.", "given": False},
        ],
        "questions": [
            {"id": "q1", "at_s": 300.0, "who": "a customer", "text": "Our agents hang. Since when?", "asked": False}
        ],
        "branches": [{"id": "b1", "text": "if nobody noticed after 10 minutes: a second replica", "taken": False}],
        "findings": [
            {"id": "f1", "text": "no alert looks at a single replica", "found": False},
            {"id": "f2", "text": "the gateway ejects by errors, never by latency", "found": False},
        ],
        "guardrails": [
            {"text": "good share of calls", "value": 0.81, "limit": 0.5, "holds_s": 30.0},
            {"text": "sessions lost", "value": None, "limit": 50, "holds_s": 10.0},
        ],
        "profiles": ["coding-agent-ci", "chat"],
        "aborted": aborted,
    }


def review(beliefs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The truth beside what people believed."""
    return {
        "truth": [
            {
                "fault": "f1",
                "kind": "slow_decode",
                "text": "tpu-0 decodes 10 times slower",
                "cause": "replica-slow",
                "component": "replica:tpu-0",
                "begin_s": 60.0,
                "end_s": 412.5,
                "ended_by": "repair: restart tpu-0 (Ana)",
            }
        ],
        "beliefs": [{**belief, "verdict": "right"} for belief in beliefs],
        "times": [
            {"who": "people", "what": "notice", "seconds": 96.0, "text": "Ana saw something after 1 min 36 s"},
            {"who": "people", "what": "diagnose", "seconds": 241.0, "text": "the right cause after 4 min 1 s"},
            {"who": "people", "what": "act", "seconds": 352.5, "text": "the right repair after 5 min 52 s"},
            {"who": "system", "what": "detect", "seconds": None, "text": "the gateway never ejected it"},
            {"who": "alerts", "what": "alert", "seconds": 180.0, "text": "TTFT above the objective after 3 min"},
        ],
        "restored": {"verified": True, "text": "Every fault is reverted, and all replicas answer."},
        "files": ["postmortem.html", "postmortem.md"],
    }
