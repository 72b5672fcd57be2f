"""Copies of spans while a fault is withheld: without what tells it, and else unchanged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from chaos.runner.collector import Copy
from chaos.runner.withheld_copies import Withholding
from reports.shared import attributes as names
from tests.chaos.runner.test_collector import back_end, collecting, until, written
from tests.support.otlp_values import add_event, key_values
from tests.support.telltales import Telltales

SEARCH = Telltales(kinds=["slow_decode", "heavy_tenant"], ids=["h1"], names=["loud-surge"])
KEPT = {
    names.OUTCOME: "stalled",
    names.CALL_TTFT: 0.25,
    names.TERMINALS: 1,
    names.CALL_PROVABLE: True,
    names.CONVERSATION_ID: "s7-3",
    names.DECISION_EXCLUDED: ["tpu-0: breaker open", "tpu-1: ejected"],
    "user.defined": "faulty",
}
TELLING: dict[str, Any] = {
    names.FAULT_ID: "h1",
    names.FAULT_KIND: "slow_decode",
    names.FAULT_TARGETS: ["tpu-0"],
    names.FAULT_HITS: 3,
    "brownout.fault.of.a.later.version": "h1",
    "note": "met brownout.fault h1",
    "notes": ["a", "brownout.fault.kind=heavy_tenant"],
    names.SESSION_PROFILE: "loud-surge",
    names.AGENT_NAME: "loud-surge",
}
SPANS = (names.SPAN_SESSION, "chat m", "POST", names.SPAN_GATEWAY_REQUEST, names.SPAN_REPLICA_DECODE)


class Pair:
    """The same random request with and without what tells, and the spans of faults in it."""

    def __init__(self, random: Random, *, telling: bool = True) -> None:
        self.random = random
        self.telling = telling
        self.given, self.clean = ExportTraceServiceRequest(), ExportTraceServiceRequest()
        self.faults = 0
        for number in range(random.randint(0, 3)):
            self._resource(number)

    def _some(self, of: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in of.items() if self.random.random() < 0.3}

    def _attributes(self, given: Any, clean: Any) -> None:
        kept = key_values(self._some(KEPT))
        both = [*kept, *(key_values(self._some(TELLING)) if self.telling else [])]
        self.random.shuffle(both)
        given.extend(both)
        clean.extend(one for one in both if one in kept)

    def _resource(self, number: int) -> None:
        given, clean = self.given.resource_spans.add(), self.clean.resource_spans.add()
        for one in (given, clean):
            one.schema_url = f"schema-{number}"
        self._attributes(given.resource.attributes, clean.resource.attributes)
        for _ in range(self.random.randint(0, 2)):
            inside, outside = given.scope_spans.add(), clean.scope_spans.add()
            inside.scope.name = outside.scope.name = "brownout.targets.replica"
            for _ in range(self.random.randint(0, 4)):
                if self.telling and self.random.random() < 0.25:
                    self._fault(inside.spans.add())
                else:
                    self._span(inside.spans.add(), outside.spans.add())
            if len(inside.spans) and not len(outside.spans):
                del clean.scope_spans[-1]
        if len(given.scope_spans) and not len(clean.scope_spans):
            del self.clean.resource_spans[-1]

    def _fault(self, span: Span) -> None:
        self.faults += 1
        span.name = names.SPAN_FAULT
        span.attributes.extend(key_values({names.FAULT_ID: "h1", names.FAULT_TARGETS: ["tpu-0"]}))
        add_event(span, names.EVENT_FAULT_STAGE, 1.0, {names.FAULT_STAGE: "injected"})

    def _span(self, given: Span, clean: Span) -> None:
        given.name = clean.name = self.random.choice(SPANS)
        if self.telling and self.random.random() < 0.2:
            given.name, clean.name = f"{names.SPAN_INVOKE_AGENT} loud-surge", names.SPAN_INVOKE_AGENT
        given.trace_id = clean.trace_id = self.random.randbytes(16)
        given.start_time_unix_nano = clean.start_time_unix_nano = self.random.getrandbits(60)
        self._attributes(given.attributes, clean.attributes)
        for _ in range(self.random.randint(0, 3)):
            if self.telling and self.random.random() < 0.5:
                add_event(given, names.EVENT_FAULT_HIT, 1.0, {names.FAULT_ID: "h1", names.FAULT_KIND: "slow_decode"})
            else:
                self._attributes(given.events.add(name="x").attributes, clean.events.add(name="x").attributes)
        if self.random.random() < 0.3:
            self._attributes(given.links.add().attributes, clean.links.add().attributes)
        if self.random.random() < 0.3:
            given.status.message = clean.status.message = "no eligible replica"

    @property
    def request(self) -> bytes:
        return bytes(self.given.SerializeToString())


def parsed(request: bytes) -> ExportTraceServiceRequest:
    decoded = ExportTraceServiceRequest()
    decoded.ParseFromString(request)
    return decoded


def withholding() -> Withholding:
    switch = Withholding()
    switch.withhold()
    return switch


def one_span(fill: Callable[[Span], None]) -> bytes:
    request = ExportTraceServiceRequest()
    fill(request.resource_spans.add().scope_spans.add().spans.add(name="chat m"))
    return bytes(request.SerializeToString())


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_what_tells_is_removed_and_everything_else_is_unchanged(random: Random) -> None:
    pair, switch = Pair(random), withholding()
    passed = switch.strip(pair.request)
    assert parsed(passed) == pair.clean
    assert SEARCH.in_spans("copy", passed) == []
    held = [
        span for one in parsed(switch.release()).resource_spans for scope in one.scope_spans for span in scope.spans
    ]
    assert [span.name for span in held] == [names.SPAN_FAULT] * pair.faults


@settings(max_examples=50, deadline=None)
@given(st.randoms(use_true_random=False))
def test_a_request_that_tells_nothing_passes_byte_for_byte(random: Random) -> None:
    request = Pair(random, telling=False).request
    assert withholding().strip(request) is request


def test_every_name_of_a_fault_among_the_attributes_tells() -> None:
    for constant in names.__dict__:
        if any(part in constant for part in ("FAULT_", "_FAULT", "PROFILE")):
            key = getattr(names, constant)
            request = one_span(lambda span, key=key: span.attributes.extend(key_values({key: "h1"})))  # type: ignore[misc]
            (resource,) = parsed(withholding().strip(request)).resource_spans
            assert not resource.scope_spans[0].spans[0].attributes, constant


def test_while_it_is_off_nothing_is_changed_or_held_back() -> None:
    switch = Withholding()
    request = Pair(Random(3)).request
    assert switch.strip(request) is request
    assert switch.release() == b""


def test_a_request_that_cannot_be_read_is_not_passed_on() -> None:
    assert withholding().strip(b"\x0a\x10" + names.SPAN_FAULT.encode()) == b""


def test_a_request_with_a_telling_text_at_an_unknown_place_is_not_passed_on() -> None:
    def fill(span: Span) -> None:
        span.trace_state = "x=brownout.fault"

    assert withholding().strip(one_span(fill)) == b""


def test_a_message_that_is_not_equal_to_itself_is_removed_too() -> None:
    def fill(span: Span) -> None:
        span.attributes.extend(key_values({names.FAULT_HITS: float("nan"), "kept": float("nan")}))

    (resource,) = parsed(withholding().strip(one_span(fill))).resource_spans
    assert [one.key for one in resource.scope_spans[0].spans[0].attributes] == ["kept"]


def test_a_telling_status_is_cleared_and_its_code_stays() -> None:
    def fill(span: Span) -> None:
        span.status.code = Status.STATUS_CODE_ERROR
        span.status.message = "hit by brownout.fault h1"

    (resource,) = parsed(withholding().strip(one_span(fill))).resource_spans
    status = resource.scope_spans[0].spans[0].status
    assert (status.code, status.message) == (Status.STATUS_CODE_ERROR, "")


def test_held_back_spans_are_bounded_and_the_others_counted() -> None:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(name=names.SPAN_FAULT)
    one = bytes(request.SerializeToString())
    switch = Withholding(held_bytes=3 * len(one))
    switch.withhold()
    assert [switch.strip(one) for _ in range(5)] == [b""] * 5
    assert switch.lost == 2
    assert switch.release() == one * 3


async def test_a_back_end_gets_nothing_that_tells_until_the_release(tmp_path: Path) -> None:
    got: list[bytes] = []

    async def take(request: web.Request) -> web.Response:
        got.append(await request.read())
        return web.Response()

    pairs = [Pair(Random(seed)) for seed in range(60)]
    expected = [pair.clean for pair in pairs if pair.clean.ByteSize()]
    async with back_end(take) as url:
        copy = Copy(f"{url}/v1/traces")
        async with collecting(tmp_path, copy) as (collector, _, _):
            collector.withhold()
            for pair in pairs:
                collector.take(pair.request)
            await until(lambda: len(got) == len(expected))
            assert [parsed(one) for one in got] == expected
            assert not [found for one in got for found in SEARCH.in_spans("copy", one)]
            got.clear()
            await collector.release()
            faults = [
                span.name
                for request in got
                for resource in parsed(request).resource_spans
                for scope in resource.scope_spans
                for span in scope.spans
            ]
            assert faults == [names.SPAN_FAULT] * sum(pair.faults for pair in pairs)
            got.clear()
            collector.take(pairs[5].request)
            await until(lambda: len(got) == 1)
            assert got == [pairs[5].request]
            await collector.release()  # nothing is sent twice
    assert copy.lost == 0
    assert written(tmp_path) == [*(pair.request for pair in pairs), pairs[5].request], "the record is whole"


async def test_a_release_does_not_wait_for_a_back_end_that_is_gone(tmp_path: Path) -> None:
    copy = Copy("http://127.0.0.1:9/v1/traces")
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(name=names.SPAN_FAULT)
    async with collecting(tmp_path, copy) as (collector, _, _):
        collector.withhold()
        collector.take(request.SerializeToString())
        await until(lambda: collector._copies.empty())
        await collector.release(within_s=2.0)
        assert (copy.sent, copy.lost) == (0, 1)


async def test_without_a_back_end_of_the_user_nothing_is_held_back(tmp_path: Path) -> None:
    async with collecting(tmp_path) as (collector, _, _):
        collector.withhold()
        collector.take(Pair(Random(2)).request)
        await collector.release()
    assert written(tmp_path) == [Pair(Random(2)).request]
