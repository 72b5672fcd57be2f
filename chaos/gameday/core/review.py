"""What everybody is shown when the exercise is over: the truth beside what people believed."""

from __future__ import annotations

from typing import Any

from chaos.experiment.wording import params_text
from chaos.gameday.core.fault_log import FaultRecord
from chaos.gameday.core.state import Game

__all__ = ["beliefs_with_verdicts", "review"]


def review(game: Game) -> dict[str, Any] | None:
    """The review; None until everything is restored."""
    if game.state != "over" or game.restored is None:
        return None
    verified, text = game.restored
    return {
        "title": game.plan.title,
        "description": game.plan.description,
        "truth": [_truth(game, fault) for fault in game.faults.all.values()],
        "beliefs": beliefs_with_verdicts(game),
        "findings": [
            {"id": one.id, "text": one.text, "found": game.found.get(one.id, False)} for one in game.plan.findings
        ],
        "times": [dict(one) for one in game.times],
        "restored": {"verified": verified, "text": text},
        "files": list(game.files),
    }


def beliefs_with_verdicts(game: Game) -> list[dict[str, Any]]:
    """What people believed, and whether it was right at that time."""
    components = dict(game.offer.components)
    return [
        {
            "n": belief.n,
            "who": belief.who,
            "t_s": round(belief.t_s, 1),
            "text": belief.text,
            "cause": belief.cause,
            "cause_label": game.judgement.causes.get(belief.cause, belief.cause),
            "component": belief.component,
            "component_label": components.get(belief.component, belief.component),
            "verdict": belief.verdict,
        }
        for belief in game.beliefs.all
    ]


def _truth(game: Game, fault: FaultRecord) -> dict[str, Any]:
    params = params_text(fault.params)
    component = fault.components[0] if fault.components else ""
    return {
        "fault": fault.id,
        "kind": fault.order.kind,
        "text": f"{fault.order.kind} on {', '.join(fault.targets)}{f' ({params})' if params else ''}",
        "cause": fault.cause,
        "cause_label": game.judgement.causes.get(fault.cause, fault.cause),
        "component": component,
        "component_label": dict(game.offer.components).get(component, component),
        "begin_s": round(fault.begin_s, 1),
        "end_s": None if fault.end_s is None else round(fault.end_s, 1),
        "ended_by": fault.ended_by,
    }
