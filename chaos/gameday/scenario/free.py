"""An exercise without steps: load on a target, and the catalogue of faults to inject by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

from chaos.experiment.checks import MAX_RUN_S, check
from chaos.experiment.draft import GatewayChoice, draft
from chaos.experiment.model import Slo
from chaos.experiment.target_file import TargetDocument, read_target
from chaos.gameday.core.plan import Plan
from chaos.gameday.scenario.game_day import GameDay, target_experiment
from chaos.gameday.scenario.other_plans import BRIEFING
from loadprofiles.sessions.profile_file import load_profile
from reports.shared.documents import parse_document, validate
from reports.shared.errors import InvalidFile, UserError

__all__ = ["DEFAULT_PROFILE", "DEFAULT_STACK", "free_game_day"]

DEFAULT_STACK: Final = "game-day"
DEFAULT_PROFILE: Final = "game-day"
_SEED: Final = 7
_SLO: Final = Slo(2.0, 0.1)


def free_game_day(
    *,
    stack: str | Path | None = None,
    target: Path | None = None,
    gateway: GatewayChoice | None = None,
    profile: str | None = None,
    seed: int | None = None,
) -> GameDay:
    """On a stack (`game-day` if none is named) or the `target:` of a file.

    Raises UserError for options that exclude each other, `InvalidFile` or `NotFound` for what cannot be read.
    """
    if target is not None and (stack is not None or gateway is not None):
        raise UserError(f"{'--stack' if stack is not None else '--gateway'} and --target exclude each other")
    if seed is not None and not 0 <= seed < 2**63:
        raise UserError(f"--seed {seed}: a seed is a whole number of 0 or more")
    if profile is not None:
        load_profile(profile)  # its mistakes, without the line of a file that nobody wrote
    named = str(stack) if stack is not None else DEFAULT_STACK
    content: dict[str, Any] = {
        "brownout": 1,
        "target": {"stack": named},
        "load": {"profile": profile or DEFAULT_PROFILE},
        "timeline": {"warmup": 0, "baseline": MAX_RUN_S, "recovery": 0},
    }
    document = parse_document(yaml.safe_dump(content, sort_keys=False), "free")
    target_document, problems = (document, []) if target is None else read_target(target)
    made = draft(
        document,
        stack=named if target is None else None,
        seed=_SEED if seed is None else seed,
        target=target_document,
        gateway=gateway,
    )
    problems = [*problems, *check(made)]
    if problems or made.profile is None:
        raise InvalidFile(problems)
    given = validate(target_document, TargetDocument).target
    where = made.stack.name if made.stack is not None else str(given.url)
    plan = Plan(name="free", title=f"Chaos by hand on {where}", briefing=BRIEFING, source="free")
    return GameDay(plan, target_experiment(plan, made, given, made.profile, slo=_SLO, length_s=MAX_RUN_S))
