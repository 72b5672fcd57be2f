"""The router: chooses the replica of each attempt, and applies each result to all policies. Pure: no I/O, no clock.

`choose` returns RoutedAttempt, Reject or Wait. Report the progress of an attempt with `first_token` and `observe`, and
readiness probes with `record_probe`. `take_changes` returns the transitions of the policies since its last call.
`eligibility` decides which replicas may take a call, `selection` which of those gets it.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from reports.shared.attributes import Outcome, Transition
from targets.gateway.config import GatewayConfig, GatewayPolicies
from targets.gateway.policies.attempts.hedging import HedgePolicy
from targets.gateway.policies.attempts.retries import GiveUp, NextAttempt, RetryScope
from targets.gateway.policies.attempts.timeouts import first_token_s, prefill_s
from targets.gateway.policies.balancing.forecast import CallSize, OutputForecast, step_share_s, work_s
from targets.gateway.policies.health.breaker import BreakerState
from targets.gateway.policies.health.ejection import OutlierEjection
from targets.gateway.policies.health.panic import is_panic
from targets.gateway.policies.health.probes import ProbeResult
from targets.gateway.routing.decisions import AttemptResult, Change, Decision, Reject, RoutedAttempt, RoutedCall, Wait
from targets.gateway.routing.eligibility import Eligibility, out_of_service
from targets.gateway.routing.limits import ConcurrencyLimits
from targets.gateway.routing.replica_state import ReplicaState
from targets.gateway.routing.selection import ReplicaSelection

__all__ = ["Router"]

_NEUTRAL = frozenset({Outcome.ABANDONED, Outcome.RATE_LIMITED, Outcome.HTTP_4XX})  # not the replica's failure
_DRIFT_S = 1e-6  # rounding error of sums of seconds
_THROTTLED_S = 1.0  # Retry-After of a throttled call
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
        self._selection = ReplicaSelection(policies, self.replicas, rng)
        self._affinity = self._selection.affinity
        self.out_of_service = ""
        """Why no replica takes part, by the operator's settings; "" while one does."""
        self._upstreams = config.upstreams
        self._ejection: OutlierEjection | None = None
        if policies.ejection is not None:
            self._ejection = OutlierEjection(policies.ejection, config.upstreams, now)
        self._outputs = OutputForecast()
        self._limits = ConcurrencyLimits(policies, self._all, rng)
        self._scope = RetryScope(policies.retries, policies.migration, rng)
        self._us_per_token = sum(upstream.prefill_us_per_token for upstream in config.upstreams) / len(self._all)
        self._hedge_policy = HedgePolicy(policies.hedging) if policies.hedging is not None else None
        self._changes: list[Change] = []

    # -- one call ----------------------------------------------------------------------------------------------------

    def begin(self, now: float) -> None:
        """A request arrived: it deposits into the budgets for retries and hedges."""
        if self._scope.budget is not None:
            self._scope.budget.deposit(now)
        if self._hedge_policy is not None:
            self._hedge_policy.deposit()

    def end(self, call: RoutedCall) -> None:
        """The request ended, with any outcome."""
        self._scope.close(call.usage)

    def choose(self, now: float, call: RoutedCall) -> RoutedAttempt | Reject | Wait:
        """Chooses the replica of the call's next attempt, which counts as in flight until `observe`."""
        self.advance(now)
        allowed, excluded, fallback = self._eligibility.split(now, call, self.panic)
        if not allowed:
            return self._eligibility.wait_or_reject(now, call, excluded, self._ejection)
        size = self._call_size(call)
        allowed = self._selection.with_home(now, call, self._limits.below_limit(allowed), allowed)
        chosen, why = self._selection.pick(now, call, size, allowed, self.in_flight)
        while self._limits.throttles_request(now, chosen):
            excluded += ((chosen.name, "throttled (it rejects too many requests)"),)
            allowed = [replica for replica in allowed if replica is not chosen]
            if not allowed:
                return Reject(Decision((), excluded, "all eligible replicas are throttled"), 503, _THROTTLED_S)
            chosen, why = self._selection.pick(now, call, size, allowed, self.in_flight)
        decision = self._decision(now, allowed, excluded, f"{fallback}: {why}" if fallback else why)
        return self._start(now, call, size, chosen, decision, call.reason)

    def hedge_after_s(self) -> float | None:
        """Seconds to wait for the first token of an attempt before `hedge`; None = no hedge."""
        return self._hedge_policy.after_s() if self._hedge_policy is not None else None

    def hedge(self, now: float, call: RoutedCall, first: RoutedAttempt) -> RoutedAttempt | None:
        """Returns a second attempt at another replica than `first`'s; None: no budget, or no eligible replica."""
        if self._hedge_policy is None or self.panic:
            return None
        others, excluded, fallback = self._eligibility.split(now, call, self.panic)
        others = self._limits.below_limit([replica for replica in others if replica is not first.replica])
        if not others or fallback or not self._hedge_policy.withdraw():
            return None
        size = self._call_size(call)
        chosen = self._selection.pick_hedge(now, size, others)
        why = f"hedge: no token from {first.replica.name} for {now - first.started_at:.2f} s"
        decision = self._decision(now, others, (*excluded, (first.replica.name, "has the first attempt")), why)
        return self._start(now, call, size, chosen, decision, "hedge")

    def first_token(self, now: float, attempt: RoutedAttempt, *, streamed: bool = True) -> None:
        """The attempt's first token arrived. Not `streamed`: the whole response arrived at once."""
        if attempt.first_token_at is not None:
            return
        self._limits.first_token(now, attempt, streamed)
        attempt.first_token_at = now
        attempt.replica.waiting -= 1
        attempt.replica.waiting_prefill_s -= attempt.prefill_s
        if streamed:
            attempt.replica.latency.observe(now, now - attempt.started_at)
            if self._hedge_policy is not None:
                self._hedge_policy.record(now - attempt.started_at)
        if self._affinity is not None and attempt.key:
            self._affinity.served(now, attempt.key, attempt.replica.name, attempt.prompt_tokens)

    def record_gap(self, replica: str, gap_s: float) -> None:
        """The shortest gap between tokens of a stream at `replica` in the latest half second: a sample for slowness.

        Ignored while the replica prefills long prompts: these stretch every gap, also on a healthy replica.
        """
        state = self.replicas[replica]
        if self._ejection is not None and state.waiting_prefill_s < _LONG_PREFILL_S:
            waiting = state.waiting_prefill_s > _DRIFT_S
            self._ejection.slow.record(replica, gap_s, waiting, state.step_load_s)

    def observe(self, now: float, attempt: RoutedAttempt, ended: AttemptResult) -> None:
        """The attempt ended."""
        replica, outcome = attempt.replica, ended.outcome
        self._limits.ended(now, attempt, outcome)
        replica.in_flight -= 1
        self.in_flight -= 1
        replica.outstanding_work_s -= attempt.work_s
        replica.step_load_s -= attempt.step_share_s
        if attempt.first_token_at is None:
            replica.waiting -= 1
            replica.waiting_prefill_s = max(0.0, replica.waiting_prefill_s - attempt.prefill_s)
        if outcome is Outcome.RATE_LIMITED and ended.retry_after_s is not None:
            replica.paused_until = max(replica.paused_until, now + ended.retry_after_s)
        elif outcome is Outcome.OK and self._affinity is not None and attempt.key:
            self._affinity.served(now, attempt.key, replica.name, attempt.prompt_tokens + ended.tokens)
        if replica.in_flight == 0:
            replica.reset_sums()
        if outcome is Outcome.OK:
            self._outputs.learn(attempt.limit, ended.tokens)
        failed = None if outcome in _NEUTRAL else outcome is not Outcome.OK
        if (failed or ended.lost_race) and attempt.first_token_at is None and now > attempt.started_at:
            # Lost time counts as latency. Otherwise a replica that fails fast would look like a fast replica.
            replica.latency.observe(now, max(now - attempt.started_at, replica.latency.cost(now)))
        if replica.breaker is not None:
            self._record_change(
                replica, replica.breaker.leave(now, attempt.probe, failed, self._slow(now, attempt, ended))
            )
        if self._ejection is not None and (failed is not None or outcome is Outcome.HTTP_4XX):
            why = self._ejection.record(now, replica.name, bool(failed))
            if why is not None:
                self._set_ejected(now, replica, True, why)
        self._update_panic()

    def after_failure(
        self, now: float, call: RoutedCall, attempt: RoutedAttempt, ended: AttemptResult, passed_on: bool
    ) -> NextAttempt | GiveUp:
        """Returns what follows a failed attempt of `call`. `passed_on`: the client already has tokens."""
        if ended.outcome is Outcome.RATE_LIMITED and self._eligibility.avoids_failed:
            call.refused_on[attempt.replica.name] = now + (ended.retry_after_s or 0.0)
        else:
            call.failed_on.append(attempt.replica.name)
        next_step = self._scope.next(
            now,
            call.usage,
            ended.outcome,
            passed_on=passed_on,
            connection_lost=ended.connection_lost,
            in_flight=self.in_flight + 1,
        )
        if isinstance(next_step, NextAttempt):
            call.reason = next_step.reason
            call.why = f"{attempt.replica.name}: {next_step.why}"
        return next_step

    def prefill_s(self, now: float, call: RoutedCall) -> float:
        """Predicted prefill (seconds) of a call before routing: at its session's home, else at an average replica."""
        home = self._affinity.home(now, call.key) if self._affinity is not None and call.key else None
        if home is None:
            return prefill_s(call.prompt_tokens, 0, self._us_per_token)
        us_per_token = self.replicas[home.replica].upstream.prefill_us_per_token
        return prefill_s(call.prompt_tokens, home.cached_tokens, us_per_token)

    def capacity(self) -> tuple[float, int, float]:
        """Returns (places, taken, free) of the replicas that receive requests. Infinite: no limit."""
        return self._limits.capacity(self.panic)

    # -- time and health ---------------------------------------------------------------------------------------------

    def advance(self, now: float) -> None:
        """Time passed: open breakers turn half open, ejected replicas are readmitted."""
        for replica in self._all:
            breaker = replica.breaker
            if breaker is not None and breaker.state is BreakerState.OPEN:
                self._record_change(replica, breaker.advance(now))
        if self._ejection is not None:
            back, out = self._ejection.advance(now)
            for name in back:
                self._readmit(now, self.replicas[name], "its ejection time is over")
            for name, why in out:
                self._set_ejected(now, self.replicas[name], True, why)
        if self._changes:
            self._update_panic()

    def record_probe(self, now: float, name: str, probed: ProbeResult) -> float:
        """A readiness probe ended. Returns the seconds until the next one."""
        replica = self.replicas[name]
        if replica.readiness is None:
            raise ValueError("probes are switched off: the configuration has `probes: null`")
        turned = replica.readiness.record(probed)
        if turned is False:
            self._set_ejected(
                now, replica, True, f"{'draining' if probed.says_not_ready else 'not ready'}: {probed.what}"
            )
        elif turned is True:
            if self._ejection is not None:
                self._ejection.readmit(name)
            if replica.breaker is not None:
                self._record_change(replica, replica.breaker.half_open("its readiness probe succeeded"))
            self._readmit(now, replica, "its readiness probe succeeded")
        self._update_panic()
        return replica.readiness.pause_s(probed.ok)

    def ignore_health(self, name: str, ignored: bool) -> None:
        """Switches the fault `stuck_config` for one replica: it gets requests whatever its health."""
        self.replicas[name].health_ignored = ignored
        self._update_panic()

    def take_out(self, now: float, because: Mapping[str, str]) -> None:
        """The operator's settings: these replicas get no new attempt, each for its reason. All others take part."""
        for replica in self._all:
            was, replica.out_because = replica.drained, because.get(replica.name, "")
            if was and not replica.drained and self.policies.slow_start is not None:
                replica.readmitted_at = now
        self.out_of_service = out_of_service(self._all)
        self._update_panic()

    def use(self, now: float, policies: GatewayPolicies) -> None:
        """Follow these policies from now on; calls under way go on. What a policy has learned stays if it is unchanged.

        Only balancing, ejection, retries, timeouts, migration and throttling may differ from those before.
        """
        before, self.policies = self.policies, policies
        self._eligibility = Eligibility(policies, self._all)
        self._scope.use(policies.retries, policies.migration)
        if policies.balancing != before.balancing:
            self._selection.use_balancing(policies)
        if policies.throttling != before.throttling:
            self._limits.use_throttling(policies.throttling)
        if policies.ejection != before.ejection:
            ended, self._ejection = self._ejection, None
            for replica in self._all:
                if ended is not None and ended.readmit(replica.name):
                    self._readmit(now, replica, "outlier ejection was switched")
            if policies.ejection is not None:
                self._ejection = OutlierEjection(policies.ejection, self._upstreams, now)
            self._update_panic()

    def record_reported_load(self, name: str, load: float) -> None:
        """A replica reports so many requests running and waiting."""
        self.replicas[name].reported_load = load

    def take_changes(self) -> list[Change]:
        """Returns the transitions since the last call."""
        taken, self._changes = self._changes, []
        return taken

    def load_ms(self, now: float, replica: ReplicaState) -> float:
        """The load that the balancing policy compares, in milliseconds (for counts: requests x 1000)."""
        return self._selection.balancer.load(now, replica) * 1000.0

    # -- internal ------------------------------------------------------------------------------------------------------

    def _call_size(self, call: RoutedCall) -> CallSize:
        return CallSize(call.prompt_tokens + call.offset, max(1.0, self._outputs.expect(call.limit) - call.offset))

    def _decision(
        self, now: float, considered: list[ReplicaState], excluded: tuple[tuple[str, str], ...], why: str
    ) -> Decision:
        load = self._selection.balancer.load
        return Decision(tuple((replica.name, load(now, replica) * 1000.0) for replica in considered), excluded, why)

    def _start(
        self, now: float, call: RoutedCall, size: CallSize, replica: ReplicaState, decision: Decision, reason: str
    ) -> RoutedAttempt:
        call.attempts += 1
        cached = self._selection.cached_tokens(now, call, replica)
        own_s = prefill_s(size.prompt, cached, replica.upstream.prefill_us_per_token)
        timeout_s = first_token_s(self.policies.timeouts, own_s + replica.waiting_prefill_s)
        attempt = RoutedAttempt(decision, replica, call.attempts, reason, timeout_s, now, own_s, size.prompt, call.key)
        if replica.breaker is not None:
            attempt.probe = replica.breaker.enter()
        attempt.limit = call.limit
        attempt.work_s = work_s(replica.upstream, size, cached)
        attempt.step_share_s = step_share_s(replica.upstream, size)
        replica.waiting_prefill_s += own_s
        replica.outstanding_work_s += attempt.work_s
        replica.step_load_s += attempt.step_share_s
        replica.waiting += 1
        replica.in_flight += 1
        replica.attempts += 1
        self.in_flight += 1
        return attempt

    def _slow(self, now: float, attempt: RoutedAttempt, ended: AttemptResult) -> bool:
        breaker = attempt.replica.breaker
        if breaker is None:
            return False
        if attempt.first_token_at is None:
            return breaker.is_slow(now - attempt.started_at, None)
        token_s = (now - attempt.first_token_at) / (ended.tokens - 1) if ended.tokens > 1 else None
        return breaker.is_slow(attempt.first_token_at - attempt.started_at, token_s)

    def _record_change(self, replica: ReplicaState, change: tuple[Transition, str] | None) -> None:
        if change is not None:
            self._changes.append(Change(change[0], replica.name, replica.upstream.pool, change[1]))

    def _set_ejected(self, now: float, replica: ReplicaState, ejected: bool, why: str) -> None:
        if replica.ejected != ejected:
            replica.ejected = ejected
            self._record_change(replica, (Transition.EJECTED if ejected else Transition.READMITTED, why))
            if not ejected and self.policies.slow_start is not None:
                replica.readmitted_at = now
            if ejected and self._affinity is not None:
                self._affinity.forget_replica(replica.name)

    def _readmit(self, now: float, replica: ReplicaState, why: str) -> None:
        if replica.readiness is None or replica.readiness.ready:
            self._set_ejected(now, replica, False, why)

    def _update_panic(self) -> None:
        in_service = [replica for replica in self._all if not replica.drained]
        shut_out = sum(replica.shut_out for replica in in_service)
        panic = is_panic(self.policies.panic, shut_out, len(in_service))
        if panic != self.panic:
            self.panic = panic
            transition = Transition.PANIC_ON if panic else Transition.PANIC_OFF
            self._changes.append(Change(transition, "", "", f"{shut_out} of {len(in_service)} replicas are shut out"))
