"""Least work left (Harchol-Balter, Performance Modeling and Design of Computer Systems, ch. 24): the replica that is
predicted to finish its requests and this call first.

Request counts ignore size: one call with 50 times the output of the others occupies a replica that looks idle. Here
each call counts with its whole prompt and expected output until it ends. That is on average twice its remaining work,
on every replica alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from targets.gateway.policies.balancing.balancer import C, Candidate, least_loaded
from targets.gateway.policies.balancing.forecast import CallSize, work_s

__all__ = ["LeastWork"]


class LeastWork:
    """Load is the predicted engine time in flight (seconds). Compared: load plus the call's own, divided by the
    weight."""

    def pick(self, now: float, candidates: Sequence[C], rng: Random, size: CallSize) -> C:
        loads = [(one.outstanding_work_s + work_s(one.upstream, size)) / one.weight(now) for one in candidates]
        return least_loaded(candidates, loads, rng)

    def load(self, now: float, candidate: Candidate) -> float:
        return candidate.outstanding_work_s
