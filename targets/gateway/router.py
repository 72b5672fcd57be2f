"""The router: who gets the next attempt, and what each outcome means for everybody. Pure: no I/O, no clock.

`choose` answers Attempt, Reject or Wait. `first_token` and `observe` tell it how an attempt goes; `probed` what a
readiness probe found. What policies change their mind about is kept until `changes` takes it.

A replica may be excluded by a policy (ejected, not ready, breaker open) or for this call only (it failed or refused
it). Panic lifts the first, never the second. Where nobody is left, those who failed this call get it again, last failed
last, and, with panic on, the shut out: a guess beats a certain 503.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from reports.attributes import Outcome, Transition
from targets.gateway.config import GatewayConfig
from targets.gateway.decisions import Attempt, Call, Change, Decision, Ended, Reject, Wait
from targets.gateway.policies.affinity import SessionAffinity
from targets.gateway.policies.balancing import Balancer
from targets.gateway.policies.breaker import BreakerState
from targets.gateway.policies.ejection import OutlierEjection
from targets.gateway.policies.least_outstanding import LeastOutstanding
from targets.gateway.policies.p2c import PowerOfTwoChoices
from targets.gateway.policies.panic import panics
from targets.gateway.policies.retries import Again, GiveUp, RetryScope
from targets.gateway.policies.round_robin import RoundRobin
from targets.gateway.policies.timeouts import first_token_s, prefill_s
from targets.gateway.replica_state import ReplicaState

__all__ = ["Router"]

BALANCERS: dict[str, Callable[[], Balancer]] = {
    "p2c": PowerOfTwoChoices,
    "round_robin": RoundRobin,
    "least_outstanding": LeastOutstanding,
}

_NEUTRAL = frozenset({Outcome.ABANDONED, Outcome.RATE_LIMITED, Outcome.HTTP_4XX})  # nothing against the replica
_MAX_WAIT_S = 1.0  # for somebody to come back, without panic
_MAX_WAITS = 3


class Router:
    """All replicas of one gateway under its policies. Times in seconds on the caller's clock."""

    def __init__(self, config: GatewayConfig, rng: Random, now: float = 0.0) -> None:
        policies = config.policies
        names = [upstream.name for upstream in config.upstreams]
        self.policies = policies
        self.replicas = {upstream.name: ReplicaState(upstream, policies) for upstream in config.upstreams}
        self.panic = False
        self.in_flight = 0
        self._all = tuple(self.replicas.values())
        self._rng = rng
        self._balancer = BALANCERS[policies.balancing.kind]()
        self._affinity = SessionAffinity(policies.affinity, names) if policies.affinity is not None else None
        self._ejection = OutlierEjection(policies.ejection, names, now) if policies.ejection is not None else None
        self._scope = RetryScope(policies.retries, policies.migration, rng)
        self._avoids_failed = policies.retries is None or policies.retries.avoid_failed
        self._changes: list[Change] = []

    # -- one call ----------------------------------------------------------------------------------------------------

    def begin(self, now: float) -> None:
        """A request came: it pays into the retry budget."""
        if self._scope.budget is not None:
            self._scope.budget.deposit(now)

    def end(self, call: Call) -> None:
        """The request is over, however."""
        self._scope.close(call.spent)

    def choose(self, now: float, call: Call) -> Attempt | Reject | Wait:
        """Who gets the call's next attempt. An Attempt counts as in flight until `observe`."""
        self.advance(now)
        allowed: list[ReplicaState] = []
        excluded: list[tuple[str, str]] = []
        for replica in self._all:
            why_not = self._why_not(now, call, replica)
            if why_not is None:
                allowed.append(replica)
            else:
                excluded.append((replica.name, why_not))
        fallback = ""
        if not allowed:
            allowed, fallback = self._last_resort(call)
        if not allowed:
            return self._nobody(now, call, tuple(excluded))
        chosen, why = self._pick(now, call, allowed)
        decision = Decision(
            tuple((replica.name, self._balancer.load(now, replica) * 1000.0) for replica in allowed),
            tuple(excluded),
            f"{fallback}: {why}" if fallback else why,
        )
        return self._start(now, call, chosen, decision)

    def first_token(self, now: float, attempt: Attempt, *, streamed: bool = True) -> None:
        """The attempt's first token came; not `streamed`: with all the others, so its time says little."""
        if attempt.first_token_at is not None:
            return
        attempt.first_token_at = now
        attempt.replica.waiting_prefill_s -= attempt.prefill_s
        if streamed:
            attempt.replica.latency.observe(now, now - attempt.started_at)
        if self._affinity is not None and attempt.key:
            self._affinity.served(now, attempt.key, attempt.replica.name, attempt.prompt_tokens)

    def observe(self, now: float, attempt: Attempt, ended: Ended) -> None:
        """The attempt ended."""
        replica, outcome = attempt.replica, ended.outcome
        replica.in_flight -= 1
        self.in_flight -= 1
        if attempt.first_token_at is None:
            replica.waiting_prefill_s = max(0.0, replica.waiting_prefill_s - attempt.prefill_s)
        if outcome is Outcome.RATE_LIMITED and ended.retry_after_s is not None:
            replica.rest_until = max(replica.rest_until, now + ended.retry_after_s)
        elif outcome is Outcome.OK and self._affinity is not None and attempt.key:
            self._affinity.served(now, attempt.key, replica.name, attempt.prompt_tokens + ended.tokens)
        if replica.in_flight == 0:
            replica.waiting_prefill_s = 0.0  # sums of floats drift
        failed = None if outcome in _NEUTRAL else outcome is not Outcome.OK
        if failed and attempt.first_token_at is None and now > attempt.started_at:
            # Time lost counts as latency, so that the balancer does not take a quick failure for a quick replica.
            replica.latency.observe(now, max(now - attempt.started_at, replica.latency.cost(now)))
        if replica.breaker is not None:
            self._tell(replica, replica.breaker.leave(now, attempt.probe, failed, self._slow(now, attempt, ended)))
        if self._ejection is not None and (failed is not None or outcome is Outcome.HTTP_4XX):
            why = self._ejection.record(now, replica.name, bool(failed))
            if why is not None:
                self._set_ejected(replica, True, why)
        self._judge_panic()

    def after(self, now: float, call: Call, attempt: Attempt, ended: Ended, passed_on: bool) -> Again | GiveUp:
        """What follows a failed attempt of `call`; `passed_on`: the client has tokens."""
        if ended.outcome is Outcome.RATE_LIMITED and self._avoids_failed:
            call.refused_on[attempt.replica.name] = now + (ended.retry_after_s or 0.0)
        else:
            call.failed_on.append(attempt.replica.name)
        verdict = self._scope.next(
            now,
            call.spent,
            ended.outcome,
            passed_on=passed_on,
            lost=ended.lost,
            in_flight=self.in_flight + 1,
        )
        if isinstance(verdict, Again):
            call.reason = verdict.reason
            call.why = f"{attempt.replica.name}: {verdict.why}"
        return verdict

    # -- time and news -----------------------------------------------------------------------------------------------

    def advance(self, now: float) -> None:
        """Time passed: breakers half open, ejected ones come back."""
        for replica in self._all:
            breaker = replica.breaker
            if breaker is not None and breaker.state is BreakerState.OPEN:
                self._tell(replica, breaker.advance(now))
        if self._ejection is not None:
            back, out = self._ejection.advance(now)
            for name in back:
                self._readmit(self.replicas[name], "its time is up")
            for name, why in out:
                self._set_ejected(self.replicas[name], True, why)
        if self._changes:
            self._judge_panic()

    def probed(self, now: float, name: str, ok: bool, what: str) -> float:
        """A readiness probe ended in `what`; returns the seconds until the next one."""
        replica = self.replicas[name]
        if replica.readiness is None:
            raise ValueError("probes are off")
        turned = replica.readiness.record(ok)
        if turned is False:
            self._set_ejected(replica, True, f"not ready: {what}")
        elif turned is True:
            if self._ejection is not None:
                self._ejection.readmit(name)
            if replica.breaker is not None:
                self._tell(replica, replica.breaker.half_open("its readiness probe went well"))
            self._readmit(replica, "its readiness probe went well")
        self._judge_panic()
        return replica.readiness.pause_s(ok)

    def changes(self) -> list[Change]:
        """What changed since the last call of this."""
        taken, self._changes = self._changes, []
        return taken

    def load_ms(self, now: float, replica: ReplicaState) -> float:
        """The load that the balancing policy compares, in milliseconds (or requests x 1000)."""
        return self._balancer.load(now, replica) * 1000.0

    # -- inside ------------------------------------------------------------------------------------------------------

    def _why_not(self, now: float, call: Call, replica: ReplicaState) -> str | None:
        if call.offset and not replica.upstream.continuation:
            return "cannot continue an answer"
        if replica.name in call.refused_on:
            return "refused this call (429)"
        if self._avoids(call) and replica.name in call.failed_on:
            return "failed this call"
        if self.panic:
            return None
        if replica.readiness is not None and not replica.readiness.ready:
            return "not ready"
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
        if self.policies.panic is not None:
            steps.append(([r for r in able if r.name not in call.failed_on], "all are shut out"))
            steps.append(([r for r in able if r.name != last], "all are shut out or failed this call"))
        steps.append((open_now, "it is the only one left"))
        if self.policies.panic is not None:
            steps.append((able, "it is the only one there is"))
        return next(((found, why) for found, why in steps if found), ([], ""))

    def _nobody(self, now: float, call: Call, excluded: tuple[tuple[str, str], ...]) -> Reject | Wait:
        cap_s = _MAX_WAIT_S
        if self.policies.retries is not None and self.policies.retries.backoff is not None:
            cap_s = self.policies.retries.backoff.retry_after_cap_s
        if call.refused_on:
            wait_s = max(0.0, min(call.refused_on.values()) - now)
            if 0.0 < wait_s <= cap_s and self._scope_left(call):
                call.spent.retries += 1
                call.refused_on.clear()
                return Wait(Decision((), excluded, f"all refused; the first asked for {wait_s:.2f} s"), wait_s)
            return Reject(Decision((), excluded, "all refused"), 429, wait_s)
        back = [
            r.breaker.open_until for r in self._all if r.breaker is not None and r.breaker.state is BreakerState.OPEN
        ]
        if self._ejection is not None:
            back += [until for r in self._all if (until := self._ejection.until(r.name)) is not None]
        wait_s = max(0.01, min(back) - now) if back else cap_s
        why = "nobody is left" if not call.offset else "nobody is left who can continue an answer"
        if back and wait_s <= cap_s and call.waits < _MAX_WAITS:
            call.waits += 1
            return Wait(Decision((), excluded, why), wait_s)
        return Reject(Decision((), excluded, why), 503, wait_s)

    def _scope_left(self, call: Call) -> bool:
        retries = self.policies.retries
        return retries is not None and call.spent.retries < retries.max_retries

    def _avoids(self, call: Call) -> bool:
        # A migration never goes where the stream died, however blind retries are.
        return bool(call.failed_on) and (call.offset > 0 or self._avoids_failed)

    def _pick(self, now: float, call: Call, allowed: list[ReplicaState]) -> tuple[ReplicaState, str]:
        affinity = self._affinity
        if affinity is None or not call.key:
            return self._probe_or_balance(now, allowed)
        home = affinity.home(now, call.key)
        cap = affinity.cap(self.in_flight, len(allowed))
        roomy = [replica for replica in allowed if replica.in_flight < cap] or allowed
        if home is None:
            why = "new session"
        else:
            at_home = self.replicas[home.replica]
            if at_home in roomy:
                return at_home, "home of its session"
            why = f"its home {home.replica} is full" if at_home in allowed else f"its home {home.replica} is out"
        if affinity.placement == "ring" and not any(self._half_open(replica) for replica in roomy):
            return affinity.walk(call.key, roomy), f"{why}: next on the ring"
        chosen, how = self._probe_or_balance(now, roomy)
        return chosen, f"{why}: {how}"

    def _probe_or_balance(self, now: float, candidates: list[ReplicaState]) -> tuple[ReplicaState, str]:
        # A half-open breaker learns from real traffic only, and sessions that moved away do not come back.
        for replica in candidates:
            if self._half_open(replica):
                return replica, "probe of a half-open breaker"
        return self._balancer.pick(now, candidates, self._rng), self.policies.balancing.kind

    def _half_open(self, replica: ReplicaState) -> bool:
        breaker = replica.breaker
        return breaker is not None and breaker.state is BreakerState.HALF_OPEN and breaker.admits()

    def _start(self, now: float, call: Call, replica: ReplicaState, decision: Decision) -> Attempt:
        call.attempts += 1
        prompt = call.prompt_tokens + call.offset
        own_s = prefill_s(prompt, self._cached(now, call, replica), replica.upstream.prefill_us_per_token)
        limit_s = first_token_s(self.policies.timeouts, own_s + replica.waiting_prefill_s)
        attempt = Attempt(decision, replica, call.attempts, call.reason, limit_s, now, own_s, prompt, call.key)
        if replica.breaker is not None:
            attempt.probe = replica.breaker.enter()
        replica.waiting_prefill_s += own_s
        replica.in_flight += 1
        replica.attempts += 1
        self.in_flight += 1
        return attempt

    def _cached(self, now: float, call: Call, replica: ReplicaState) -> int:
        if self._affinity is None or not call.key:
            return 0
        home = self._affinity.home(now, call.key)
        return home.cached_tokens if home is not None and home.replica == replica.name else 0

    def _slow(self, now: float, attempt: Attempt, ended: Ended) -> bool:
        breaker = attempt.replica.breaker
        if breaker is None:
            return False
        if attempt.first_token_at is None:
            return breaker.is_slow(now - attempt.started_at, None)
        token_s = (now - attempt.first_token_at) / (ended.tokens - 1) if ended.tokens > 1 else None
        return breaker.is_slow(attempt.first_token_at - attempt.started_at, token_s)

    def _tell(self, replica: ReplicaState, change: tuple[Transition, str] | None) -> None:
        if change is not None:
            self._changes.append(Change(change[0], replica.name, replica.upstream.pool, change[1]))

    def _set_ejected(self, replica: ReplicaState, ejected: bool, why: str) -> None:
        if replica.ejected != ejected:
            replica.ejected = ejected
            self._tell(replica, (Transition.EJECTED if ejected else Transition.READMITTED, why))
            if ejected and self._affinity is not None:
                self._affinity.forget_replica(replica.name)

    def _readmit(self, replica: ReplicaState, why: str) -> None:
        if replica.readiness is None or replica.readiness.ready:
            self._set_ejected(replica, False, why)

    def _judge_panic(self) -> None:
        shut_out = sum(replica.shut_out for replica in self._all)
        panic = panics(self.policies.panic, shut_out, len(self._all))
        if panic != self.panic:
            self.panic = panic
            transition = Transition.PANIC_ON if panic else Transition.PANIC_OFF
            self._changes.append(Change(transition, "", "", f"{shut_out} of {len(self._all)} replicas are shut out"))
