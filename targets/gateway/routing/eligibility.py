"""Who may take a call's next attempt, and what to do when nobody may. Pure.

A replica may be excluded by a policy (ejected, not ready, breaker open) or for this call only (it failed or refused
it). Panic lifts the first, never the second. Where nobody is left, those who failed this call get it again, last failed
last, and, with panic on, the shut out: a guess beats a certain 503.
"""

from __future__ import annotations

from collections.abc import Sequence

from targets.gateway.config import GatewayPolicies
from targets.gateway.policies.health.breaker import BreakerState
from targets.gateway.policies.health.ejection import OutlierEjection
from targets.gateway.routing.decisions import Call, Decision, Reject, Wait
from targets.gateway.routing.replica_state import ReplicaState

__all__ = ["Eligibility"]

_MAX_WAIT_S = 1.0  # for somebody to come back, without panic
_MAX_WAITS = 3


class Eligibility:
    """The rule for all replicas of one gateway."""

    def __init__(self, policies: GatewayPolicies, replicas: Sequence[ReplicaState]) -> None:
        self._policies = policies
        self._all = replicas
        self._can_wait = policies.queue is not None and policies.concurrency is not None
        self.avoids_failed = policies.retries is None or policies.retries.avoid_failed

    def split(self, now: float, call: Call, panic: bool) -> tuple[list[ReplicaState], tuple[tuple[str, str], ...], str]:
        """(who may, (who may not, why), what was relaxed so that anybody may; "" for nothing)."""
        allowed: list[ReplicaState] = []
        excluded: list[tuple[str, str]] = []
        for replica in self._all:
            why_not = self._why_not(now, call, replica, panic)
            if why_not is None:
                allowed.append(replica)
            else:
                excluded.append((replica.name, why_not))
        fallback = ""
        if not allowed:
            allowed, fallback = self._last_resort(call)
        return allowed, tuple(excluded), fallback

    def nobody(
        self, now: float, call: Call, excluded: tuple[tuple[str, str], ...], ejection: OutlierEjection | None
    ) -> Reject | Wait:
        """Nobody may, whatever is relaxed: wait for the first to come back if that is soon, else an error."""
        retries = self._policies.retries
        cap_s = _MAX_WAIT_S
        if retries is not None and retries.backoff is not None:
            cap_s = retries.backoff.retry_after_cap_s
        if call.refused_on:
            wait_s = max(0.0, min(call.refused_on.values()) - now)
            if 0.0 < wait_s <= cap_s and retries is not None and call.spent.retries < retries.max_retries:
                call.spent.retries += 1
                call.refused_on.clear()
                return Wait(Decision((), excluded, f"all refused; the first asked for {wait_s:.2f} s"), wait_s)
            return Reject(Decision((), excluded, "all refused"), 429, wait_s)
        back = [
            r.breaker.open_until for r in self._all if r.breaker is not None and r.breaker.state is BreakerState.OPEN
        ]
        if ejection is not None:
            back += [until for r in self._all if (until := ejection.until(r.name)) is not None]
        wait_s = max(0.01, min(back) - now) if back else cap_s
        why = "nobody is left" if not call.offset else "nobody is left who can continue an answer"
        if back and wait_s <= cap_s and call.waits < _MAX_WAITS:
            call.waits += 1
            return Wait(Decision((), excluded, why), wait_s)
        return Reject(Decision((), excluded, why), 503, wait_s)

    def _why_not(self, now: float, call: Call, replica: ReplicaState, panic: bool) -> str | None:
        if call.offset and not replica.upstream.continuation:
            return "cannot continue an answer"
        if replica.name in call.refused_on:
            return "refused this call (429)"
        if call.failed_on and (call.offset > 0 or self.avoids_failed) and replica.name in call.failed_on:
            return "failed this call"  # a migration never goes where the stream died, however blind retries are
        if replica.stuck:
            return None
        if panic:
            spared = self._policies.panic is not None and not self._policies.panic.even_refused
            if spared and replica.refuses:
                return "refuses connections"
            # Where calls can wait at the gateway, there is something better than a guess against a replica's own word.
            return "draining" if self._can_wait and replica.draining else None
        if replica.readiness is not None and not replica.readiness.ready:
            return "draining" if replica.readiness.draining else "not ready"
        if replica.ejected:
            return "ejected"
        if replica.breaker is not None and not replica.breaker.admits():
            return (
                "breaker open" if replica.breaker.state is BreakerState.OPEN else "breaker half open, probes under way"
            )
        if replica.rest_until > now:
            return "asked for a pause (Retry-After)"
        return None

    def _last_resort(self, call: Call) -> tuple[list[ReplicaState], str]:
        """Nobody is allowed: relax what is least certain, step by step."""
        able = [r for r in self._all if not call.offset or r.upstream.continuation]
        able = [r for r in able if r.name not in call.refused_on]
        open_now = [r for r in able if not r.shut_out]
        last = call.failed_on[-1] if call.failed_on else ""
        steps: list[tuple[list[ReplicaState], str]] = [
            (
                [r for r in open_now if r.name not in call.failed_on],
                "only those are left who asked for a pause",
            ),
            ([r for r in open_now if r.name != last], "all others failed this call"),
        ]
        if self._policies.panic is not None:
            steps.append(([r for r in able if r.name not in call.failed_on], "all are shut out"))
            steps.append(([r for r in able if r.name != last], "all are shut out or failed this call"))
        steps.append((open_now, "it is the only one left"))
        if self._policies.panic is not None:
            steps.append((able, "it is the only one there is"))
        return next(((found, why) for found, why in steps if found), ([], ""))
