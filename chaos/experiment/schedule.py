"""When an entry of the timeline occurs, and which replicas it affects each time: once, periodically, at seeded random
times, or one replica after another. Pure: a function of the file, the stack and the seed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from chaos.faults.selection import Selector
from chaos.faults.spec import FaultSpec
from chaos.faults.world import ReplicaView
from reports.shared.documents import duration_text
from reports.shared.draws import uniform

__all__ = ["SCHEDULE_KEYS", "Occurrence", "Schedule", "occurrences"]

SCHEDULE_KEYS: Final = frozenset(("at", "for", "every", "random", "times", "one_by_one"))
"""The keys of an entry of the timeline that say when it occurs."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The times of an entry, in seconds; `at_s` counts from the end of the baseline.

    `every_s`: interval from one begin to the next. `random_s`: length of the window, from `at_s`, that contains `times`
    seeded begins that do not overlap. `one_by_one`: each occurrence affects the next of the selected replicas; there
    is one occurrence per replica where `times` is None.
    """

    at_s: float
    for_s: float
    every_s: float | None = None
    random_s: float | None = None
    times: int | None = None
    one_by_one: bool = False

    @property
    def repeats(self) -> bool:
        """Whether it occurs more than once."""
        return self.every_s is not None or self.random_s is not None

    def mistakes(self, takes_replicas: bool, busy_s: float, selected: int) -> Iterator[tuple[str, str, str]]:
        """Contradictions in it: (key, what is wrong, what would be right).

        `busy_s`: how long its targets are busy with one occurrence, with notice and cold start. `selected`: how many
        replicas it selects; 0 where that is not known.
        """
        if self.every_s is not None and self.random_s is not None:
            yield "random", "every and random cannot be combined", "remove one of them"
        elif not self.repeats:
            if self.times is not None:
                yield "times", "times without every or random has no meaning", "add every: 5s, or random: 30s"
            if self.one_by_one:
                yield "one_by_one", "one_by_one needs an interval", "add every: 5s"
        elif self.times is None and not self.one_by_one:
            key = "every" if self.every_s is not None else "random"
            yield key, f"{key} needs the number of repetitions", "add times: 3"
        if self.one_by_one and not takes_replicas:
            yield "one_by_one", "one_by_one is for faults of replicas, and this fault has none", "remove one_by_one:"
        times = self.times if self.times is not None else selected if self.one_by_one else 0
        if self.random_s is not None and round(times * busy_s - self.random_s, 9) > 0:
            with_both = ", with notice and cold start," if busy_s > self.for_s else ""
            what = f"{times} times {duration_text(busy_s)}{with_both} do not fit into {duration_text(self.random_s)}"
            least_s = math.ceil(times * busy_s * 1000 - 1e-6) / 1000
            yield "random", what, f"make random: at least {f'{least_s:.3f}'.rstrip('0').rstrip('.')}s"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One occurrence of a fault. `at_s`: from the end of the baseline. `for_s`: until its revert is due. Seconds.

    `spec`: the entry's, narrowed to one replica for `one_by_one`.
    """

    id: str
    at_s: float
    for_s: float
    spec: FaultSpec
    targets: tuple[str, ...]

    @property
    def ends_s(self) -> float:
        """When its targets are as before at the latest, but for the second or two in which a process starts.

        A process may use all of its notice before it is replaced, and the new one has a cold start. Seconds, as `at_s`.
        """
        return self.at_s + self.spec.busy_s(self.for_s)

    @property
    def earliest_end_s(self) -> float:
        """When its targets are as before if they use none of their notice. Seconds, as `at_s`."""
        return self.at_s + self.for_s + self.spec.cold_start_s

    @property
    def outlasts(self) -> str:
        """Why it may end later than `for_s` says: "notice" (or "grace"), "cold start", both of them, or nothing."""
        named = [(self.spec.notice_key, self.spec.notice_s > self.for_s), ("cold start", self.spec.cold_start_s > 0)]
        return " and ".join(name for name, counts in named if counts)

    def conflicts(self, other: Occurrence) -> list[str]:
        """The targets on which the two cannot be active together: one of them stops the process.

        A process that is down does not hold another fault, and the one that is started in its place does not have it.
        """
        if not (self.spec.stops_process or other.spec.stops_process or self._repeats_command(other)):
            return []
        return [name for name in other.targets if name in self.targets]

    def _repeats_command(self, other: Occurrence) -> bool:
        """Whether both run the commands of one entry: its revert must not undo the next injection."""
        of_one_entry = self.id.partition(".")[0] == other.id.partition(".")[0]
        return self.spec.where == "system" == other.spec.where and of_one_entry


def occurrences(
    entry_id: str, schedule: Schedule, spec: FaultSpec, replicas: Sequence[ReplicaView], seed: int
) -> list[Occurrence]:
    """Every occurrence of an entry, in order. Its id is the entry's if there is one only, else `f1.1`, `f1.2`, ...

    An entry with `count` draws its targets again for each occurrence; with `one_by_one` they are drawn once, and
    follow in the stack's order.
    """
    if not schedule.repeats:
        targets = tuple(spec.select(replicas, seed, entry_id))
        return [Occurrence(entry_id, schedule.at_s, schedule.for_s, spec, targets)]
    queue = spec.select(replicas, seed, entry_id) if schedule.one_by_one else []
    times = schedule.times if schedule.times is not None else len(queue)
    found = []
    for number, at_s in enumerate(_begins(entry_id, schedule, spec.busy_s(schedule.for_s), times, seed)):
        its_id = f"{entry_id}.{number + 1}"
        narrowed = _only(spec, queue[number % len(queue)]) if queue else spec
        found.append(Occurrence(its_id, at_s, schedule.for_s, narrowed, tuple(narrowed.select(replicas, seed, its_id))))
    return found


def _begins(entry_id: str, schedule: Schedule, busy_s: float, times: int, seed: int) -> list[float]:
    if schedule.every_s is not None:
        return [round(schedule.at_s + number * schedule.every_s, 9) for number in range(times)]
    free_s = max((schedule.random_s or 0.0) - times * busy_s, 0.0)
    drawn = sorted(uniform(f"{seed}/{entry_id}/time/{number}") for number in range(times))
    # The free time is rounded, not the sum: two begins are never closer than one length.
    return [round(schedule.at_s + round(u * free_s, 3) + number * busy_s, 9) for number, u in enumerate(drawn)]


def _only(spec: FaultSpec, replica: str) -> FaultSpec:
    if not isinstance(spec, Selector):
        return spec
    return spec.model_copy(update={"pool": None, "cloud": None, "replica": [replica], "count": "all"})
