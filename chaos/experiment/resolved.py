"""An experiment as the record of a run stores it, with every default written out (`experiment.yaml`)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from chaos.experiment.model import Experiment, PlannedFault
from reports.gates.grammar import Gate
from targets.stack import Stack

__all__ = ["resolve"]


def resolve(experiment: Experiment, stack: Stack | None = None) -> dict[str, Any]:
    """The experiment as the record of a run stores it: every default written out, times in seconds, the stack included.

    Its keys are those of an experiment file, and also `path`, `profile` (resolved), `stack` (`docs/wire.md`) and
    `faults` (with the selected replicas and the traits of the kind).
    """
    stack = stack or experiment.stack
    timeline = experiment.timeline
    return {
        "brownout": 1,
        "name": experiment.name,
        "title": experiment.title,
        "description": experiment.description,
        "family": experiment.family,
        "target": _target(experiment, stack),
        "load": {
            "profile": experiment.profile.name,
            "trace": experiment.trace,
            "told": list(experiment.trace_notes),
            "scale": experiment.scale,
            **({"arrivals": _plain(asdict(experiment.arrivals))} if experiment.arrivals is not None else {}),
        },
        "slo": {"ttft": experiment.slo.ttft_s, "tpot": experiment.slo.tpot_s},
        "timeline": {
            "warmup": timeline.warmup_s,
            "baseline": timeline.baseline_s,
            "faults": [_entry(fault) for fault in experiment.faults],
            "recovery": timeline.recovery_s,
            "drain": timeline.drain_s,
            "confirm_metastable": timeline.confirm_metastable,
        },
        **({"alerts": asdict(experiment.alerts)} if experiment.alerts is not None else {}),
        "steady_state": [_gate(gate) for gate in experiment.steady_state],
        "gates": [_gate(gate) for gate in experiment.gates],
        "headline_gate": experiment.headline_gate.text,
        "guardrails": [guardrail.text for guardrail in experiment.guardrails],
        **({"tolerances": list(experiment.tolerances)} if experiment.tolerances else {}),
        "seed": experiment.seed,
        **({"twin_of": asdict(experiment.twin_of)} if experiment.twin_of is not None else {}),
        "short_form": experiment.short_form,
        "path": str(experiment.path),
        "profile": _plain(asdict(experiment.profile)),
        "stack": stack.resolved(policies=experiment.own_gateway) if stack is not None else None,
        "faults": [
            {
                "id": fault.id,
                "kind": fault.kind,
                "at_s": fault.at_s,
                "for_s": fault.for_s,
                "targets": list(fault.targets),
                "pools": list(fault.pools),
                "params": fault.params,
                "share": fault.share,
                "only": fault.only,
                "traits": fault.spec.traits().recorded(),
            }
            for fault in experiment.faults
        ],
    }


def _target(experiment: Experiment, stack: Stack | None) -> dict[str, Any]:
    if experiment.url is None:
        chosen = experiment.gateway
        allowed = {"allow_exposed": True} if chosen is not None and chosen.exposed else {}
        gateway = {"gateway": {chosen.name: {"preset": chosen.preset, **allowed}}} if chosen is not None else {}
        return {"stack": stack.name, **gateway} if stack is not None else {}
    behind = {} if stack is None else {"replicas": {"stack": stack.name, "first_port": experiment.first_port}}
    return {**asdict(experiment.url), **behind}


def _plain(value: Any) -> Any:
    """With lists in place of tuples, so that JSON and YAML give it back unchanged."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, (list, tuple)) else value


def _entry(fault: PlannedFault) -> dict[str, Any]:
    spec = fault.spec.model_dump(by_alias=True, exclude_none=True)
    return {"at": fault.at_s, **({"for": fault.for_s} if fault.for_s else {}), fault.kind: spec}


def _gate(gate: Gate) -> str | dict[str, str]:
    if gate.on_inconclusive is None:
        return gate.text
    return {"gate": gate.text, "on_inconclusive": gate.on_inconclusive}
