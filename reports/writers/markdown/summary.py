"""summary.md: the run on one page of Markdown, also for a GitHub job summary (limit 1,024 KB)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

from reports.by_hand.section import window_lines
from reports.comparison.cells import NO_DIFFERENCE, told_in_twin
from reports.explanation.alert_words import alert_lines
from reports.explanation.words import (
    advice,
    example_command,
    fault_text,
    load_scale_text,
    other_reasons,
    undecided_notes,
)
from reports.report.build import Report
from reports.shared.plain_text import printable
from reports.shared.whole_file import write_whole
from reports.shared.wording import difference_text, gateway_text, interval_text, samples_text, target_text, value_text
from reports.writers.markdown.overload import overload_parts
from reports.writers.markdown.text import escaped

__all__ = ["summary_text", "write_summary"]

_GROUPS: Final = 10
"""Groups of failed calls that are listed."""
_LIMIT_BYTES: Final = 1_000_000
"""Below GitHub's limit; a longer text is cut."""
_VERDICTS: Final = {
    "pass": "PASS",
    "fail": "FAIL",
    "inconclusive": "INCONCLUSIVE",
    "aborted": "ABORTED",
    "failed": "BROKEN",
    "interrupted": "INTERRUPTED",
    "played": "PLAYED BY HAND",
    "metastable": "METASTABLE",
    "overloaded": "OVERLOADED",
}
_NUMBERS: Final = (
    "calls",
    "sessions",
    "sessions_lost",
    "slo_attainment",
    "goodput",
    "ttft.p50",
    "ttft.p95",
    "tpot.p95",
    "max_gap.p95",
    "retry_amplification",
    "prefill_amplification",
    "wasted_tokens",
    "cost",
)
_FAULT_MEASURES: Final = (
    "time_to_detect",
    "time_to_alert",
    "failover.p50",
    "failover.p95",
    "failover.max",
    "failover_rate",
    "time_to_recover",
    "time_to_readmit",
    "overloaded",
    "metastable",
    "goodput_lost",
    "blast_radius.sessions",
    "blast_radius.failed_sessions",
)


def write_summary(report: Report, folder: Path) -> Path:
    """Write `summary.md` into `folder`. Raises OSError."""
    path = folder / "summary.md"
    return write_whole(path, summary_text(report).encode()[:_LIMIT_BYTES])


def summary_text(report: Report) -> str:
    """The text of summary.md."""
    data = report.data
    run = data["run"]
    lines = [
        f"# {_VERDICTS[report.verdict.verdict]}: {escaped(run['title'] or run['name'])}",
        "",
        f"`{run['name']}` on {_target(run)}, seed {run['seed']}, {run['started_at']}, {run['duration_s']:.0f} s"
        + (f", {scaled}" if (scaled := load_scale_text(run)) else ""),
        "",
    ]
    if gateway := gateway_text(run):
        lines += [f"Gateway: {escaped(gateway)}", ""]
    lines += [escaped(data["explanation"]["sentence"]), "", *_counts(report)]
    for window in data.get("windows") or ():
        lines += ["```text", *(printable(line) for line in window_lines(window)), "```", ""]
    lines += _faults(data["faults"]) + _alerts(data) + _failures(data)
    lines += _gates("Gates", data["gates"]) + _gates("Steady state", data["steady_state"]) + _other_reasons(report)
    lines += _fault_measures(data) + _numbers(data) + overload_parts(data)
    lines += _twin(data.get("twin")) + _proofs(data)
    if run["command"]:
        lines += ["## Reproduce this run", "", "```sh", str(run["command"]), "```", ""]
    return "\n".join(lines)


def _target(run: dict[str, Any]) -> str:
    target = target_text(run, "an unknown target")
    return f"stack `{target}`" if target == run["stack"] else f"`{target}`"


def _gates(title: str, gates: list[dict[str, Any]]) -> list[str]:
    if not gates:
        return []
    rows = [
        f"| {escaped(gate['text'])} | **{gate['verdict']}** | {value_text(gate['value'], gate['unit'])} "
        f"| {interval_text(gate)} | {samples_text(gate)} |"
        for gate in gates
    ]
    return [
        f"## {title}",
        "",
        "| gate | verdict | value | 95 % interval | samples |",
        "|---|---|---|---|---|",
        *rows,
        "",
        *_listed(undecided_notes(gates)),
    ]


def _listed(notes: list[str]) -> list[str]:
    return [*(f"- {escaped(note)}" for note in notes), ""] if notes else []


def _counts(report: Report) -> list[str]:
    failed, gates = report.data["explanation"]["gates_failed"], report.data["explanation"]["gates"]
    lines = [f"{failed} of {gates} gates failed.", ""] if failed else []
    helps = advice(report.data)
    return [*lines, *([f"What helps: {escaped(helps)}", ""] if helps and report.verdict.verdict != "pass" else [])]


def _other_reasons(report: Report) -> list[str]:
    """The reasons of the verdict that no row of a table says."""
    other = other_reasons(report.data)
    return [*(f"- {escaped(why)}" for why in other), ""] if other and report.verdict.verdict != "pass" else []


def _faults(faults: list[dict[str, Any]]) -> list[str]:
    return ["## Faults", "", *(f"- {escaped(fault_text(fault))}" for fault in faults), ""] if faults else []


