"""What the exercise asks about causes, components and beliefs. `reports.gameday` has the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

__all__ = ["Judgement", "Truth", "Verdict"]

Verdict = Literal["right", "cause", "component", "wrong", "no fault"]
"""Of a belief: both are right, only the cause, only the component, none; or nothing had been injected yet."""


@dataclass(frozen=True, slots=True)
class Truth:
    """A fault that was injected. `components`: ids that are right, the most exact one first."""

    fault: str
    kind: str
    cause: str
    components: tuple[str, ...]
    begin_s: float
    end_s: float | None = None


class Judgement(Protocol):
    """The causes that people can choose, and what is right."""

    @property
    def causes(self) -> Mapping[str, str]:
        """The label of each cause by its id, in the order in which they are offered."""

    def cause_of(self, kind: str, targets: Sequence[str], params: Mapping[str, object]) -> str:
        """The id of the cause that a fault is."""

    def components_of(self, kind: str, targets: Sequence[str], params: Mapping[str, object]) -> Sequence[str]:
        """The ids of the components that are right for a fault."""

    def judge(self, cause: str, component: str, truths: Sequence[Truth], t_s: float) -> Verdict:
        """The verdict on a belief at `t_s`, given every fault that was injected before it."""
