"""What people noticed, and what they believe is wrong."""

from __future__ import annotations

from dataclasses import dataclass

from chaos.gameday.core.judgement import Verdict

__all__ = ["Belief", "Beliefs", "Notice"]


@dataclass(frozen=True, slots=True)
class Notice:
    """Somebody sees something. `early`: nothing had been injected yet."""

    who: str
    t_s: float
    early: bool


@dataclass(frozen=True, slots=True)
class Belief:
    """What somebody believes. `verdict`: on the faults that were injected until then."""

    n: int
    who: str
    t_s: float
    text: str
    cause: str
    component: str
    verdict: Verdict


class Beliefs:
    """Notices and beliefs, in the order of time."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.all: list[Belief] = []

    @property
    def noticed(self) -> bool:
        """Whether anybody has noticed something, or believes something, since the first fault."""
        return any(not notice.early for notice in self.notices) or any(one.verdict != "no fault" for one in self.all)

    @property
    def diagnosed(self) -> bool:
        """Whether anybody believes what is true: cause and component."""
        return any(one.verdict == "right" for one in self.all)
