"""Builds records of runs for tests: real OTLP bytes, events and gauges, from a short description of each call.

Times are seconds since the start of the load. The client receives one token per chunk, the first after `ttft`, the
others `token_s` apart, or after the pause in `gaps` (token index -> seconds).
"""

from __future__ import annotations

import itertools
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Status
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan

from loadprofiles.client.chunklog import encode
from reports.shared import attributes as names
from tests.support.fast_machine import add_counters
from tests.support.otlp_values import ZERO_NS, add_event, key_values, ns
from tests.support.record_defaults import EXPERIMENT, PHASES


@dataclass
class Up:
    """An attempt of the gateway, with its replica span; `replica_span=False`: the span was lost with the process."""

    replica: str
    start: float
    end: float
    outcome: str = "ok"
    reason: str = "first"
    offset: int = 0
    passed_on: int = 0
    prompt: int = 200
    computed: int = 50
    cached: int = 150
    decoded: int | None = None
    hits: Sequence[str] = ()
    replica_span: bool = True
    queue: Sequence[tuple[float, float]] = ()
    preemptions: int = 0


@dataclass
class Try:
    """A failed attempt of the client before its last one; `retry_after`: the header of the response, seconds."""

    start: float
    end: float
    outcome: str = "rate_limited"
    status: int | None = 429
    retry_after: float | None = None


