"""Plays planned sessions in greenlets. Arrivals are open-loop; the calls inside a session are sequential.

start     a scheduler greenlet starts each session at its time, and records how late it started
order     adds sessions to the plan's while the runner orders them (`loadprofiles.demand`)
level     plays more or fewer sessions than the plan's, as a person sets it
drain     starts no more sessions; running ones continue to their end
stop      ends running sessions and counts them as unfinished
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence

import gevent
from gevent.event import Event

from loadprofiles.client.client import Client
from loadprofiles.client.clock import now_s, unix_ns
from loadprofiles.client.records import CallRecord
from loadprofiles.demand import Demand, Level, Thinning
from loadprofiles.player.counters import Counters
from loadprofiles.player.load import Load
from loadprofiles.player.played_session import PlayedSession
from loadprofiles.player.session_queue import SessionQueue
from loadprofiles.sessions.session import SessionPlan
from reports.shared.attributes import SessionOutcome

__all__ = ["Player"]

_log = logging.getLogger(__name__)
_LONGEST_SLEEP_S = 3600.0


class Player:
    """One load, played once: `start`, then `drain`, then `stop`. All greenlets run in one thread.

    `plans`: sessions in the order of their start. `profile` and `agent_name` go on spans. `horizon_s`: no session
    starts later. `on_call` gets the record of every logical call that ended; its exceptions are logged. `extra`
    returns the sessions that a demand fault adds, from a time in seconds since the load's start.
    """

    def __init__(
        self,
        plans: Iterator[SessionPlan],
        client: Client,
        counters: Counters,
        *,
        profile: str,
        agent_name: str,
        seed: int,
        horizon_s: float,
        on_call: Callable[[CallRecord], None] | None = None,
        extra: Callable[[Demand, float], Iterator[SessionPlan]] = lambda demand, from_s: iter(()),
    ) -> None:
        self.client = client
        self.counters = counters
        self.profile = profile
        self.agent_name = agent_name
        self.seed = seed
        self._base = SessionQueue(plans, horizon_s)
        self._extra: dict[str, SessionQueue] = {}
        """The extra sessions of each active demand fault, by fault id."""
        self._extra_before = 0
        """Number of sessions that came due in demand faults and levels that have ended."""
        self._thinning = Thinning()
        self._level = (1.0, 0)
        """The level, and the number of its change."""
        self._of_level: SessionQueue | None = None
        """The sessions that a level above 1 adds."""
        self._make_extra = extra
        self._horizon_s = horizon_s
        self._on_call = on_call
        self._woken = Event()
        self._started_s: float | None = None
        self._scheduler: gevent.Greenlet | None = None
        self._running: dict[gevent.Greenlet, PlayedSession] = {}
        self._arriving = True
        self._holding = False
        self._finished = Event()

    # -- for the caller -------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Starts the load; its time zero is now. Raises RuntimeError on a second call."""
        if self._started_s is not None:
            raise RuntimeError("this player has already been started")
        self._started_s = now_s()
        self.counters.load_started_ns = unix_ns(self._started_s)
        self._scheduler = gevent.spawn(self._schedule)

    def drain(self) -> None:
        """Starts no more sessions. Returns immediately; `wait` blocks until the running ones have ended."""
        if not self._arriving:
            return
        self.arrivals_due()
        self._arriving = False
        self.order(())
        if self._scheduler is not None:
            self._scheduler.kill(block=False)
        self._finish_if_done()

    def hold(self, holding: bool) -> None:
        """While `holding`, sessions that come due are skipped (counted as `held`), and no call is retried."""
        self._holding = self.client.holding = holding

    def stop(self) -> None:
        """Ends all sessions and returns when they have ended. The ones still running become `unfinished`."""
        self.drain()
        self.order(())  # `drain` does nothing if the plan was already exhausted
        for session in self._running.values():
            session.record_silence()
        gevent.killall(list(self._running), block=True)
        self.client.close()
        self._finished.set()

    def wait(self, limit_s: float | None = None) -> bool:
        """Waits until no session runs and none will start. Returns False after `limit_s` seconds."""
        return bool(self._finished.wait(limit_s))

    @property
    def done(self) -> bool:
        """No session runs, and none will start."""
        return bool(self._finished.is_set())

    def arrivals_due(self) -> int:
        """Number of sessions that should have started by now, including those of demand faults, without held ones."""
        if self._started_s is not None and self._arriving:
            self._pull()
        due = self._extra_before + sum(queue.pulled for queue in self._queues())
        return due - self.counters.held

    def order(self, demands: Sequence[Demand]) -> None:
        """Makes exactly these demands active. They expire unless this is repeated within the lease."""
        if not self._arriving or self._started_s is None:
            demands = ()
        at_s = now_s()
        for demand in self.client.demand.apply(demands, at_s):
            try:
                plans = self._make_extra(demand, self.load_time_s(at_s))
            except Exception:
                _log.exception("fault %s: its extra sessions could not be planned", demand.order.id)
                continue
            self._extra[demand.order.id] = SessionQueue(plans, self._horizon_s)
        self._woken.set()

    def level(self, factor: float, number: int) -> None:
        """Plays `factor` times the plan's sessions from now on. A change whose `number` is known is ignored."""
        if number == self._level[1] or self._started_s is None or not self._arriving:
            return
        self._level = (factor, number)
        self._thinning.factor = factor
        if self._of_level is not None:
            self._extra_before += self._of_level.pulled - len(self._of_level.due)
            self._of_level = None
        if factor > 1:
            plans = self._make_extra(Level(factor, number, self.seed), self.load_time_s(now_s()))
            self._of_level = SessionQueue(plans, self._horizon_s)
        self._woken.set()

    def demand(self) -> dict[str, dict[str, int]]:
        """Hits of demand faults, as posted to the collector (`docs/wire.md`)."""
        return self.client.demand.snapshot(now_s())

    # -- for the sessions -----------------------------------------------------------------------------------------

    def load_time_s(self, at_s: float) -> float:
        """Seconds from the load's start to `at_s` on `clock.now_s`."""
        return at_s - (self._started_s or 0.0)

    def session_started(self, plan: SessionPlan, lateness_s: float) -> None:
        """Counts a session that started `lateness_s` after its planned time."""
        self.counters.session_started(lateness_s)
        if plan.fault:
            self.client.demand.session_added(plan.fault)

    def session_ended(self, outcome: SessionOutcome) -> None:
        """Counts a session that has ended."""
        self.counters.session_ended(outcome)

    def call_sent(self) -> None:
        """Counts a logical call that is about to be sent."""
        self.counters.calls_sent += 1

    def call_ended(self, record: CallRecord) -> None:
        """Counts a logical call that has ended, and reports it to `on_call`."""
        self.counters.call_ended(record)
        if self._on_call is not None:
            try:
                self._on_call(record)
            except Exception:
                _log.exception("the listener for ended calls failed")

    # -- the scheduler --------------------------------------------------------------------------------------------

    def _pull(self) -> None:
        """Moves sessions that are due into the queues. Never yields to another greenlet: the plans are generators."""
        at_s = now_s()
        for fault in [fault for fault in self._extra if not self.client.demand.is_on(fault, at_s)]:
            ended = self._extra.pop(fault)
            self._extra_before += ended.pulled - len(ended.due)
        for queue in self._queues():
            queue.pull(self.load_time_s(at_s))

    def _queues(self) -> list[SessionQueue]:
        return [self._base, *self._extra.values(), *([self._of_level] if self._of_level is not None else [])]

    def _schedule(self) -> None:
        try:
            while True:
                self._woken.clear()
                self._pull()
                for queue in self._queues():
                    while queue.due:
                        plan = queue.due.popleft()
                        if self._holding or (queue is self._base and not self._thinning.keeps()):
                            self.counters.held += 1
                        else:
                            self._start_session(plan)
                next_starts = [queue.next_at_s for queue in self._queues()]
                soonest_s = min((at for at in next_starts if at is not None), default=None)
                if soonest_s is None:
                    break
                self._woken.wait(min(max(soonest_s - self.load_time_s(now_s()), 0.0), _LONGEST_SLEEP_S))
        except Exception:
            _log.exception("the session plan failed: no more sessions will start")
        self._arriving = False
        self._finish_if_done()

    def _start_session(self, plan: SessionPlan) -> None:
        session = PlayedSession(self, plan)
        greenlet = gevent.Greenlet(session.play)
        self._running[greenlet] = session
        greenlet.link(self._on_session_end)
        greenlet.start()

    def _on_session_end(self, greenlet: gevent.Greenlet) -> None:
        self._running.pop(greenlet, None)
        self._finish_if_done()

    def _finish_if_done(self) -> None:
        if not self._arriving and not self._running:
            self._finished.set()


_conforms: type[Load] = Player
