"""A request inside the engine."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["ScheduledRequest"]


@dataclass(slots=True, eq=False)
class ScheduledRequest:
    """A request in the queue or in the batch."""

    id: str
    hashes: Sequence[int]
    prompt_tokens: int
    output_tokens: int
    rank: tuple[int, int]  # priority, then arrival: the queue's order; the highest rank is preempted first
    queued_since: float
    produced: int = 0  # output tokens; not updated while decoding
    target: int = 0  # tokens to prefill
    computed: int = 0  # tokens in the cache; not updated while decoding
    anchor: int = 0  # see `targets.replica.engine.decode_batch`
    last_step: int = 0  # the count of ended steps at which it finishes
    blocks: array[int] = field(default_factory=lambda: array("i"))
    state: str = "waiting"  # waiting | prefill | decode | gone
    preempted: bool = False  # at least once
