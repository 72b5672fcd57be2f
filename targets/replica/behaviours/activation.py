"""One active behaviour: its lease, its selector and its counts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from targets.replica.behaviours.base import Behaviour
from targets.replica.behaviours.request_context import RequestContext
from targets.replica.behaviours.selector import EVERY_REQUEST, RequestSelector, share_draw
from targets.replica.delivery.driver import TimerHandle

__all__ = ["Activation"]


@dataclass(slots=True)
class Activation:
    """One active behaviour."""

    fault_id: str
    kind: str
    behaviour: Behaviour
    share: float | None
    seed: int
    lease_s: float
    selector: RequestSelector = EVERY_REQUEST
    expires_at: float = 0.0
    matched: int = 0  # matching requests since the PUT
    hit: int = 0  # requests hit since the PUT
    lease_timer: TimerHandle | None = None
    engine_timer: TimerHandle | None = None
    held: list[asyncio.Future[None]] = field(default_factory=list)  # requests that wait for its end
    metrics_at_start: bytes = b""

    def count_request(self, context: RequestContext) -> None:
        """A request has arrived: number it if it matches."""
        if self.selector.matches(context.headers, context.model):
            self.matched += 1
            context.ordinals[self.fault_id] = self.matched

    def selects(self, context: RequestContext) -> bool:
        """Whether the behaviour hits a request."""
        selector = self.selector
        return (
            (not selector.after_requests or context.ordinals.get(self.fault_id, 0) > selector.after_requests)
            and (selector.at_most is None or self.hit < selector.at_most)
            and selector.matches(context.headers, context.model)
            and (self.share is None or share_draw(self.seed, self.fault_id, context.key) < self.share)
        )

    def end(self) -> None:
        """Cancel the timers and release the held requests."""
        for timer in (self.lease_timer, self.engine_timer):
            if timer is not None:
                timer.cancel()
        self.lease_timer = self.engine_timer = None
        for future in self.held:
            if not future.done():
                future.set_result(None)
        self.held.clear()
