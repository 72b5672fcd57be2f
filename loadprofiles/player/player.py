"""Plays planned sessions in greenlets: arrivals are open, the calls inside a session follow one another.

start     a scheduler greenlet starts session greenlets at their times, and notes how late each one was
order     sessions beside the plan's, as long as the runner orders them (`loadprofiles.demand`)
drain     no session starts any more, those under way go on to their end
stop      what still runs is ended and counted as unfinished
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence

import gevent
from gevent.event import Event

from loadprofiles.client.client import CallRecord, Client
from loadprofiles.client.clock import now_s, unix_ns
from loadprofiles.demand import Demand
from loadprofiles.player.arriving import Arriving
from loadprofiles.player.counters import Counters
from loadprofiles.player.played_session import PlayedSession
from loadprofiles.sessions.session import SessionPlan

__all__ = ["Player"]

_log = logging.getLogger(__name__)
_LONGEST_SLEEP_S = 3600.0


class Player:
    """One load, played once: `start`, then `drain`, then `stop`. All of it in greenlets of one thread.

    `plans`: sessions in the order of their start. `profile` and `agent_name` go on spans. `horizon_s`: no session
    starts later. `on_call` is told of every logical call that ended; an exception of its own is logged, no more.
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
        self._base = Arriving(plans, horizon_s)
        self._extra: dict[str, Arriving] = {}
        """By fault id, while it is ordered."""
        self._extra_before = 0
        """Sessions due of orders that are over."""
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
        """Begins. The load's time zero is now. Raises RuntimeError the second time."""
        if self._started_s is not None:
            raise RuntimeError("a player plays once")
        self._started_s = now_s()
        self.counters.load_started_ns = unix_ns(self._started_s)
        self._scheduler = gevent.spawn(self._schedule)

    def drain(self) -> None:
        """No session starts any more. Returns at once; `wait` for the end."""
        if not self._arriving:
            return
        self.arrivals_due()
        self._arriving = False
        self.order(())
        if self._scheduler is not None:
            self._scheduler.kill(block=False)
        self._finish_if_done()

    def hold(self, holding: bool) -> None:
        """While it holds, sessions that come due are passed over (counted as `held`), and no call is tried again."""
        self._holding = self.client.holding = holding

    def stop(self) -> None:
        """Ends everything, and returns when it has ended. Sessions that were still going are `unfinished`."""
        self.drain()
        self.order(())  # also where the plan was through before
        for session in self._running.values():
            session.note_silence()
        gevent.killall(list(self._running), block=True)
        self.client.close()
        self._finished.set()

    def wait(self, limit_s: float | None = None) -> bool:
        """Waits until no session runs and none will start. False if that took longer than `limit_s`."""
        return bool(self._finished.wait(limit_s))

    @property
    def done(self) -> bool:
        """No session runs, and none will start."""
        return bool(self._finished.is_set())

    def arrivals_due(self) -> int:
        """Sessions that should have started until now, those of demand faults included, those held left out."""
        if self._started_s is not None and self._arriving:
            self._pull()
        due = self._base.pulled + self._extra_before + sum(stream.pulled for stream in self._extra.values())
        return due - self.counters.held

    def order(self, demands: Sequence[Demand]) -> None:
        """Exactly these demands are on from now; to be said again and again, since they are on a lease."""
        if not self._arriving or self._started_s is None:
            demands = ()
        at_s = now_s()
        for demand in self.client.demand.hear(demands, at_s):
            try:
                plans = self._make_extra(demand, self.load_time_s(at_s))
            except Exception:
                _log.exception("the sessions of %s could not be planned", demand.order.id)
                continue
            self._extra[demand.order.id] = Arriving(plans, self._horizon_s)
        self._woken.set()

    def demand(self) -> dict[str, dict[str, int]]:
        """What demand faults have done, as it is posted (`docs/wire.md`)."""
        return self.client.demand.snapshot(now_s())

    # -- for the sessions -----------------------------------------------------------------------------------------

    def load_time_s(self, at_s: float) -> float:
        """A moment on `clock.now_s`, in seconds since the load's start."""
        return at_s - (self._started_s or 0.0)

    def session_started(self, plan: SessionPlan, lateness_s: float) -> None:
        """A session has begun, so much after its time."""
        self.counters.session_started(lateness_s)
        if plan.fault:
            self.client.demand.session_added(plan.fault)

    def call_sent(self) -> None:
        """A logical call is about to be sent."""
        self.counters.calls_sent += 1

    def call_ended(self, record: CallRecord) -> None:
        """A logical call has ended."""
        self.counters.call_ended(record)
        if self._on_call is not None:
            try:
                self._on_call(record)
            except Exception:
                _log.exception("a listener for ended calls failed")

    # -- the scheduler --------------------------------------------------------------------------------------------

    def _pull(self) -> None:
        """Takes what is due from the plans. Runs without a switch, so that nobody else is in their iterators."""
        at_s = now_s()
        for fault in [fault for fault in self._extra if not self.client.demand.is_on(fault, at_s)]:
            gone = self._extra.pop(fault)
            self._extra_before += gone.pulled - len(gone.due)
        for stream in self._streams():
            stream.pull(self.load_time_s(at_s))

    def _streams(self) -> list[Arriving]:
        return [self._base, *self._extra.values()]

    def _schedule(self) -> None:
        try:
            while True:
                self._woken.clear()
                self._pull()
                for stream in self._streams():
                    while stream.due:
                        plan = stream.due.popleft()
                        if self._holding:
                            self.counters.held += 1
                        else:
                            self._start_session(plan)
                nexts = [stream.next_at_s for stream in self._streams()]
                soonest_s = min((at for at in nexts if at is not None), default=None)
                if soonest_s is None:
                    break
                self._woken.wait(min(max(soonest_s - self.load_time_s(now_s()), 0.0), _LONGEST_SLEEP_S))
        except Exception:
            _log.exception("no session starts any more: the plan failed")
        self._arriving = False
        self._finish_if_done()

    def _start_session(self, plan: SessionPlan) -> None:
        session = PlayedSession(self, plan)
        greenlet = gevent.Greenlet(session.play)
        self._running[greenlet] = session
        greenlet.link(self._ended)
        greenlet.start()

    def _ended(self, greenlet: gevent.Greenlet) -> None:
        self._running.pop(greenlet, None)
        self._finish_if_done()

    def _finish_if_done(self) -> None:
        if not self._arriving and not self._running:
            self._finished.set()
