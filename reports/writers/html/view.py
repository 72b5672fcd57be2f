"""The texts and tables of the report page, as plain strings and lists for its template. Pure.

Each part is made on its own: a part that fails is replaced by its error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from reports.explanation.alert_words import alert_lines
from reports.explanation.words import load_scale_text, other_reasons
from reports.shared.wording import gateway_text, interval_text, samples_text, target_text, value_text
from reports.writers.html.exercise import exercise_view
from reports.writers.html.failures import failures_view, lost_view
from reports.writers.html.headline import headline_view
from reports.writers.html.proofs import proofs_view
from reports.writers.html.twin import twin_view
from reports.writers.html.waterfall import waterfall_views
from reports.writers.html.windows import windows_view
from reports.writers.views.accounts import accounts_view
from reports.writers.views.cost import cost_view
from reports.writers.views.metastability import metastability_view

__all__ = ["page_view"]

View = dict[str, Any]

_VERDICTS: Final = {
    "pass": ("✓", "Passed"),
    "fail": ("✗", "Failed"),
    "inconclusive": ("?", "Inconclusive"),
    "aborted": ("■", "Aborted"),
    "failed": ("✗", "Broken"),
    "interrupted": ("■", "Interrupted"),
    "played": ("■", "Played by hand"),
    "metastable": ("✗", "Metastable: down although the fault is gone"),
    "overloaded": ("✗", "Overloaded: still down after the fault"),
}
_GLANCE: Final = (
    ("sessions_lost", "sessions lost"),
    ("failover.max", "longest interruption of a call"),
    ("time_to_detect", "time to detect"),
    ("time_to_recover", "time to recover, from the revert"),
    ("goodput_lost", "good calls lost"),
    ("retry_amplification", "upstream attempts per call"),
)
_GLANCE_FALLBACK: Final = (
    ("slo_attainment", "good calls"),
    ("shed", "calls shed"),
    ("fairness.min", "lowest good / offered of any tenant"),
    ("migrations", "streams migrated"),
    ("preemptions", "requests preempted"),
)
"""Shown in place of those of `_GLANCE` that the run has no value for."""
_KEY_MEASURES: Final = frozenset(
    {
        "calls",
        "error_rate",
        "sessions",
        "sessions_lost",
        "session_success",
        "slo_attainment",
        "goodput",
        "ttft.p50",
        "ttft.p95",
        "tpot.p95",
        "max_gap.p95",
        "e2e.p95",
        "retry_amplification",
        "prefill_amplification",
        "wasted_tokens",
        "cost",
    }
)
_INTEGRITY: Final = (
    "lost_tokens",
    "duplicated_tokens",
    "spliced_streams",
    "silent_truncations",
    "missing_terminal",
    "double_terminal",
)
_PARAGRAPH: Final = re.compile(r"\n\s*\n|(?<=[.!?:])\n(?=[A-Z])")
_TITLES: Final = {
    "failover.p50": "interruption of a call by the fault, median",
    "failover.p95": "interruption of a call by the fault, 95th percentile",
    "failover.p99": "interruption of a call by the fault, 99th percentile",
    "failover.max": "longest interruption of a call by the fault",
    "blast_radius.sessions": "sessions that met the fault",
    "blast_radius.failed_sessions": "sessions that failed because of it",
    "blast_radius.tenants": "tenants that met the fault",
    "blast_radius.failed_tenants": "tenants with a session that failed because of it",
    "blast_radius.pools": "pools with the fault",
    "cold_cache_tail.tokens": "tokens prefilled again after sessions moved to another replica",
    "cold_cache_tail.seconds": "time until caches were as warm as before",
}
"""Titles of measures with a statistic, where the plain title would be unclear."""
_FAULT_PREFIXES: Final = ("failover", "time_to_", "goodput_lost", "blast_radius", "cold_cache_tail")


def page_view(data: Mapping[str, Any]) -> View:
    """All parts of the page except the charts."""
    parts: dict[str, Callable[[Mapping[str, Any]], Any]] = {
        "head": _head,
        "glance": _glance,
        "facts": _facts,
        "windows": windows_view,
        "exercise": exercise_view,
        "gates": lambda d: [_gate(gate) for gate in d["gates"]],
        "steady": lambda d: [_gate(gate) for gate in d["steady_state"]],
        "failovers": waterfall_views,
        "lost": lost_view,
        "failures": failures_view,
        "headline": headline_view,
        "alerts": alert_lines,
        "phases": _phase_names,
        "measures": _measures,
        "fault_measures": _fault_measures,
        "outcomes": _outcomes,
        "integrity": _integrity,
        "cost": cost_view,
        "accounts": accounts_view,
        "metastability": metastability_view,
        "twin": twin_view,
        "proofs": proofs_view,
        "reasons": lambda d: [] if d["verdict"]["verdict"] == "pass" else other_reasons(d),
        "notes": lambda d: [str(note) for note in d["notes"]],
    }
    view: View = {"problems": {}}
    for name, part in parts.items():
        try:
            view[name] = part(data)
        except Exception as error:  # a page without one part is better than none
            view[name] = None
            view["problems"][name] = f"This part could not be made: {error!r}"
    return view


def _head(data: Mapping[str, Any]) -> View:
    run, verdict = data["run"], data["verdict"]
    mark, word = _VERDICTS.get(verdict["verdict"], ("?", str(verdict["verdict"])))
    target = target_text(run, "an unknown target")
    target = f"stack {target}" if target == run["stack"] else target
    return {
        "verdict": verdict["verdict"],
        "mark": mark,
        "word": word,
        "title": run["title"] or run["name"],
        "name": run["name"],
        "under": ", ".join(
            [
                f"{run['name']} on {target}",
                f"seed {run['seed']}",
                _moment(run["started_at"]),
                f"{run['duration_s']:.0f} s",
            ]
        ),
        "description": [" ".join(text.split()) for text in _PARAGRAPH.split(run["description"]) if text.strip()],
        "command": run["command"] or "",
    }


def _moment(iso: str) -> str:
    try:
        return datetime.fromisoformat(iso).strftime("%d %B %Y %H:%M:%S UTC").lstrip("0")
    except ValueError:
        return iso


def _glance(data: Mapping[str, Any]) -> list[View]:
    found = []
    listed = [(name, title) for name, title in (*_GLANCE, *_GLANCE_FALLBACK) if _has(data, name)]
    listed += [entry for entry in _GLANCE if entry not in listed]
    for name, title in listed[: len(_GLANCE)]:
        measure = data["measures"].get(name)
        if measure is None:
            continue
        value = measure["run"]["value"]
        gate = next((g for g in data["gates"] if g["measure"] == name and g["phase"] is None and not g["where"]), None)
        found.append(
            {
                "title": title,
                "name": name,
                "value": "–" if value is None else value_text(value, measure["unit"]),
                "why_not": measure["run"]["why_not"],
                "verdict": gate["verdict"] if gate else "",
            }
        )
    return found


def _has(data: Mapping[str, Any], name: str) -> bool:
    measure = data["measures"].get(name)
    return measure is not None and measure["run"]["value"] is not None


def _facts(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    run = data["run"]
    replicas: dict[str, list[Mapping[str, Any]]] = {}
    for replica in run["replicas"]:
        replicas.setdefault(replica["pool"], []).append(replica)
    pools = [
        f"{pool}: {len(members)} x {members[0]['hardware']}"
        + (f" ({members[0]['cloud']})" if members[0]["cloud"] else "")
        for pool, members in replicas.items()
    ]
    slo = ", ".join(f"{name} ≤ {value_text(bound, 's')}" for name, bound in run["slo"].items())
    load = str(run["profile"] or "unknown")
    if scaled := load_scale_text(run):
        load += f", {scaled}"
    if run["trace"]:
        kind = f" ({run['trace']['format']})" if run["trace"].get("format") else ""
        load += f", replaying the recorded sessions of {run['trace'].get('dir', 'a trace')}{kind}"
        load += "".join(f"; {line}" for line in run.get("trace_told", ()))
    faults = [
        f"{fault['kind']} of {', '.join(fault['targets']) or 'no target'}"
        + (f", {fault['share']:.0%} of calls" if fault["share"] is not None else "")
        for fault in data["faults"]
    ]
    facts = [
        ("Experiment", run["name"]),
        ("Target", target_text(run)),
        ("Gateway", gateway_text(run)),
        ("Model", run["model"] or ""),
        ("Replicas", "; ".join(pools)),
        ("Load", load),
        ("Faults", "; ".join(faults) or "none"),
        ("A good call", f"ended ok and {slo}" if slo else "ended ok"),
        ("Seed", str(run["seed"])),
        ("Started", _moment(run["started_at"])),
        ("Record", run["folder"]),
        ("Guardrails hit", "; ".join(dict.fromkeys(guardrail["text"] for guardrail in run["guardrails"]))),
    ]
    return [(name, text) for name, text in facts if text]


def _gate(gate: Mapping[str, Any]) -> View:
    mark, _ = _VERDICTS[gate["verdict"]]
    samples = samples_text(gate)
    if gate["kind"] == "fact" and not gate["samples"]:
        samples = "–"  # an extreme or a point in time has no samples
    value = value_text(gate["value"], gate["unit"])
    if gate["factor"] is not None:
        value += f" ({value_text(gate['factor'], 'x')} the baseline's {value_text(gate['baseline'], gate['unit'])})"
    return {
        "verdict": gate["verdict"],
        "mark": mark,
        "text": gate["text"],
        "title": gate["title"],
        "value": value,
        "interval": interval_text(gate),
        "samples": samples,
        "why": gate["why"],
        "traceback": gate["traceback"],
    }


def _cells(measure: Mapping[str, Any], phases: Sequence[str]) -> list[View]:
    found = [measure["run"], *(measure["phases"].get(phase) for phase in phases)]
    return [
        {"text": "", "hover": ""}
        if cell is None
        else {
            "text": "–" if cell["value"] is None else value_text(cell["value"], measure["unit"]),
            "hover": cell["why_not"] or (f"{cell['samples']:,} samples" if cell["samples"] else ""),
        }
        for cell in found
    ]


def _phase_names(data: Mapping[str, Any]) -> list[str]:
    """The phases after the setup, each once: with fault windows there are several of a name."""
    return list(dict.fromkeys(phase["name"] for phase in data["phases"] if phase["name"] != "setup"))


def _measures(data: Mapping[str, Any]) -> list[View]:
    phases = _phase_names(data)
    return [
        {"name": name, "title": measure["title"], "key": name in _KEY_MEASURES, "cells": _cells(measure, phases)}
        for name, measure in data["measures"].items()
        if measure["phases"] and name not in _INTEGRITY
    ]


def _fault_measures(data: Mapping[str, Any]) -> list[View]:
    return [
        {"name": name, "title": _TITLES.get(name, measure["title"]), "cells": _cells(measure, ())}
        for name, measure in data["measures"].items()
        if name.startswith(_FAULT_PREFIXES)
    ]


def _outcomes(data: Mapping[str, Any]) -> View:
    outcomes = sorted({outcome for counts in data["outcomes"].values() for outcome in counts}, key=_ok_first)
    phases = [name for name in _phase_names(data) if name in data["outcomes"]]
    rows = [(phase, [f"{data['outcomes'][phase].get(outcome, 0):,}" for outcome in outcomes]) for phase in phases]
    return {"outcomes": outcomes, "rows": rows}


def _ok_first(outcome: str) -> tuple[bool, str]:
    return outcome != "ok", outcome


def _integrity(data: Mapping[str, Any]) -> list[View]:
    found = []
    for name in _INTEGRITY:
        measure = data["measures"].get(name)
        if measure is not None:
            value = measure["run"]["value"]
            shown = value_text(value, measure["unit"]) if value is not None else "not measured"
            found.append(
                {
                    "name": name,
                    "title": measure["title"],
                    "value": shown,
                    "bad": bool(value),
                    "why_not": measure["run"]["why_not"],
                }
            )
    return found
