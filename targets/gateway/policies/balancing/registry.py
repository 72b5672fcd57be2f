"""The balancing policies by name: `balancing.kind` in a stack file."""

from __future__ import annotations

from collections.abc import Callable

from targets.gateway.config import Balancing
from targets.gateway.policies.balancing.balancer import Balancer
from targets.gateway.policies.balancing.cheapest import Cheapest
from targets.gateway.policies.balancing.least_outstanding import LeastOutstanding
from targets.gateway.policies.balancing.least_work import LeastWork
from targets.gateway.policies.balancing.p2c import PowerOfTwoChoices
from targets.gateway.policies.balancing.reported_load import ReportedLoad
from targets.gateway.policies.balancing.round_robin import RoundRobin

__all__ = ["BALANCERS"]

BALANCERS: dict[str, Callable[[Balancing], Balancer]] = {
    "p2c": lambda _: PowerOfTwoChoices(),
    "round_robin": lambda _: RoundRobin(),
    "least_outstanding": lambda _: LeastOutstanding(),
    "least_work": lambda _: LeastWork(),
    "cheapest": lambda config: Cheapest(config.slo_ttft_s, config.slo_tpot_s),
    "reported_load": lambda config: ReportedLoad(config.cross_check),
}
