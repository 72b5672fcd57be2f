"""Causes, components and verdicts of `reports.gameday`, for the exercise on one stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chaos.gameday.core.judgement import Truth, Verdict
from reports.gameday.causes import CAUSES, cause_of, components_of
from reports.gameday.judging import judge
from targets.stack import Stack

__all__ = ["GameDayJudgement"]


class GameDayJudgement:
    """Implements `chaos.gameday.core.judgement.Judgement`."""

    def __init__(self, stack: Stack) -> None:
        self._replicas = [replica.name for replica in stack.replicas]
        self._pools: dict[str, list[str]] = {}
        self._clouds: dict[str, list[str]] = {}
        for replica in stack.replicas:
            self._pools.setdefault(replica.pool, []).append(replica.name)
            self._clouds.setdefault(replica.cloud, []).append(replica.name)

    @property
    def causes(self) -> Mapping[str, str]:
        """The label of each cause by its id."""
        return CAUSES

    def cause_of(self, kind: str, targets: Sequence[str], params: Mapping[str, object]) -> str:
        """The id of the cause that a fault is."""
        return cause_of(kind, targets, self._pools, self._replicas, params)

    def components_of(self, kind: str, targets: Sequence[str], params: Mapping[str, object]) -> Sequence[str]:
        """The ids of the components that are right for a fault, the narrowest first."""
        return components_of(targets, self._pools, self._clouds, params)

    def judge(self, cause: str, component: str, truths: Sequence[Truth]) -> Verdict:
        """The verdict on a belief, given the faults that were injected before it."""
        return judge(cause, component, truths)