@dataclass
class RecordBuilder:
    """Collects the parts of a record; `write` writes it to `path`.

    `propagates`: the gateway passes the trace context on. `has_gateway`: the gateway exports spans. `has_counters`:
    processes without posts of their own get posts of a machine that is fast enough.
    """

    path: Path
    experiment: dict[str, Any] = field(default_factory=lambda: json.loads(json.dumps(EXPERIMENT)))
    events: list[dict[str, Any]] = field(default_factory=list)
    gauges: list[dict[str, Any]] = field(default_factory=list)
    by_instance: dict[tuple[str, str], list[ProtoSpan]] = field(default_factory=dict)
    propagates: bool = True
    has_gateway: bool = True
    has_counters: bool = True
    _next: int = 1

    # -- events and counters ------------------------------------------------------------------------------------------
    def event(self, type_: str, at: float, /, **more: Any) -> None:
        self.events.append({"at": ns(at), "type": type_, **more})

    def phases(self, begun: Mapping[str, float] = PHASES) -> None:
        self.event("run", -3.0, event="started", why="")
        for name, at in begun.items():
            if name == "end":
                self.event("run", at, event="finished", why="")
            self.event("phase", at, phase=name)

    def fault(
        self,
        fault_id: str = "f1",
        kind: str = "kill",
        targets: Sequence[str] = ("tpu-0", "tpu-1"),
        *,
        stages: Mapping[str, float] | None = None,
        share: float | None = None,
        only: Mapping[str, Any] | None = None,
        hits: int | None = None,
        why: str = "",
        traits: Mapping[str, Any] | None = None,
    ) -> None:
        given = stages or {"planned": 0.0, "injected": 20.0, "confirmed": 20.1, "reverted": 30.0, "verified": 31.0}
        pools = sorted({name.split("-")[0] for name in targets})
        for stage, at in given.items():
            known = hits if stage in ("reverted", "verified") else None
            self.event(
                "fault",
                at,
                id=fault_id,
                kind=kind,
                stage=stage,
                targets=list(targets),
                pools=pools,
                params={"restart": True},
                share=share,
                only=dict(only or {}),
                hits=known,
                why=why,
                **({} if traits is None else {"traits": dict(traits)}),
            )

    def command(self, fault_id: str = "f1", **more: Any) -> None:
        """A fault by commands on the user's system."""
        self.fault(fault_id, "exec", ["system"], traits={"where": "system"}, **more)

    def alert(self, at: float, name: str = "PoolDown", status: str = "firing", since: float | None = None) -> None:
        """A change of an alert, received at `at`. `since`: when it began, as its sender says; at `at` if absent."""
        starts = ns(at if since is None else since)
        labels = {"alertname": name, "severity": "page"}
        self.event("alert", at, name=name, status=status, labels=labels, starts_at=starts, fingerprint=name)

    def gauge(
        self,
        process: str,
        at: float,
        *,
        kind: str,
        data: Mapping[str, Any],
        incarnation: int = 1,
        final: bool = False,
        started: int = 0,
        cpu_s: float = 0.0,
        lag_s: float = 0.001,
        ticks: tuple[int, int] = (0, 0),
    ) -> None:
        self.gauges.append(
            {
                "process": process,
                "incarnation": incarnation,
                "kind": kind,
                "at": ns(at),
                "final": final,
                "spans": {"started": started, "ended": started},
                "cpu_s": cpu_s,
                "loop_lag_s": lag_s,
                "loop_ticks": {"all": ticks[0], "late": ticks[1]},
                "data": dict(data),
            }
        )

    def load_gauges(self, until: float = 55.0, *, cpu: float = 0.3, arrivals: int = 100, late: int = 0) -> None:
        """Posts of the load generator, one per second; the last one is final and has the true number of spans."""
        for second in range(int(until) + 1):
            data = {"load_started": ZERO_NS, "arrivals_planned": arrivals, "arrivals": arrivals, "late_arrivals": late}
            self.gauge(
                "locust", second, kind="load", data=data, cpu_s=second * cpu, started=0, final=second == int(until)
            )

    # -- spans --------------------------------------------------------------------------------------------------------
    def session(
        self,
        name: str,
        start: float,
        end: float,
        outcome: str = "succeeded",
        *,
        silent: float | None = None,
        its: Mapping[str, Any] | None = None,
    ) -> None:
        attributes: dict[str, Any] = {
            names.CONVERSATION_ID: name,
            names.SESSION_OUTCOME: outcome,
            names.TENANT: "acme",
            names.SESSION_LATENESS: 0.0,
            **(its or {}),
        }
        if silent is not None:
            attributes[names.SESSION_LAST_BYTE_AGE] = silent
        self.span(("brownout-loadgen", "locust#1"), names.SPAN_SESSION, start, end, attributes)

    def call(
        self,
        session: str,
        turn: int,
        sent: float,
        *,
        tokens: int = 11,
        ttft: float | None = 0.5,
        token_s: float = 0.02,
        gaps: Mapping[int, float] | None = None,
        outcome: str = "ok",
        ups: Sequence[Up] | None = None,
        agent: str = "main",
        tenant: str = "acme",
        lateness: float = 0.0,
        log: bool = True,
        its: Mapping[str, Any] | None = None,
        tier: str = "",
        tries: Sequence[Try] = (),
        last: Mapping[str, Any] | None = None,
        chat_hits: Sequence[str] = (),
        until: float = 0.0,
    ) -> None:
        """A call of a session with its attempts; without `ups`, one good attempt on gpu-0.

        `until`: one that is not ok lasts until then at least. `its`: more attributes of the chat span. `tries`: failed
        attempts of the client; `last`: more attributes of its last attempt, and its `start`.
        """
        times: list[float] = []
        at = sent + (ttft or 0.0)
        for index in range(tokens if ttft is not None else 0):
            at += 0.0 if index == 0 else (gaps or {}).get(index, token_s)
            times.append(round(at, 6))
        end = times[-1] if times else sent + 0.1
        if outcome != "ok":
            end = max([end, until, *(up.end for up in ups or ())])
        load = ("brownout-loadgen", "locust#1")
        who = {names.CONVERSATION_ID: session, names.AGENT_ID: agent, names.TURN: turn, names.TENANT: tenant}
        who |= {names.TIER: tier} if tier else {}
        attributes: dict[str, Any] = {
            **who,
            names.OUTCOME: outcome,
            names.CALL_E2E: end - sent,
            names.TOKENS_RECEIVED: len(times),
            names.CALL_SCHEDULED_LATENESS: lateness,
            names.CALL_PROVABLE: True,
            names.TOKENS_LOST: 0,
            names.TOKENS_DUPLICATED: 0,
            names.TOKENS_SPLICED: 0,
            names.TERMINALS: int(outcome == "ok"),
            names.SILENTLY_TRUNCATED: False,
        }
        if ttft is not None:
            attributes[names.CALL_TTFT] = ttft
        if len(times) > 1:
            attributes[names.CALL_MAX_GAP] = max(b - a for a, b in itertools.pairwise(times))
        attributes = {key: value for key, value in (attributes | dict(its or {})).items() if value is not None}
        root = self.span(load, "invoke_agent coder", sent, end, {names.CONVERSATION_ID: session})
        chat = self.span(load, "chat test-70b", sent, end, attributes, parent=root)
        for hit in chat_hits:
            add_event(chat, names.EVENT_FAULT_HIT, sent, {names.FAULT_ID: hit, names.FAULT_KIND: "long_reasoning"})
        log_bytes = encode(sent, times, [1] * len(times)) if log and times else None
        post_its = {names.OUTCOME: outcome} | ({names.CHUNKS: log_bytes} if log_bytes else {})
        for one in tries:
            asked = {names.RETRY_AFTER: one.retry_after, names.HTTP_STATUS: one.status}
            about = {names.OUTCOME: one.outcome} | {key: value for key, value in asked.items() if value is not None}
            self.span(load, names.SPAN_ATTEMPT, one.start, one.end, about, parent=chat)
        post_its |= {key: value for key, value in (last or {}).items() if key != "start"}
        post_start = (last or {}).get("start", max([sent, *(one.end for one in tries)]))
        post = self.span(load, names.SPAN_ATTEMPT, post_start, end, post_its, parent=chat)
        if ups is None:
            ups = [Up("gpu-0", sent + 0.001, end, outcome, passed_on=len(times), decoded=len(times))]
        parent: ProtoSpan | None = post
        if self.has_gateway:
            gateway = ("brownout-gateway", "gateway#1")
            above = post if self.propagates else None
            parent = self.span(gateway, names.SPAN_GATEWAY_REQUEST, sent + 0.0005, end, dict(who), parent=above)
        for number, up in enumerate(ups, 1):
            self._attempt(up, number, parent, who)

    def _attempt(self, up: Up, number: int, parent: ProtoSpan | None, who: dict[str, Any]) -> None:
        pool = up.replica.split("-")[0]
        place = {names.POOL: pool, names.REPLICA: up.replica, names.OUTCOME: up.outcome}
        above = parent
        if self.has_gateway:
            its = {
                **place,
                names.ATTEMPT_NUMBER: number,
                names.ATTEMPT_REASON: up.reason,
                names.CONTINUATION_OFFSET: up.offset,
                names.TOKENS_PASSED_ON: up.passed_on,
            }
            above = self.span(
                ("brownout-gateway", "gateway#1"), names.SPAN_ATTEMPT, up.start, up.end, its, parent=parent
            )
        if not up.replica_span:
            return
        decoded = up.passed_on if up.decoded is None else up.decoded
        its = {
            **place,
            **who,
            names.PROMPT_TOKENS: up.prompt,
            names.PREFILL_COMPUTED: up.computed,
            names.PREFILL_CACHED: up.cached,
            names.DECODED: decoded,
            names.SENT: decoded,
            names.PREEMPTIONS: up.preemptions,
            names.CONTINUATION_OFFSET: up.offset,
        }
        request = self.span(
            ("brownout-replica", f"{up.replica}#1"),
            names.SPAN_REPLICA_REQUEST,
            up.start + 0.001,
            up.end,
            its,
            parent=above if self.propagates else None,
        )
        for begin, over in up.queue:
            self.span(("brownout-replica", f"{up.replica}#1"), names.SPAN_REPLICA_QUEUE, begin, over, {}, request)
        for hit in up.hits:
            add_event(request, names.EVENT_FAULT_HIT, up.start + 0.002, {names.FAULT_ID: hit, names.FAULT_KIND: "cut"})

    def transition(self, at: float, replica: str, what: str) -> None:
        its = {names.REPLICA: replica, names.TRANSITION: what, names.TRANSITION_WHY: "5 failures"}
        self.span(("brownout-gateway", "gateway#1"), names.SPAN_GATEWAY_TRANSITION, at, at, its)

    def span(
        self,
        place: tuple[str, str],
        name: str,
        start: float,
        end: float,
        attributes: Mapping[str, Any],
        parent: ProtoSpan | None = None,
    ) -> ProtoSpan:
        number = self._next
        self._next += 1
        failed = attributes.get(names.OUTCOME, "ok") != "ok"
        span = ProtoSpan(
            trace_id=parent.trace_id if parent is not None else number.to_bytes(16, "big"),
            span_id=number.to_bytes(8, "big"),
            parent_span_id=parent.span_id if parent is not None else b"",
            name=name,
            start_time_unix_nano=ns(start),
            end_time_unix_nano=ns(end),
            attributes=key_values(attributes),
            status=Status(code=Status.STATUS_CODE_ERROR if failed else Status.STATUS_CODE_UNSET),
        )
        self.by_instance.setdefault(place, []).append(span)
        return span

    def count(self, instance: str) -> int:
        return sum(len(spans) for (_, name), spans in self.by_instance.items() if name == instance)

    # -- the files ----------------------------------------------------------------------------------------------------
    def _write_undo(self) -> None:
        """As the runner does: each fault that was injected is armed before, and undone in the end."""
        stages: dict[str, set[str]] = {}
        for event in self.events:
            if event["type"] == "fault":
                stages.setdefault(event["id"], set()).add(event["stage"])
        lines: list[dict[str, Any]] = []
        for fault, reached in stages.items():
            if "injected" in reached:
                lines.append({"fault": fault, "owner": "r", "undo": [{"do": "lapse", "process": "locust"}]})
                lines.append({"fault": fault, "owner": "r", "done": True, "by": "runner"})
        (self.path / "undo.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    def write(self) -> Path:
        if self.has_counters:
            add_counters(self)
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / "spans").mkdir(exist_ok=True)
        (self.path / "experiment.yaml").write_text(yaml.safe_dump(self.experiment))
        (self.path / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in self.events))
        for post in self.gauges:
            spans = post["spans"]
            if post["final"] and not spans["started"]:
                spans["started"] = spans["ended"] = self.count(f"{post['process']}#{post['incarnation']}")
        if "undo.jsonl" not in {path.name for path in self.path.iterdir()}:
            self._write_undo()
        (self.path / "gauges.jsonl").write_text("".join(json.dumps(post) + "\n" for post in self.gauges))
        with (self.path / "spans" / "0001.otlp").open("wb") as file:
            for (service, instance), spans in self.by_instance.items():
                resource = key_values({names.SERVICE_NAME: service, names.SERVICE_INSTANCE: instance})
                message = ExportTraceServiceRequest(
                    resource_spans=[
                        ResourceSpans(resource={"attributes": resource}, scope_spans=[ScopeSpans(spans=spans)])
                    ]
                ).SerializeToString()
                file.write(struct.pack(">I", len(message)) + message)
        return self.path


