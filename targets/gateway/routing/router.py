"""The router: who gets the next attempt, and what each outcome means for everybody. Pure: no I/O, no clock.

`choose` answers Attempt, Reject or Wait. `first_token` and `observe` tell it how an attempt goes; `probed` what a
readiness probe found. What policies change their mind about is kept until `changes` takes it. Who may take a call says
`eligibility`, which of those gets it `placement`.
"""

from __future__ import annotations

from random import Random

from reports.shared.attributes import Outcome, Transition
from targets.gateway.config import GatewayConfig
from targets.gateway.policies.attempts.hedging import Hedges
from targets.gateway.policies.attempts.retries import Again, GiveUp, RetryScope
from targets.gateway.policies.attempts.timeouts import first_token_s, prefill_s
from targets.gateway.policies.balancing.forecast import Ask, OutputForecast, step_share_s, work_s
from targets.gateway.policies.health.breaker import BreakerState
from targets.gateway.policies.health.ejection import OutlierEjection
from targets.gateway.policies.health.panic import panics
from targets.gateway.policies.health.probes import Probed
from targets.gateway.routing.decisions import Attempt, Call, Change, Decision, Ended, Reject, Wait
from targets.gateway.routing.eligibility import Eligibility
from targets.gateway.routing.limits import Restraint
from targets.gateway.routing.replica_state import ReplicaState
from targets.gateway.routing.selection import Placement

__all__ = ["Router"]

_NEUTRAL = frozenset({Outcome.ABANDONED, Outcome.RATE_LIMITED, Outcome.HTTP_4XX})  # nothing against the replica
_DRIFT_S = 1e-6
_THROTTLED_S = 1.0  # before the lots are drawn again

_LONG_PREFILL_S = 0.25


