"""The collector under hostile requests: never 500, and what it refuses is not in the record."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from chaos.runner.collector import Collector, Counters
from chaos.runner.load_control import LoadControl
from chaos.runner.record_writer import LineLog, RecordFull, SpanSpool
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

REQUEST = ExportTraceServiceRequest()
REQUEST.resource_spans.add().scope_spans.add().spans.add().name = "a"
SPANS = REQUEST.SerializeToString()

DATA = st.one_of(
    st.dictionaries(
        st.sampled_from(
            ["load_started", "sessions", "calls", "good_calls", "output_tokens", "done", "demand", "replicas"]
        ),
        json_values,
        max_size=4,
    ),
    json_values,
)
COUNTERS = st.one_of(
    st.fixed_dictionaries(
        {
            "process": st.one_of(st.just("locust"), json_values),
            "incarnation": st.one_of(st.just(1), json_values),
            "kind": st.sampled_from(["load", "gateway", "replica", "other"]),
            "at": st.one_of(st.just(5), json_values),
        },
        optional={
            "data": DATA,
            "spans": json_values,
            "cpu_s": json_values,
            "loop_lag_s": json_values,
            "final": json_values,
        },
    ),
    json_values,
)


def fuzz(folder: Path, path: str, bodies: st.SearchStrategy[object], media_type: str, examples: int) -> None:
    load, failures = LoadControl(), list[RecordFull]()
    received: list[Counters] = []

    def on_counters(counters: Counters) -> dict[str, object]:
        received.append(counters)
        return load.on_counters(counters)

    spool = SpanSpool(folder / "spans")
    with LoopThread() as thread, faults_logged() as logged:
        gauges = LineLog(folder / "gauges.jsonl")
        collector = Collector(spool, gauges, TOKEN, on_counters, failures.append, limits=FUZZ_LIMITS)
        thread.run(collector.start())
        port = int(collector.url.rsplit(":", 1)[1])

        @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(requests([("POST", path)], bodies, media_type))
        def one(request: tuple[bytes, bool]) -> None:
            before = spool.requests, len(received)
            data, trusted = request
            accepted = sum(status < 300 for status in check_answer(exchange(port, data)))
            assert trusted or not accepted
            assert spool.requests + len(received) == sum(before) + accepted

        one()
        thread.run(collector.close())
        gauges.close()
    assert logged == []
    assert failures == []
    assert (folder / "gauges.jsonl").read_bytes().count(b"\n") == len(received)


@pytest.mark.parametrize(
    ("path", "bodies", "media_type"),
    [
        ("/v1/traces", st.one_of(st.just(SPANS), st.binary(max_size=40)), "application/x-protobuf"),
        ("/v1/counters", COUNTERS, "application/json"),
    ],
)
@pytest.mark.parametrize("examples", [150, pytest.param(3000, marks=[pytest.mark.long, pytest.mark.timeout(900)])])
def test_hostile_requests_leave_no_line_and_no_span(
    tmp_path: Path, path: str, bodies: st.SearchStrategy[object], media_type: str, examples: int
) -> None:
    fuzz(tmp_path, path, bodies, media_type, examples)


def test_spans_that_are_cut_off_are_refused(tmp_path: Path) -> None:
    with LoopThread() as thread:
        spool = SpanSpool(tmp_path / "spans")
        gauges = LineLog(tmp_path / "gauges.jsonl")
        collector = Collector(spool, gauges, TOKEN, lambda _: {}, lambda _: None, limits=FUZZ_LIMITS)
        thread.run(collector.start())
        port = int(collector.url.rsplit(":", 1)[1])
        for length in range(1, len(SPANS) + 1):
            head = (
                f"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nX-Brownout-Token: {TOKEN}\r\nConnection: close\r\n"
                f"Content-Type: application/x-protobuf\r\nContent-Length: {length}\r\n\r\n"
            )
            status = check_answer(exchange(port, head.encode() + SPANS[:length]))
            assert status == [200 if length == len(SPANS) else 400]
        assert spool.requests == 1
        thread.run(collector.close())
