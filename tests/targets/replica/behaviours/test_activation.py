"""One active behaviour: which requests it selects, and what its end releases."""

from __future__ import annotations

import asyncio

from targets.replica.behaviours.activation import Activation
from targets.replica.behaviours.request_context import RequestContext
from targets.replica.behaviours.selector import EVERY_REQUEST, RequestSelector
from targets.replica.behaviours.stall import Stall


class Timer:
    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


def activation(selector: RequestSelector = EVERY_REQUEST, share: float | None = None) -> Activation:
    return Activation("f1", "stall", Stall(), share, seed=7, lease_s=5.0, selector=selector)


def arrivals(active: Activation, models: str) -> list[bool]:
    """A request of each model arrives; returns which of them are selected, and counts these as hit."""
    selected = []
    for number, model in enumerate(models):
        context = RequestContext(f"s{number}/main#0", {}, model)
        active.count_request(context)
        selected.append(active.selects(context))
        active.hit += selected[-1]
    return selected


def test_only_matching_requests_are_skipped_by_after_requests() -> None:
    active = activation(RequestSelector(model=("a",), after_requests=2))
    assert arrivals(active, "abbaba") == [False, False, False, False, False, True]
    assert active.matched == 3


def test_no_request_is_selected_after_at_most_hits() -> None:
    assert arrivals(activation(RequestSelector(at_most=2)), "aaaa") == [True, True, False, False]


def test_a_share_of_zero_selects_none_and_a_share_of_one_selects_all() -> None:
    assert not any(arrivals(activation(share=0.0), "a" * 20))
    assert all(arrivals(activation(share=1.0), "a" * 20))


async def test_the_end_cancels_the_timers_and_releases_held_requests() -> None:
    active = activation()
    lease, engine = Timer(), Timer()
    active.lease_timer, active.engine_timer = lease, engine
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    active.held.append(future)
    active.end()
    active.end()
    assert future.done()
    assert (lease.cancelled, engine.cancelled) == (True, True)