def _alerts(data: dict[str, Any]) -> list[str]:
    lines = [f"- {escaped(line)}" for line in alert_lines(data)]
    return ["## Alerts of your monitoring", "", *lines, ""] if lines else []


def _failures(data: dict[str, Any]) -> list[str]:
    """The failed calls by reason, and how to see an example."""
    groups = data["failures"]
    if not groups:
        return []
    rows = [
        f"| {group['calls']:,} | {group['sessions_lost']:,} | {group['outcome']} | {group['status'] or '-'} "
        f"| {escaped(group['pool']) or '-'} | {group['phase'] or '-'} | {escaped(group['message'])} |"
        for group in groups[:_GROUPS]
    ]
    rest = sum(group["calls"] for group in groups[_GROUPS:])
    more = [f"{rest:,} more calls for {len(groups) - _GROUPS} other reasons are in report.json.", ""] if rest else []
    return [
        "## Failed calls by reason",
        "",
        "| calls | sessions lost | outcome | status | pool | phase | reason |",
        "|---|---|---|---|---|---|---|",
        *rows,
        "",
        *more,
        f"An example of the first: `{printable(example_command(data, groups[0]))}`",
        "",
    ]


def _fault_measures(data: dict[str, Any]) -> list[str]:
    if not data["faults"]:
        return []
    measures = data["measures"]
    rows = [
        f"| `{name}` | {measures[name]['title']} | {_value(measures[name]['run'], measures[name]['unit'])} |"
        for name in _FAULT_MEASURES
        if name in measures and (name != "time_to_alert" or data.get("alerts"))
    ]
    return ["## Failover and recovery", "", "| measure | | value |", "|---|---|---|", *rows, ""]


def _numbers(data: dict[str, Any]) -> list[str]:
    measures = data["measures"]
    phases = [phase for phase in ("baseline", "fault", "recovery") if phase in measures["calls"]["phases"]]
    head = ["measure", "run", *phases]
    rows = []
    for name in _NUMBERS:
        found = measures[name]
        cells = [_value(found["run"], found["unit"])]
        cells += [_value(found["phases"][phase], found["unit"]) for phase in phases]
        rows.append("| " + " | ".join([f"`{name}`", *cells]) + " |")
        if name == "sessions_lost":
            lost = [str(data["lost_in_phase"].get(phase, 0)) for phase in phases]
            rows.append("| " + " | ".join(["`sessions_lost`, by the phase of the loss", cells[0], *lost]) + " |")
    return ["## Numbers", "", f"| {' | '.join(head)} |", "|" + "---|" * len(head), *rows, ""]


def _twin(twin: dict[str, Any] | None) -> list[str]:
    if twin is None:
        return []
    head = ["## Compared with its twin, without the faults", ""]
    if twin["problem"]:
        return [*head, f"- {escaped(twin['problem'])}", ""]
    rows = [
        f"| `{row['measure']}` | {row['phase'] or 'run'} | {value_text(row['here'], row['unit'])} "
        f"| {value_text(row['there'], row['unit'])} | {difference_text(row)} |"
        for row in told_in_twin(twin)
    ]
    if twin["note"]:
        head += [f"- {escaped(twin['note'])}", ""]
    if twin["doubts"]:
        head += [*(f"- latencies are not compared: {escaped(doubt)}" for doubt in twin["doubts"]), ""]
    if not rows:
        return [*head, *([] if twin["note"] else [f"{NO_DIFFERENCE.capitalize()}.", ""])]
    columns = "| measure | phase | run | twin | difference (95 %) |"
    return [*head, columns, "|---|---|---|---|---|", *rows, ""]


def _value(found: dict[str, Any], unit: str) -> str:
    return value_text(found["value"], unit) if found["value"] is not None else "-"


def _proofs(data: dict[str, Any]) -> list[str]:
    proofs = data["proofs"]
    loadgen, machine, spans, joins = proofs["loadgen"], proofs["machine"], proofs["spans"], proofs["joins"]
    said = [gate["why"] for section in ("gates", "steady_state") for gate in data[section]]
    cpu, lag, late = loadgen["worst_cpu"], machine["gateway_loop_late_share"], machine["token_lateness_p99_ms"]
    lines = [
        "## Validity of the run",
        "",
        f"- load: {loadgen['arrivals']:,} of {loadgen['arrivals_planned']:,} planned sessions started, "
        f"{loadgen['late_share']:.1%} late; CPU at most {'unknown' if cpu is None else f'{cpu:.0%}'} of a core",
        f"- machine: token lateness p99 {_late(late)}; the gateway's event loop over 50 ms late: "
        f"{'unknown' if lag is None else f'{lag:.1%} of the time'}",
        f"- spans: {spans['received']:,} received, {spans['lost']:,} lost, "
        f"{spans['lost_by_fault']:,} lost with a killed process; "
        f"calls joined with server spans by trace context: {joins['calls_by_trace']:,}, "
        f"by conversation: {joins['calls_by_conversation']:,}, not joined: {joins['calls_without_server_spans']:,}",
    ]
    return [
        *lines,
        *(f"- doubt: {escaped(doubt)}" for doubt in proofs["doubts"] if not any(doubt in why for why in said)),
        *(f"- {escaped(note)}" for note in data["notes"]),
        "",
    ]


def _late(ms: float | None) -> str:
    return "unknown" if ms is None else "above 50 ms" if math.isinf(ms) else f"at most {ms:g} ms"