def good_run(path: Path, *, sessions: int = 100, calls: int = 3) -> RecordBuilder:
    """A run without faults: a session every 0.5 s, each with `calls` good calls, 1 s apart."""
    builder = RecordBuilder(path)
    builder.phases()
    builder.load_gauges(arrivals=sessions)
    for index in range(sessions):
        start = index * 0.5 + 0.1
        for turn in range(calls):
            sent = start + turn
            end = sent + 0.7
            prompt = 200 + 50 * turn
            before = 0 if turn == 0 else 200 + 50 * (turn - 1) + 11
            shared = (100 if index else 0) if turn == 0 else 0
            computed = prompt - before - shared
            up = Up(
                "gpu-0", sent + 0.001, end, passed_on=11, prompt=prompt, computed=computed, cached=prompt - computed
            )
            builder.call(f"s{index}", turn, sent, ups=[up])
        builder.session(f"s{index}", start, start + calls - 1 + 0.7)
    return builder


def migrated(
    died: float, replica: str = "tpu-0", *, resumed: float, sent: float, passed_on: int, tokens: int = 11
) -> list[Up]:
    """The attempts of a call that was on `replica` when it died, and was continued on gpu-1."""
    return [
        Up(replica, sent + 0.001, died, "reset", passed_on=passed_on, replica_span=False),
        Up(
            "gpu-1", died + 0.01, resumed + 0.5, reason="migration" if passed_on else "retry", offset=passed_on,
            passed_on=tokens - passed_on, prompt=200 + passed_on,
        ),
    ]  # fmt: skip
