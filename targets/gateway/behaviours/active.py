"""The gateway's behaviours that are on now: their leases, what they do to a request, how many they have hit.

A lease that is not renewed ends the behaviour here, in the gateway, whatever has become of who put it on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from targets.control import BehaviourError
from targets.gateway.behaviours import BEHAVIOURS, Behaviour
from targets.gateway.routing.replica_state import ReplicaState

__all__ = ["ActiveBehaviours", "Hit"]


class _Put(msgspec.Struct, forbid_unknown_fields=True):
    kind: str
    lease_s: Annotated[float, msgspec.Meta(gt=0, le=3600)]
    params: dict[str, Any] = {}
    share: None = None
    seed: int = 0
    only: Annotated[dict[str, Any], msgspec.Meta(max_length=0)] = {}


@dataclass(frozen=True, slots=True)
class Hit:
    """A behaviour met a request."""

    fault_id: str
    kind: str


@dataclass(slots=True)
class _Entry:
    hit: Hit
    behaviour: Behaviour
    lease_s: float
    expires_at: float
    stalled_until: float
    timer: asyncio.TimerHandle

    @property
    def slow(self) -> bool:
        return self.hit.kind == "slow_scheduler"


class ActiveBehaviours:
    """All behaviours of one gateway. `mark(replica, stuck)` is told whose health is to be ignored from now on."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, replicas: Sequence[str], mark: Callable[[str, bool], None]
    ) -> None:
        self.hits: dict[str, int] = {}
        """By fault id, of those taken off too."""
        self._loop = loop
        self._replicas = frozenset(replicas)
        self._mark = mark
        self._entries: dict[str, _Entry] = {}
        self._free_at = 0.0
        """When the scheduler has made every decision that was asked of it."""
        self._changed = asyncio.Event()

    # -- the control port -------------------------------------------------------------------------------------------
    def put(self, fault_id: str, body: bytes) -> str:
        """See `targets.control.Behaviours.put`."""
        wanted = msgspec.json.decode(body, type=_Put)
        kind = BEHAVIOURS.get(wanted.kind)
        if kind is None:
            raise BehaviourError(f"unknown kind {wanted.kind!r}; there are: {', '.join(BEHAVIOURS)}")
        behaviour = msgspec.convert(wanted.params, kind)
        try:
            behaviour.check(self._replicas)
        except ValueError as error:
            raise BehaviourError(str(error)) from None
        self._drop(fault_id)
        now = self._loop.time()
        timer = self._loop.call_later(wanted.lease_s, self._drop, fault_id)
        hit = Hit(fault_id, wanted.kind)
        self._entries[fault_id] = _Entry(
            hit, behaviour, wanted.lease_s, now + wanted.lease_s, now + behaviour.stall_s, timer
        )
        self.hits.setdefault(fault_id, 0)
        self._settle()
        return wanted.kind

    def renew(self, fault_ids: Sequence[str]) -> list[str]:
        """See `targets.control.Behaviours.renew`."""
        now = self._loop.time()
        known = [fault_id for fault_id in fault_ids if fault_id in self._entries]
        for fault_id in known:
            entry = self._entries[fault_id]
            entry.timer.cancel()
            entry.expires_at = now + entry.lease_s
            entry.timer = self._loop.call_later(entry.lease_s, self._drop, fault_id)
        return known

    def remove(self, fault_id: str) -> int:
        """See `targets.control.Behaviours.remove`."""
        self._drop(fault_id)
        return self.hits.get(fault_id, 0)

    def listing(self) -> dict[str, dict[str, Any]]:
        """See `targets.control.Behaviours.listing`."""
        now = self._loop.time()
        return {
            fault_id: {
                "kind": entry.hit.kind,
                "hits": self.hits[fault_id],
                "expires_in_s": round(entry.expires_at - now, 3),
            }
            for fault_id, entry in self._entries.items()
        }

    def close(self) -> None:
        """Everything is off."""
        for fault_id in list(self._entries):
            self._drop(fault_id)

    # -- a request --------------------------------------------------------------------------------------------------
    @property
    def slow(self) -> bool:
        """Whether a decision has to wait for its turn."""
        return any(entry.slow for entry in self._entries.values())

    async def decide(self) -> list[Hit]:
        """Waits until the scheduler has made the caller's decision, in the order in which they were asked for; answers
        what held it up. One that is cancelled has taken its turn all the same."""
        met: dict[str, Hit] = {}
        while self.slow:
            now = self._loop.time()
            for fault_id, entry in self._entries.items():
                if entry.slow and fault_id not in met:
                    met[fault_id] = entry.hit
                    self.hits[fault_id] += 1
            each_s = sum(entry.behaviour.decision_s for entry in self._entries.values())
            self._free_at = max(self._free_at, now) + each_s
            changed = self._changed
            try:
                await asyncio.wait_for(changed.wait(), self._free_at - now)
            except TimeoutError:
                break
        return list(met.values())

    def sent(self, replica: ReplicaState) -> list[Hit]:
        """An attempt goes to `replica`: answers what sent it there against better knowledge."""
        if not (replica.stuck and replica.known_ill):
            return []
        met = [entry for entry in self._entries.values() if replica.name in entry.behaviour.stuck]
        for entry in met:
            self.hits[entry.hit.fault_id] += 1
        return [entry.hit for entry in met]

    # -- inside -----------------------------------------------------------------------------------------------------
    def _drop(self, fault_id: str) -> None:
        entry = self._entries.pop(fault_id, None)
        if entry is not None:
            entry.timer.cancel()
            self._settle()

    def _settle(self) -> None:
        """Something is on or off: whoever waits for a decision asks again, in the same order."""
        stalled = (entry.stalled_until for entry in self._entries.values())
        self._free_at = max(self._loop.time(), *stalled) if self._entries else self._loop.time()
        self._changed.set()
        self._changed = asyncio.Event()
        stuck = frozenset[str]().union(*(entry.behaviour.stuck for entry in self._entries.values()))
        for name in self._replicas:
            self._mark(name, name in stuck)
