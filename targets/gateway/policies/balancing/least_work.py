"""Least work left (Harchol-Balter, Performance Modeling and Design of Computer Systems, ch. 24): the one that will be
through with what it has, and with this call, first.

Counts of requests are blind to their size: one call that thinks 50 times longer than the others pins a replica that
looks as idle as the rest. Here it counts with its prompt and its expected output until it ends, on average half of it
too much, which is the same for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from targets.gateway.policies.balancing.balancing import C, Candidate, idlest
from targets.gateway.policies.balancing.forecast import Ask, work_s

__all__ = ["LeastWork"]


class LeastWork:
    """Load is the predicted engine time in flight (s); compared with the call's own there, divided by the weight."""

    def pick(self, now: float, candidates: Sequence[C], rng: Random, ask: Ask) -> C:
        loads = [(one.owed_s + work_s(one.upstream, ask)) / one.weight(now) for one in candidates]
        return idlest(candidates, loads, rng)

    def load(self, now: float, candidate: Candidate) -> float:
        return candidate.owed_s