class Router:
    """All replicas of one gateway under its policies. Times in seconds on the caller's clock."""

    def __init__(self, config: GatewayConfig, rng: Random, now: float = 0.0) -> None:
        policies = config.policies
        self.policies = policies
        self.replicas = {upstream.name: ReplicaState(upstream, policies) for upstream in config.upstreams}
        self.panic = False
        self.in_flight = 0
        self._all = tuple(self.replicas.values())
        self._eligibility = Eligibility(policies, self._all)
        self._placement = Placement(policies, self.replicas, rng)
        self._affinity = self._placement.affinity
        self._ejection: OutlierEjection | None = None
        if policies.ejection is not None:
            self._ejection = OutlierEjection(policies.ejection, config.upstreams, now)
        self._outputs = OutputForecast()
        self._restraint = Restraint(policies, self._all, rng)
        self._scope = RetryScope(policies.retries, policies.migration, rng)
        self._us_per_token = sum(upstream.prefill_us_per_token for upstream in config.upstreams) / len(self._all)
        self._hedges = Hedges(policies.hedging) if policies.hedging is not None else None
        self._changes: list[Change] = []

    # -- one call ----------------------------------------------------------------------------------------------------

    def begin(self, now: float) -> None:
        """A request came: it pays into the retry budget."""
        if self._scope.budget is not None:
            self._scope.budget.deposit(now)
        if self._hedges is not None:
            self._hedges.deposit()

    def end(self, call: Call) -> None:
        """The request is over, however."""
        self._scope.close(call.spent)

    def choose(self, now: float, call: Call) -> Attempt | Reject | Wait:
        """Who gets the call's next attempt. An Attempt counts as in flight until `observe`."""
        self.advance(now)
        allowed, excluded, fallback = self._eligibility.split(now, call, self.panic)
        if not allowed:
            return self._eligibility.nobody(now, call, excluded, self._ejection)
        ask = self._ask(call)
        allowed = self._placement.with_home(now, call, self._restraint.with_place(allowed), allowed)
        chosen, why = self._placement.pick(now, call, ask, allowed, self.in_flight)
        while self._restraint.withholds(now, chosen):
            excluded += ((chosen.name, "refuses too much (throttled)"),)
            allowed = [replica for replica in allowed if replica is not chosen]
            if not allowed:
                return Reject(Decision((), excluded, "all who may refuse too much"), 503, _THROTTLED_S)
            chosen, why = self._placement.pick(now, call, ask, allowed, self.in_flight)
        decision = self._decision(now, allowed, excluded, f"{fallback}: {why}" if fallback else why)
        return self._start(now, call, ask, chosen, decision, call.reason)

    def hedge_after_s(self) -> float | None:
        """Seconds to wait for the first token of an attempt before `hedge`; None = for ever."""
        return self._hedges.after_s() if self._hedges is not None else None

    def hedge(self, now: float, call: Call, first: Attempt) -> Attempt | None:
        """A second attempt beside `first`, at another replica; None: there is no budget, or nobody may have it."""
        if self._hedges is None or self.panic:
            return None
        others, excluded, fallback = self._eligibility.split(now, call, self.panic)
        others = self._restraint.with_place([replica for replica in others if replica is not first.replica])
        if not others or fallback or not self._hedges.withdraw():
            return None
        ask = self._ask(call)
        chosen = self._placement.elsewhere(now, ask, others)
        why = f"hedge: no token from {first.replica.name} for {now - first.started_at:.2f} s"
        decision = self._decision(now, others, (*excluded, (first.replica.name, "has the first attempt")), why)
        return self._start(now, call, ask, chosen, decision, "hedge")

    def first_token(self, now: float, attempt: Attempt, *, streamed: bool = True) -> None:
        """The attempt's first token came; not `streamed`: with all the others, so its time says little."""
        if attempt.first_token_at is not None:
            return
        self._restraint.first_token(now, attempt, streamed)
        attempt.first_token_at = now
        attempt.replica.waiting -= 1
        attempt.replica.waiting_prefill_s -= attempt.prefill_s
        if streamed:
            attempt.replica.latency.observe(now, now - attempt.started_at)
            if self._hedges is not None:
                self._hedges.record(now - attempt.started_at)
        if self._affinity is not None and attempt.key:
            self._affinity.served(now, attempt.key, attempt.replica.name, attempt.prompt_tokens)

    def paced(self, replica: str, gap_s: float) -> None:
        """The least gap between tokens of a stream there lately: what slowness is judged by, while streams go on.

        Not while it prefills long prompts: their pieces stretch every gap, however well it is.
        """
        state = self.replicas[replica]
        if self._ejection is not None and state.waiting_prefill_s < _LONG_PREFILL_S:
            waiting = state.waiting_prefill_s > _DRIFT_S
            self._ejection.slow.record(replica, gap_s, waiting, state.step_load_s)

    def observe(self, now: float, attempt: Attempt, ended: Ended) -> None:
        """The attempt ended."""
        replica, outcome = attempt.replica, ended.outcome
        self._restraint.ended(now, attempt, outcome)
        replica.in_flight -= 1
        self.in_flight -= 1
        replica.owed_s -= attempt.work_s
        replica.step_load_s -= attempt.step_share_s
        if attempt.first_token_at is None:
            replica.waiting -= 1
            replica.waiting_prefill_s = max(0.0, replica.waiting_prefill_s - attempt.prefill_s)
        if outcome is Outcome.RATE_LIMITED and ended.retry_after_s is not None:
            replica.rest_until = max(replica.rest_until, now + ended.retry_after_s)
        elif outcome is Outcome.OK and self._affinity is not None and attempt.key:
            self._affinity.served(now, attempt.key, replica.name, attempt.prompt_tokens + ended.tokens)
        if replica.in_flight == 0:
            replica.empty()
        if outcome is Outcome.OK:
            self._outputs.learn(attempt.limit, ended.tokens)
        failed = None if outcome in _NEUTRAL else outcome is not Outcome.OK
        if (failed or ended.outrun) and attempt.first_token_at is None and now > attempt.started_at:
            # Time lost counts as latency, so that the balancer does not take a quick failure for a quick replica.
            replica.latency.observe(now, max(now - attempt.started_at, replica.latency.cost(now)))
        if replica.breaker is not None:
            self._tell(replica, replica.breaker.leave(now, attempt.probe, failed, self._slow(now, attempt, ended)))
        if self._ejection is not None and (failed is not None or outcome is Outcome.HTTP_4XX):
            why = self._ejection.record(now, replica.name, bool(failed))
            if why is not None:
                self._set_ejected(now, replica, True, why)
        self._judge_panic()

    def after(self, now: float, call: Call, attempt: Attempt, ended: Ended, passed_on: bool) -> Again | GiveUp:
        """What follows a failed attempt of `call`; `passed_on`: the client has tokens."""
        if ended.outcome is Outcome.RATE_LIMITED and self._eligibility.avoids_failed:
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

    def prefill_s(self, now: float, call: Call) -> float:
        """Predicted prefill of a call that has not been placed: at its session's home, else at an average replica."""
        home = self._affinity.home(now, call.key) if self._affinity is not None and call.key else None
        if home is None:
            return prefill_s(call.prompt_tokens, 0, self._us_per_token)
        us_per_token = self.replicas[home.replica].upstream.prefill_us_per_token
        return prefill_s(call.prompt_tokens, home.cached_tokens, us_per_token)

    def room(self) -> tuple[float, int, float]:
        """(places, those taken, those free) at the replicas that get requests; infinite without limits."""
        return self._restraint.room(self.panic)

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
                self._readmit(now, self.replicas[name], "its time is up")
            for name, why in out:
                self._set_ejected(now, self.replicas[name], True, why)
        if self._changes:
            self._judge_panic()

    def probed(self, now: float, name: str, probed: Probed) -> float:
        """A readiness probe ended; returns the seconds until the next one."""
        replica = self.replicas[name]
        if replica.readiness is None:
            raise ValueError("probes are off")
        turned = replica.readiness.record(probed)
        if turned is False:
            self._set_ejected(now, replica, True, f"{'draining' if probed.said_so else 'not ready'}: {probed.what}")
        elif turned is True:
            if self._ejection is not None:
                self._ejection.readmit(name)
            if replica.breaker is not None:
                self._tell(replica, replica.breaker.half_open("its readiness probe went well"))
            self._readmit(now, replica, "its readiness probe went well")
        self._judge_panic()
        return replica.readiness.pause_s(probed.ok)

    def stick(self, name: str, stuck: bool) -> None:
        """A replica stays in the list whatever is known of it, or not any more."""
        self.replicas[name].stuck = stuck
        self._judge_panic()

    def reported(self, name: str, load: float) -> None:
        """A replica says that so many requests run and wait there."""
        self.replicas[name].reported = load

    def changes(self) -> list[Change]:
        """What changed since the last call of this."""
        taken, self._changes = self._changes, []
        return taken

    def load_ms(self, now: float, replica: ReplicaState) -> float:
        """The load that the balancing policy compares, in milliseconds (or requests x 1000)."""
        return self._placement.balancer.load(now, replica) * 1000.0

    # -- inside ------------------------------------------------------------------------------------------------------

    def _ask(self, call: Call) -> Ask:
        return Ask(call.prompt_tokens + call.offset, max(1.0, self._outputs.expect(call.limit) - call.offset))

    def _decision(
        self, now: float, considered: list[ReplicaState], excluded: tuple[tuple[str, str], ...], why: str
    ) -> Decision:
        load = self._placement.balancer.load
        return Decision(tuple((replica.name, load(now, replica) * 1000.0) for replica in considered), excluded, why)

    def _start(
        self, now: float, call: Call, ask: Ask, replica: ReplicaState, decision: Decision, reason: str
    ) -> Attempt:
        call.attempts += 1
        cached = self._placement.cached_tokens(now, call, replica)
        own_s = prefill_s(ask.prompt, cached, replica.upstream.prefill_us_per_token)
        limit_s = first_token_s(self.policies.timeouts, own_s + replica.waiting_prefill_s)
        attempt = Attempt(decision, replica, call.attempts, reason, limit_s, now, own_s, ask.prompt, call.key)
        if replica.breaker is not None:
            attempt.probe = replica.breaker.enter()
        attempt.limit = call.limit
        attempt.work_s = work_s(replica.upstream, ask, cached)
        attempt.step_share_s = step_share_s(replica.upstream, ask)
        replica.waiting_prefill_s += own_s
        replica.owed_s += attempt.work_s
        replica.step_load_s += attempt.step_share_s
        replica.waiting += 1
        replica.in_flight += 1
        replica.attempts += 1
        self.in_flight += 1
        return attempt

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

    def _set_ejected(self, now: float, replica: ReplicaState, ejected: bool, why: str) -> None:
        if replica.ejected != ejected:
            replica.ejected = ejected
            self._tell(replica, (Transition.EJECTED if ejected else Transition.READMITTED, why))
            if not ejected and self.policies.slow_start is not None:
                replica.back_at = now
            if ejected and self._affinity is not None:
                self._affinity.forget_replica(replica.name)

    def _readmit(self, now: float, replica: ReplicaState, why: str) -> None:
        if replica.readiness is None or replica.readiness.ready:
            self._set_ejected(now, replica, False, why)

    def _judge_panic(self) -> None:
        shut_out = sum(replica.shut_out for replica in self._all)
        panic = panics(self.policies.panic, shut_out, len(self._all))
        if panic != self.panic:
            self.panic = panic
            transition = Transition.PANIC_ON if panic else Transition.PANIC_OFF
            self._changes.append(Change(transition, "", "", f"{shut_out} of {len(self._all)} replicas are shut out"))
