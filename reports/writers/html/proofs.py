"""The evidence that a run is valid: faults stage by stage, load generator, machine, spans. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from reports.shared.fault_traits import traits_of
from reports.shared.wording import value_text

__all__ = ["STAGES", "proofs_view"]

STAGES: Final = ("injected", "confirmed", "reverted", "verified")

View = dict[str, Any]


def proofs_view(data: Mapping[str, Any]) -> View:
    """The doubts about the run, and the evidence for each of its parts."""
    proofs = data["proofs"]
    return {
        "doubts": [str(doubt) for doubt in proofs["doubts"]],
        "stages": STAGES,
        "faults": [_fault(fault) for fault in data["faults"]],
        "loadgen": _loadgen(proofs["loadgen"]),
        "machine": _machine(proofs["machine"]),
        "spans": _spans(proofs["spans"], proofs["joins"]),
        "processes": [
            (
                count["instance"],
                f"{count['started']:,}",
                f"{count['received']:,}",
                f"{count['lost']:,}",
                f"{count['lost_by_fault']:,}",
                bool(count["lost"]),
            )
            for count in proofs["spans"]["by_process"]
        ],
    }


def _met(fault: Mapping[str, Any]) -> str:
    """How many calls met a fault; at least so many, where dead replicas may have refused more unseen."""
    met = fault["calls_met"]
    most = fault.get("calls_met_at_most", met)
    return f"{met:,}" if most == met else f"at least {met:,}" if most is None else f"{met:,} to {most:,}"


def _fault(fault: Mapping[str, Any]) -> View:
    readmitted = [f"{replica}: {_after(after)}" for replica, after in fault["readmitted_after_s"].items()]
    known = traits_of(str(fault["kind"]), fault.get("traits")).hits_are_known
    lines = [
        ("calls that met it", _met(fault) if known else "not known"),
        ("of them interrupted", f"{fault['calls_interrupted']:,}" if known else ""),
        ("of them ended ok", f"{fault['calls_saved']:,}" if known else ""),
        ("hits", "not counted" if fault["hits"] is None else f"{fault['hits']:,}"),
        ("detected", _detected(fault)),
        ("first good call after the revert", "; ".join(readmitted)),
        ("parameters", ", ".join(f"{key} = {value}" for key, value in fault["params"].items())),
        ("why", fault["why"]),
    ]
    return {
        "id": fault["id"],
        "kind": fault["kind"],
        "targets": ", ".join(fault["targets"]) or "nothing",
        "stages": [f"{fault['stages'][s]:.2f} s" if s in fault["stages"] else "–" for s in STAGES],
        "lines": [(name, text) for name, text in lines if text],
        "doubts": fault["doubts"],
    }


def _after(seconds: Any) -> str:
    return value_text(math.inf if seconds is None else seconds, "s")


def _detected(fault: Mapping[str, Any]) -> str:
    after = fault["detected_after_s"]
    if after is None:
        return ""
    if after == math.inf or after == "never":
        return "never"
    return f"{value_text(after, 's')} after the injection" + (
        f", {fault['detected_by']}" if fault["detected_by"] else ""
    )


def _loadgen(found: Mapping[str, Any]) -> View:
    cpu, late = found["worst_cpu"], found["worst_lateness_s"]
    return {
        "sound": found["sound"],
        "lines": [
            ("sessions started", f"{found['arrivals']:,} of {found['arrivals_planned']:,} planned"),
            ("started over 100 ms late", f"{found['late_arrivals']:,} ({found['late_share']:.1%}; limit 2 %)"),
            ("worst lateness", "unknown" if late is None else value_text(late, "s")),
            ("CPU, worst 5 s", "unknown" if cpu is None else f"{cpu:.0%} of a core (limit 90 %)"),
        ],
    }


def _machine(found: Mapping[str, Any]) -> View:
    late, lag, memory = found["token_lateness_p99_ms"], found["gateway_loop_late_share"], found["memory_bytes"]
    worst = found["gateway_loop_lag_max_s"]
    size = f", {memory / 2**30:.1f} GiB" if memory else ""
    tokens = "unknown" if late is None else "above 50 ms" if late in (math.inf, "never") else f"at most {late:g} ms"
    return {
        "sound": found["sound"],
        "lines": [
            ("token lateness at the replicas, p99", f"{tokens} (limit 20 ms)"),
            (
                "gateway's event loop over 50 ms late",
                "unknown" if lag is None else f"{lag:.2%} of the time (limit 1 %)",
            ),
            ("its worst lag", "unknown" if worst is None else value_text(worst, "s")),
            ("cores and memory", f"{found['cores'] or 'unknown'}{size}"),
            ("Python, kernel", f"{found['python'] or 'unknown'}, {found['kernel'] or 'unknown'}"),
        ],
    }


def _spans(spans: Mapping[str, Any], joins: Mapping[str, Any]) -> View:
    lines = [
        ("received", f"{spans['received']:,}"),
        ("lost", f"{spans['lost']:,} (limit 0.1 %)"),
        ("lost with a killed process", f"{spans['lost_by_fault']:,}"),
        ("calls joined by trace context", f"{joins['calls_by_trace']:,}"),
        ("calls joined by conversation", f"{joins['calls_by_conversation']:,}"),
        ("calls without a server span", f"{joins['calls_without_server_spans']:,}"),
    ]
    if spans["torn_files"]:
        lines.append(("files cut off in the middle of a message", f"{spans['torn_files']:,}"))
    return {"sound": not spans["lost"], "lines": lines}
