"""What a game day needs before it can be opened: the plan, and the target with its load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chaos.experiment.draft import Draft
from chaos.experiment.guardrails import Guardrail
from chaos.experiment.model import Experiment, Slo, Timeline, gateway_of, url_target
from chaos.experiment.target_format import TargetFile
from chaos.gameday.core.plan import Plan
from loadprofiles.sessions.profile import Profile
from reports.gates.grammar import parse_gate

__all__ = ["GameDay", "target_experiment"]


@dataclass(frozen=True, slots=True)
class GameDay:
    """An exercise that can be opened. `experiment`: its target, load, SLO and guardrails; faults are in the plan."""

    plan: Plan
    experiment: Experiment


def target_experiment(
    plan: Plan,
    made: Draft,
    target: TargetFile,
    profile: Profile,
    *,
    slo: Slo,
    length_s: float,
    guardrails: Sequence[Guardrail] = (),
) -> Experiment:
    """An experiment without faults and gates, on the target of a draft."""
    return Experiment(
        path=Path(made.document.file),
        name=plan.name,
        title=plan.title,
        description=plan.description,
        family=plan.family,
        stack=made.stack,
        url=url_target(target),
        profile=profile,
        trace=None,
        slo=slo,
        timeline=Timeline(0.0, length_s, 0.0, 0.0),
        faults=(),
        steady_state=(),
        gates=(),
        headline_gate=parse_gate("sessions_lost == 0", None),
        guardrails=tuple(guardrails),
        seed=made.seed,
        first_port=target.replicas.first_port if target.replicas is not None else 0,
        gateway=gateway_of(made),
        target_path=Path(made.target_document.file),
    )
