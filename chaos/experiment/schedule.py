"""When an entry of the timeline comes, and whom it takes each time: once, every n seconds, at seeded times, or one
replica after another. Pure: everything follows from the file, the stack and the seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from chaos.faults.selection import Selector
from chaos.faults.spec import FaultSpec
from chaos.faults.world import ReplicaView
from reports.shared.draws import uniform

__all__ = ["SCHEDULE_KEYS", "Occurrence", "Schedule", "occurrences"]

SCHEDULE_KEYS: Final = frozenset(("at", "for", "every", "random", "times", "one_by_one"))
"""The keys of an entry of the timeline that say when it occurs."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """What an entry says of its times; seconds, `at_s` from the baseline's end.

    `every_s`: from one begin to the next. `random_s`: the window, from `at_s` on, in which `times` seeded times lie,
    none of them while the one before is on. `one_by_one`: each time the next of the replicas that the entry selects; as
    many times as there are replicas where `times` is None.
    """

    at_s: float
    for_s: float
    every_s: float | None = None
    random_s: float | None = None
    times: int | None = None
    one_by_one: bool = False

    @property
    def repeats(self) -> bool:
        """Whether it comes more than once."""
        return self.every_s is not None or self.random_s is not None

    def mistakes(self, takes_replicas: bool) -> Iterator[tuple[str, str, str]]:
        """What does not fit together: (key, what is wrong, what would be right)."""
        if self.every_s is not None and self.random_s is not None:
            yield "random", "every and random exclude one another", "take one of them out"
        elif not self.repeats:
            if self.times is not None:
                yield "times", "times does not say when", "add every: 5s, or random: 30s"
            if self.one_by_one:
                yield "one_by_one", "one_by_one does not say how far apart", "add every: 5s"
        elif self.times is None and not self.one_by_one:
            key = "every" if self.every_s is not None else "random"
            yield key, f"{key} does not say how often", "add times: 3"
        if self.one_by_one and not takes_replicas:
            yield "one_by_one", "one_by_one takes replicas, and this fault takes none", "take one_by_one: out"
        if self.random_s is not None and self.times is not None and self.times * self.for_s > self.random_s:
            what = f"{self.times} times {self.for_s:g} s do not fit into {self.random_s:g} s"
            yield "random", what, f"make random: at least {self.times * self.for_s:g}s"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time. `spec`: the entry's, narrowed to the one replica where they come one by one."""

    id: str
    at_s: float
    for_s: float
    spec: FaultSpec
    targets: tuple[str, ...]


def occurrences(
    entry_id: str, schedule: Schedule, spec: FaultSpec, replicas: Sequence[ReplicaView], seed: int
) -> list[Occurrence]:
    """Every time that an entry comes, in order. The id is the entry's where it comes once, else `f1.1`, `f1.2`, ...

    Where an entry draws its targets (`count`), each time draws anew; one by one they are drawn once, and come in the
    stack's order.
    """
    if not schedule.repeats:
        targets = tuple(spec.select(replicas, seed, entry_id))
        return [Occurrence(entry_id, schedule.at_s, schedule.for_s, spec, targets)]
    queue = spec.select(replicas, seed, entry_id) if schedule.one_by_one else []
    times = schedule.times if schedule.times is not None else len(queue)
    found = []
    for number, at_s in enumerate(_begins(entry_id, schedule, times, seed)):
        its_id = f"{entry_id}.{number + 1}"
        narrowed = _only(spec, queue[number % len(queue)]) if queue else spec
        found.append(Occurrence(its_id, at_s, schedule.for_s, narrowed, tuple(narrowed.select(replicas, seed, its_id))))
    return found


def _begins(entry_id: str, schedule: Schedule, times: int, seed: int) -> list[float]:
    if schedule.every_s is not None:
        return [schedule.at_s + number * schedule.every_s for number in range(times)]
    free_s = max((schedule.random_s or 0.0) - times * schedule.for_s, 0.0)
    drawn = sorted(uniform(f"{seed}/{entry_id}/time/{number}") for number in range(times))
    return [round(schedule.at_s + u * free_s + number * schedule.for_s, 3) for number, u in enumerate(drawn)]


def _only(spec: FaultSpec, replica: str) -> FaultSpec:
    if not isinstance(spec, Selector):
        return spec
    return spec.model_copy(update={"pool": None, "cloud": None, "replica": [replica], "count": "all"})
