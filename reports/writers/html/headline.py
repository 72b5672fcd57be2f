"""The first screen of the page: what broke and why, how many gates failed, the faults, and what helps. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from reports.explanation.words import advice, met_text
from reports.shared.wording import value_text

__all__ = ["headline_view"]

View = dict[str, Any]

_NAMED: Final = 6
"""How many targets of a fault are named."""


def headline_view(data: Mapping[str, Any]) -> View:
    """`sentence`: what broke, and why; `gates`: how many failed; `faults`: each with targets and times; `helps`."""
    found = data.get("explanation") or {}
    verdict = data["verdict"]
    sentence = str(found.get("sentence") or (verdict["why"] or [""])[0]).strip()
    return {
        "sentence": _sentence(sentence),
        "gates": _gates(data, found),
        "faults": [_fault(fault) for fault in data["faults"]],
        "helps": _sentence(advice(data)),
    }


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if not text or text.endswith((".", "!", "?", ":", "…")) else f"{text}."


def _gates(data: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    judged = [*data["gates"], *data["steady_state"]]
    total, failed = (
        int(found.get("gates", len(judged))),
        int(found.get("gates_failed", sum(gate["verdict"] == "fail" for gate in judged))),
    )
    if not total:
        return "No gates"
    undecided = sum(gate["verdict"] == "inconclusive" for gate in judged)
    text = f"{failed:,} of {total:,} gates failed" if failed else f"No gate of {total:,} failed"
    return text + (f", {undecided:,} could not be judged" if undecided else "")


def _fault(fault: Mapping[str, Any]) -> View:
    stages = fault["stages"]
    start, end = stages.get("injected"), stages.get("reverted")
    if start is None:
        when = "never injected"
    elif fault.get("left"):
        when = f"from {start:.1f} s on, NOT REVERTED by the run: {fault['left']}"
    elif end is None and fault.get("undone_by"):
        when = f"from {start:.1f} s to the end of the run, which undid it"
    elif end is None:
        when = f"from {start:.1f} s on, never reverted"
    else:
        when = f"from {start:.1f} s to {end:.1f} s ({value_text(end - start, 's')})"
    pools = [str(pool) for pool in fault.get("pools") or ()]
    place = f" ({'pool' if len(pools) == 1 else 'pools'} {', '.join(pools)})" if pools else ""
    share = "" if fault["share"] is None else f", {fault['share']:.0%} of calls"
    return {
        "kind": fault["kind"],
        "targets": _targets([str(target) for target in fault["targets"]]) + place + share,
        "when": when,
        "met": met_text(fault),
    }


def _targets(names: Sequence[str]) -> str:
    if not names:
        return "no target"
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
