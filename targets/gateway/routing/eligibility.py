"""Which replicas may take a call's next attempt, and what to do when none may. Pure.

A replica is excluded by a policy (ejected, not ready, breaker open) or for this call only (it failed it or refused it).
Panic lifts the first kind, never the second. One that the operator took out gets nothing, also in panic. If no replica
is left, the rules are relaxed step by step: replicas that failed this call (the latest failure last), then, with panic
on, those that are shut out.
"""

from __future__ import annotations

from collections.abc import Sequence

from targets.gateway.config import GatewayPolicies
from targets.gateway.policies.health.breaker import BreakerState
from targets.gateway.policies.health.ejection import OutlierEjection
from targets.gateway.routing.decisions import Decision, Reject, RoutedCall, Wait
from targets.gateway.routing.replica_state import ReplicaState

__all__ = ["Eligibility", "out_of_service"]

_MAX_WAIT_S = 1.0  # for a replica to come back, without panic
_MAX_WAITS = 3
OUT_RETRY_AFTER_S = 10.0  # Retry-After while the operator has taken every replica out


class Eligibility:
    """The rule for all replicas of one gateway."""

    def __init__(self, policies: GatewayPolicies, replicas: Sequence[ReplicaState]) -> None:
        self._policies = policies
        self._all = replicas
        self._can_wait = policies.queue is not None and policies.concurrency is not None
        self.avoids_failed = policies.retries is None or policies.retries.avoid_failed

    def split(
        self, now: float, call: RoutedCall, panic: bool
    ) -> tuple[list[ReplicaState], tuple[tuple[str, str], ...], str]:
        """Returns (eligible replicas, excluded ones with the reason, the relaxed rule or "")."""
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

    def wait_or_reject(
        self, now: float, call: RoutedCall, excluded: tuple[tuple[str, str], ...], ejection: OutlierEjection | None
    ) -> Reject | Wait:
        """No replica is eligible: wait for the first one to come back if that is soon, else reject."""
        if why := out_of_service(self._all):
            return Reject(Decision((), excluded, why), 503, OUT_RETRY_AFTER_S)
        retries = self._policies.retries
        cap_s = _MAX_WAIT_S
        if retries is not None and retries.backoff is not None:
            cap_s = retries.backoff.retry_after_cap_s
        if call.refused_on:
            wait_s = max(0.0, min(call.refused_on.values()) - now)
            if 0.0 < wait_s <= cap_s and retries is not None and call.usage.retries < retries.max_retries:
                call.usage.retries += 1
                call.refused_on.clear()
                why = f"all replicas returned 429, the shortest Retry-After is {wait_s:.2f} s"
                return Wait(Decision((), excluded, why), wait_s)
            return Reject(Decision((), excluded, "all replicas returned 429"), 429, wait_s)
        back_at = [
            r.breaker.open_until
            for r in self._all
            if not r.drained and r.breaker is not None and r.breaker.state is BreakerState.OPEN
        ]
        if ejection is not None:
            back_at += [until for r in self._all if not r.drained and (until := ejection.until(r.name)) is not None]
        wait_s = max(0.01, min(back_at) - now) if back_at else cap_s
        why = "no replica is eligible" if not call.offset else "no eligible replica can continue a stream"
        if back_at and wait_s <= cap_s and call.waits < _MAX_WAITS:
            call.waits += 1
            return Wait(Decision((), excluded, why), wait_s)
        return Reject(Decision((), excluded, why), 503, wait_s)

    def _why_not(self, now: float, call: RoutedCall, replica: ReplicaState, panic: bool) -> str | None:
        if replica.out_because:
            return replica.out_because
        if call.offset and not replica.upstream.continuation:
            return "cannot continue a stream"
        if replica.name in call.refused_on:
            return "refused this call (429)"
        if call.failed_on and (call.offset > 0 or self.avoids_failed) and replica.name in call.failed_on:
            return "failed this call"  # a migration never returns to the failed replica, even with blind retries
        if replica.health_ignored:
            return None
        if panic:
            spared = self._policies.panic is not None and not self._policies.panic.even_refused
            if spared and replica.refuses_connections:
                return "refuses connections"
            # If calls can wait at the gateway, waiting beats a replica that reports itself not ready.
            return "draining" if self._can_wait and replica.draining else None
        if replica.readiness is not None and not replica.readiness.ready:
            return "draining" if replica.readiness.draining else "not ready"
        if replica.ejected:
            return "ejected"
        if replica.breaker is not None and not replica.breaker.admits():
            return (
                "breaker open" if replica.breaker.state is BreakerState.OPEN else "breaker half open, probes under way"
            )
        if replica.paused_until > now:
            return "paused by its Retry-After"
        return None

    def _last_resort(self, call: RoutedCall) -> tuple[list[ReplicaState], str]:
        """Relaxes the rules step by step; returns the first step with a replica, and its reason."""
        able = [r for r in self._all if not r.drained and (not call.offset or r.upstream.continuation)]
        able = [r for r in able if r.name not in call.refused_on]
        in_service = [r for r in able if not r.shut_out]
        last = call.failed_on[-1] if call.failed_on else ""
        steps: list[tuple[list[ReplicaState], str]] = [
            (
                [r for r in in_service if r.name not in call.failed_on],
                "all others are paused by their Retry-After",
            ),
            ([r for r in in_service if r.name != last], "all others failed this call"),
        ]
        if self._policies.panic is not None:
            steps.append(([r for r in able if r.name not in call.failed_on], "all are shut out"))
            steps.append(([r for r in able if r.name != last], "all are shut out or failed this call"))
        steps.append((in_service, "it is the only one left"))
        if self._policies.panic is not None:
            steps.append((able, "it is the only replica"))
        return next(((found, why) for found, why in steps if found), ([], ""))


def out_of_service(replicas: Sequence[ReplicaState]) -> str:
    """Why no replica takes part at all, by the operator's settings; "" while one does."""
    return "every replica is drained by the operator" if all(replica.drained for replica in replicas) else ""
