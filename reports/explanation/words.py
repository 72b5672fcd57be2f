"""Parts of a report as one line of text, the same in the terminal, the summary, JUnit and the page.

They take the report as it stands in report.json.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

from reports.shared.fault_traits import traits_of
from reports.shared.wording import number_text

__all__ = [
    "advice",
    "doubt_of",
    "example_command",
    "failure_text",
    "fault_text",
    "load_scale_text",
    "met_text",
    "other_reasons",
    "undecided_notes",
    "what_helps",
]

_BUT: Final = "; but "
_HELPS: Final = re.compile(r"^\s*What helps:\s*(.*?)(?=\n\s*\n|\n\s*Look at:|\Z)", re.DOTALL | re.MULTILINE)


def failure_text(group: Mapping[str, Any]) -> str:
    """One group of failed calls: how many, where, and why."""
    count = f"{group['calls']:,} {'call' if group['calls'] == 1 else 'calls'}"
    if group["sessions_lost"]:
        count += f", {group['sessions_lost']:,} {'session' if group['sessions_lost'] == 1 else 'sessions'} lost"
    if not group["outcome"]:
        return f"{count}: {group['message']}"
    status = f" with status {group['status']}" if group["status"] is not None else ""
    place = f" on the pool {group['pool']}" if group["pool"] else ""
    phase = f" in the {group['phase']} phase" if group["phase"] else ""
    return f"{count}: {group['outcome']}{status}{place}{phase}: {group['message']}"


def fault_text(fault: Mapping[str, Any]) -> str:
    """One fault: its kind, its targets, from when to when, and the calls that met it."""
    stages = fault["stages"]
    targets = ", ".join(fault["targets"]) or "nothing"
    share = f"{fault['share'] * 100:g}% of the requests at " if fault.get("share") is not None else ""
    if "injected" not in stages:
        why = f" ({fault['why']})" if fault.get("why") else ""
        return f"{fault['kind']} on {share}{targets}: not injected{why}"
    begin = number_text(round(stages["injected"], 1))
    if fault.get("left"):
        end = f"and NOT REVERTED by the run ({fault['left']})"
    elif "reverted" in stages:
        end = f"to {number_text(round(stages['reverted'], 1))} s"
    else:
        end = "to the end of the run, which undid it" if fault.get("undone_by") else "and not reverted"
    return f"{fault['kind']} on {share}{targets}, from {begin} s {end}; {met_text(fault)}{_saved_text(fault)}"


def met_text(fault: Mapping[str, Any]) -> str:
    """How many calls met a fault and were interrupted: at least so many, where dead replicas may have refused more.

    What a command of the user's met is not known.
    """
    if _met_is_unknown(fault):
        return "which calls met it is not known"
    met = fault["calls_met"]
    least = "at least " if fault.get("calls_met_at_most", met) != met else ""
    calls = "1 call" if met == 1 and least else f"{met:,} calls"
    return f"{least}{calls} met it, {fault['calls_interrupted']:,} were interrupted"


def _saved_text(fault: Mapping[str, Any]) -> str:
    return "" if _met_is_unknown(fault) else f", {fault['calls_saved']:,} ended ok"


def _met_is_unknown(fault: Mapping[str, Any]) -> bool:
    return not traits_of(str(fault["kind"]), fault.get("traits")).hits_are_known


def load_scale_text(run: Mapping[str, Any]) -> str:
    """`load scaled by 0.2`; "" where it was not. `run`: that part of a report, also of an older one."""
    scale = float(run.get("load_scale") or 1.0)
    return f"load scaled by {number_text(scale)}" if scale != 1 else ""


def undecided_notes(gates: Sequence[Mapping[str, Any]]) -> list[str]:
    """Why gates could not be decided: each reason once, with the gates that it concerns."""
    concerned: dict[str, list[str]] = {}
    for gate in gates:
        if gate["verdict"] == "inconclusive":
            concerned.setdefault(doubt_of(gate["why"]), []).append(gate["text"])
    return [f"not decided: {'; '.join(texts)}: {reason}" for reason, texts in concerned.items()]


def doubt_of(why: str) -> str:
    """The reason of a gate without the value and the bound, which stand before "; but"."""
    return why.partition(_BUT)[2] or why


def other_reasons(data: Mapping[str, Any]) -> list[str]:
    """The reasons of the verdict that neither a gate nor the explanation says."""
    said = [gate["why"] for section in ("gates", "steady_state") for gate in data[section]]
    sentence = (data.get("explanation") or {}).get("sentence", "").lower()
    return [
        why
        for why in data["verdict"]["why"]
        if not any(text and text in why for text in said) and _flat(why).lower() not in sentence
    ]


def example_command(data: Mapping[str, Any], group: Mapping[str, Any]) -> str:
    """The command that shows the example of a group of failed calls. RUN stands for the run's folder."""
    return f"brownout trace RUN --call {shlex.quote(group['example']['key'])}"


def _flat(text: str) -> str:
    return "; ".join(line.strip() for line in text.splitlines() if line.strip()).rstrip(".")


def advice(data: Mapping[str, Any]) -> str:
    """What helps, by the description of the experiment; "" without it.

    "" also where the target or a part of brownout failed: the experiment has no advice for that, the reason has. Of a
    gateway that cannot carry the load, or that has other upstreams: what helps against that.
    """
    failed = data["verdict"]["verdict"] == "failed"
    joins = (data.get("proofs") or {}).get("joins") or {}
    if joins.get("other_upstreams") and not failed:
        return "give the gateway the replicas of this run as its upstreams, and only these, and switch its caches off"
    if not_carried := data.get("carrying"):
        return str(not_carried["helps"])
    return "" if failed else what_helps(str(data["run"]["description"] or ""))


def what_helps(description: str) -> str:
    """The part of an experiment's description that begins with "What helps:", without these words; "" without it."""
    found = _HELPS.search(description)
    return " ".join(found[1].split()) if found else ""
