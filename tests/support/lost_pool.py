"""Records of runs in which the pool tpu is killed at 20 s, with one call migrated and one lost."""

from __future__ import annotations

from pathlib import Path

from reports.shared import attributes as names
from tests.support.otlp_values import add_event
from tests.support.record_builder import RecordBuilder, Up, good_run, migrated

__all__ = ["add_decision", "lost_pool_calls", "lost_pool_run"]


def lost_pool_calls(path: Path) -> RecordBuilder:
    """Three calls: `saved` resumes after 0.84 s, `gone` never resumes, `well` is on another replica."""
    builder = RecordBuilder(path)
    builder.phases()
    builder.load_gauges(arrivals=3)
    builder.fault()
    ups = migrated(20.02, resumed=20.9, sent=19.5, passed_on=5)
    builder.call("saved", 2, 19.5, gaps={5: 0.84}, ups=ups)
    builder.call("gone", 0, 19.6, tokens=3, outcome="error_event", ups=[Up("tpu-0", 19.601, 20.03, "refused")])
    builder.call("well", 0, 19.7)
    for session in ("saved", "gone", "well"):
        builder.session(session, 19.0, 22.0, "lost" if session == "gone" else "succeeded")
    return builder


def lost_pool_run(path: Path) -> RecordBuilder:
    """A full run with the calls `saved` and `gone`, changes of health, and gauges of gateway and replica."""
    builder = good_run(path)
    builder.fault()
    builder.call("saved", 2, 19.5, gaps={5: 0.84}, ups=migrated(20.02, resumed=20.9, sent=19.5, passed_on=5))
    builder.call("gone", 0, 19.6, tokens=3, outcome="error_event", ups=[Up("tpu-0", 19.601, 20.03, "truncated")])
    builder.session("saved", 19.5, 22.0)
    builder.session("gone", 19.6, 20.03, "lost")
    builder.transition(20.05, "tpu-0", "ejected")
    builder.transition(32.0, "tpu-0", "readmitted")
    for second in range(55):
        replicas = {"tpu-0": {"pool": "tpu", "breaker": "closed", "ejected": 20 <= second < 32, "in_flight": 1}}
        counts = {"requests": second, "attempts": second, "migrations": int(second > 20), "retries": 0, "refused": 0}
        builder.gauge("gateway", second, kind="gateway", data={"replicas": replicas, "panic": False, **counts})
        load = {"running": 2, "waiting": second % 3, "kv_used": 10, "kv_total": 100}
        builder.gauge("tpu-0", second, kind="replica", data=load)
    return builder


def add_decision(builder: RecordBuilder, session: str) -> None:
    """Add a decision of the gateway to the gateway request of the session."""
    for span in builder.by_instance["brownout-gateway", "gateway#1"]:
        values = {pair.key: pair.value.string_value for pair in span.attributes}
        if span.name == names.SPAN_GATEWAY_REQUEST and values.get(names.CONVERSATION_ID) == session:
            decision = {
                names.DECISION_CHOSEN: "gpu-1",
                names.DECISION_CONSIDERED: ["gpu-0=5000", "gpu-1=1234"],
                names.DECISION_EXCLUDED: ["tpu-0: failed this call", "tpu-1: ejected"],
                names.DECISION_WHY: "its home tpu-0 is out: p2c",
            }
            add_event(span, names.EVENT_DECISION, 20.025, decision)
