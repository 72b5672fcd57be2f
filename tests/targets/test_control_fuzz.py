"""The control ports of a replica and of the gateway under hostile requests: never 500, never a changed state."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from targets.gateway.behaviours import BEHAVIOURS as GATEWAY_KINDS
from targets.gateway.config import GatewayConfig, Upstream
from targets.gateway.server.server import GatewayServer
from targets.replica.behaviours import BEHAVIOURS as REPLICA_KINDS
from targets.replica.server.server import ReplicaServer
from tests.support.port_fuzz import (
    FUZZ_LIMITS,
    TOKEN,
    LoopThread,
    check_answer,
    exchange,
    faults_logged,
    json_values,
    requests,
)
from tests.support.replica_harness import config

PATHS = [
    ("PUT", "/behaviours/f1"),
    ("PUT", "/behaviours/f1"),
    ("DELETE", "/behaviours/f1"),
    ("POST", "/behaviours/renew"),
    ("GET", "/behaviours"),
]
KINDS = {**REPLICA_KINDS, **GATEWAY_KINDS}
PARAMETERS = sorted({name for kind in KINDS.values() for name in kind.__struct_fields__})
SELECTORS = ["tenant", "model", "header", "phase", "after_requests", "at_most"]
BODIES = st.one_of(
    st.fixed_dictionaries(
        {"kind": st.sampled_from(sorted(KINDS)), "lease_s": st.one_of(st.just(5), json_values)},
        optional={
            "params": st.one_of(st.dictionaries(st.sampled_from(PARAMETERS), json_values, max_size=3), json_values),
            "share": json_values,
            "seed": json_values,
            "only": st.dictionaries(st.sampled_from(SELECTORS), json_values, max_size=2),
            "more": json_values,
        },
    ),
    st.fixed_dictionaries({"ids": st.one_of(st.lists(st.text(max_size=5), max_size=3), json_values)}),
    json_values,
)


class Port(NamedTuple):
    """A control port, its active behaviours, and how to end those."""

    number: int
    listing: Callable[[], dict[str, dict[str, Any]]]
    clear: Callable[[], None]


@contextmanager
def control_port(kind: str) -> Iterator[Port]:
    active: Any
    close: Callable[[], Coroutine[Any, Any, None]]
    with LoopThread() as thread:
        if kind == "replica":
            replica = ReplicaServer(config(), TOKEN, control_limits=FUZZ_LIMITS)
            thread.run(replica.start())
            number, active = int(replica.control_url.rsplit(":", 1)[1]), replica._behaviours
            close = replica.close
        else:
            upstreams = (Upstream("r0", "tpu", "http://127.0.0.1:9"),)
            gateway = GatewayServer(GatewayConfig(upstreams, control_port=0), TOKEN, control_limits=FUZZ_LIMITS)
            thread.run(gateway.start())
            assert gateway.control_port is not None
            number, active = gateway.control_port, gateway.context.behaviours
            close = gateway.close

        def clear() -> None:
            for fault_id in list(active.listing()):
                active.remove(fault_id)

        yield Port(number, lambda: thread.call(active.listing), lambda: thread.call(clear))
        thread.run(close())


def fuzz(kind: str, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(requests(PATHS, BODIES, "application/json"))
    def one(port: Port, request: tuple[bytes, bool]) -> None:
        data, trusted = request
        statuses = check_answer(exchange(port.number, data))
        accepted = any(status < 300 for status in statuses)
        assert trusted or not accepted
        if accepted:
            port.clear()
        else:
            assert port.listing() == {}

    with control_port(kind) as port, faults_logged() as logged:
        one(port)
        assert logged == []


@pytest.mark.parametrize("kind", ["replica", "gateway"])
def test_hostile_requests_are_refused_and_change_nothing(kind: str) -> None:
    fuzz(kind, 150)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["replica", "gateway"])
def test_many_hostile_requests_are_refused_and_change_nothing(kind: str) -> None:
    fuzz(kind, 3000)
