"""Records of runs behind a gateway that is not ours: no spans of a gateway, the lines of replicas, and what it told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan

from tests.support.otlp_values import ns
from tests.support.record_builder import RecordBuilder, Up

__all__ = ["INJECTED_S", "VERIFIED_S", "ForeignRecord", "foreign_record"]

INJECTED_S = 20.0
VERIFIED_S = 31.0
"""Of the fault of `RecordBuilder.fault`, seconds: its targets are gone in between."""

USERS_GATEWAY = {
    "url": "http://127.0.0.1:4000",
    "model": "m",
    "replicas": {"stack": "two-pools", "first_port": 18101},
}


@dataclass
class ForeignRecord(RecordBuilder):
    """A record whose calls go through a foreign gateway. `Up(replica_span=False)`: only the replica's line is left.

    `lines`: those of each replica. `span_ids`: of the request spans, by their order.
    """

    has_gateway: bool = False
    lines: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _lost: int = 0

    def line(self, replica: str, at: float, **fields: Any) -> None:
        """A line of a replica; `fields` as in docs/wire.md."""
        self.lines.setdefault(replica, []).append({"at": ns(at), "prompt_tokens": 200, "offset": 0, **fields})

    def lost_span(self) -> str:
        """The id of a span that never arrives."""
        self._lost += 1
        return f"{(1 << 60) + self._lost:016x}"

    def _attempt(self, up: Up, number: int, parent: ProtoSpan | None, who: dict[str, Any]) -> None:
        super()._attempt(up, number, parent, who)
        values = list(who.values())
        about = {"session": values[0], "agent": values[1], "turn": values[2], "offset": up.offset}
        if parent is not None and self.propagates:
            about |= {"trace": parent.trace_id.hex(), "parent": parent.span_id.hex()}
        if up.replica_span:
            spans = self.by_instance["brownout-replica", f"{up.replica}#1"]
            requests = [span for span in spans if span.name == "brownout.replica.request"]
            self.line(up.replica, up.start + 0.001, span=requests[-1].span_id.hex(), **about)
        elif up.outcome != "refused":
            self.line(up.replica, up.start + 0.001, span=self.lost_span(), **about)

    def died(self, *replicas: str, at: float = 20.01, incarnation: int = 1, decoded: int | None = None) -> None:
        """Processes that the fault killed. `decoded`: tokens that their last counters have."""
        for name in replicas:
            if decoded is not None:
                data = {"decoded_tokens": decoded, "prefill_tokens": 0}
                self.gauge(name, at - 0.1, kind="replica", data=data, incarnation=incarnation)
            self.event(
                "process",
                at,
                name=name,
                incarnation=incarnation,
                kind="replica",
                event="exited",
                status=-9,
                expected=True,
            )

    def ready(self, replica: str, at: float) -> None:
        """A process serves again."""
        self.event("process", at, name=replica, event="ready", status=None, expected=True)

    def told(
        self, at: float, *, exact: bool | None = None, **states: tuple[int | None, int | None, bool | None]
    ) -> None:
        """The gateway's statistics: attempts, refused and available of each replica (`tpu_0`). None: unreadable."""
        shown: Mapping[str, Any] = {
            name.replace("_", "-"): {"attempts": attempts, "refused": refused, "available": available}
            for name, (attempts, refused, available) in states.items()
        }
        self.event("upstreams", at, states=shown, **({} if exact is None else {"exact": exact}))

    def refusals(self, *counts: tuple[float, int]) -> None:
        """The kernel's count of refused connections, at times."""
        for at, count in counts:
            self.event("refused", at, count=count)

    def steady(self, calls: int = 40) -> None:
        """Good calls before the fault, from 5.5 to 19 s, one session each, in turn on three replicas."""
        for index in range(calls):
            at = 5.5 + index * 13.5 / calls
            self.good_call(f"b{index}", at, ("gpu-0", "tpu-0", "tpu-1")[index % 3])

    def good_call(self, session: str, at: float, replica: str = "gpu-0", *, ttft: float = 0.5) -> None:
        """A call that one replica served, and its session."""
        end = at + ttft + 0.2
        self.call(session, 0, at, ttft=ttft, ups=[Up(replica, at + 0.001, end, passed_on=11)])
        self.session(session, at, end)

    def write(self) -> Path:
        path = super().write()
        (path / "requests").mkdir(exist_ok=True)
        for replica, lines in self.lines.items():
            text = "".join(json.dumps(line) + "\n" for line in lines)
            (path / "requests" / f"{replica}.jsonl").write_text(text)
        return path


def foreign_record(path: Path, target: Mapping[str, Any] | None = None) -> ForeignRecord:
    """A record with phases and no calls, on the user's own gateway unless `target` says otherwise."""
    record = ForeignRecord(path)
    record.experiment["target"] = dict(target or USERS_GATEWAY)
    record.phases()
    return record
