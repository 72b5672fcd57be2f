"""Reads a run's folder: the experiment, events, counters and spans. It does not interpret the spans.

The record is written during the run and can end at any point: a killed runner leaves no `end` phase, an incomplete last
line, an incomplete span message. Such a record is still read; `Record.notes` says what is missing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from reports.record.alerts import Alerts, alerts_of
from reports.record.entries import FaultRecord, GaugePost, Phase, ProcessExit, Replica
from reports.record.experiment_file import read_experiment
from reports.record.gateway_cpu import CpuSample, cpu_samples
from reports.record.gateway_statistics import GatewayStatistics, read_statistics
from reports.record.lines import EARLY_ENDS, EVENTS, POST, Damage, read_lines
from reports.record.requests import RequestLine, read_requests
from reports.record.spans import Span, SpanFiles, read_spans
from reports.shared.errors import RecordError
from reports.shared.fault_traits import traits_of
from reports.shared.phases import ALL_PHASES
from reports.shared.units import Mistake, duration_s

__all__ = ["Record", "read_record"]

_CHANGES: Final = frozenset({"inject", "restart", "operate", "undo"})
"""Actions by hand that change the result of an experiment."""


@dataclass(slots=True)
class Record:
    """Everything in a run's folder. Times are seconds since `zero_ns`, the start of the load (unix nanoseconds)."""

    path: Path
    experiment: dict[str, Any]
    zero_ns: int
    phases: list[Phase]
    faults: list[FaultRecord]
    exits: list[ProcessExit]
    run_events: list[dict[str, Any]]
    guardrails: list[dict[str, Any]]
    machine: dict[str, Any]
    gauges: list[GaugePost]
    posted_spans: dict[str, int | None]
    spans: list[Span]
    files: SpanFiles
    ended: bool
    alerts: Alerts = field(default_factory=Alerts)
    notes: list[str] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    """What cannot be read, other than the incomplete end that a crash leaves: the verdict may be a wrong one."""
    ready: list[tuple[str, float]] = field(default_factory=list)
    """Processes that said that they serve: name, seconds since zero."""
    started: dict[str, list[float]] = field(default_factory=dict)
    """When the processes of each name were started, seconds since zero."""
    requests: list[RequestLine] = field(default_factory=list)
    """The requests that began at replicas of ours, also those whose span was lost."""
    actions: list[tuple[float, str, str]] = field(default_factory=list)
    """What was done by hand: seconds since zero, action, text."""
    exercise: list[dict[str, Any]] = field(default_factory=list)
    """The events `exercise` of a game day; `reports.gameday` reads them."""
    refused: list[tuple[float, int]] = field(default_factory=list)
    """Connections refused on the machine, other than by the runner's own: seconds since zero, count so far."""
    gateway: dict[str, Any] = field(default_factory=dict)
    """The real gateway that the run started: its event `gateway`; empty without one."""
    gateway_cpu: list[CpuSample] = field(default_factory=list)
    upstreams: list[GatewayStatistics] = field(default_factory=list)
    """What the statistics of a real gateway said, whenever they changed."""

    def seconds(self, at_ns: int) -> float:
        """A unix time as seconds since zero."""
        return (at_ns - self.zero_ns) / 1e9

    def phase(self, name: str) -> Phase | None:
        """The phase with this name; None where it did not begin."""
        return next((phase for phase in self.phases if phase.name == name), None)

    def repeats(self, *names: str) -> bool:
        """Whether one of these phases occurs more than once: in the record of several windows of chaos by hand."""
        return any(sum(phase.name == name for phase in self.phases) > 1 for name in names)

    @property
    def stopped_by(self) -> str | None:
        """Why the run ended early: the first of `EARLY_ENDS` among its events; None: it did not."""
        found = {str(event.get("event")) for event in self.run_events}
        return next((event for event in EARLY_ENDS if event in found), None)

    @property
    def cut_short(self) -> bool:
        """Whether the run, or its record, ended early."""
        return not self.ended or self.stopped_by is not None

    def finished(self, phase: str) -> bool:
        """Whether the phase ran for its whole time."""
        found = self.phase(phase)
        if found is None:
            return False
        if not self.cut_short:
            return True
        later = ALL_PHASES[ALL_PHASES.index(phase) + 1 :] if phase in ALL_PHASES else ()
        return any(self.phase(name) is not None for name in later)

    @property
    def name(self) -> str:
        return str(self.experiment.get("name") or self.path.name)

    @property
    def seed(self) -> int:
        seed = self.experiment.get("seed", 0)
        return seed if isinstance(seed, int) else 0

    @property
    def replicas(self) -> list[Replica]:
        """The replicas of the stack, empty for a target by URL. Those of the reserve only if they were started."""
        stack = self.experiment.get("stack")
        known = stack if isinstance(stack, dict) else {}
        reserve = [
            row for row in known.get("reserve") or () if isinstance(row, dict) and str(row.get("name")) in self.started
        ]
        rows = [*(known.get("replicas") or ()), *reserve]
        return [
            Replica(
                str(row.get("name", "")),
                str(row.get("pool", "")),
                str(row.get("cloud", "")),
                str(row.get("hardware", "")),
                int(row.get("chips") or 0),
                float(row.get("usd_per_hour") or 0.0),
            )
            for row in rows
            if isinstance(row, dict)
        ]

    def held_s(self, replica: str) -> tuple[float, float]:
        """From when to when the hardware of a replica was held, seconds since zero. Infinite: always.

        That of the stack's own replicas always was; that of a reserve from its first start to its last exit.
        """
        stack = self.experiment.get("stack")
        reserve = (stack.get("reserve") if isinstance(stack, dict) else None) or ()
        if not any(isinstance(row, dict) and row.get("name") == replica for row in reserve):
            return -math.inf, math.inf
        starts = self.started.get(replica) or [math.inf]
        exits = [exit_.at_s for exit_ in self.exits if exit_.name == replica and exit_.at_s >= max(starts)]
        return min(starts), max(exits, default=math.inf)

    @property
    def by_hand(self) -> bool:
        """Whether it is of a stack that was up for chaos by hand, not of an experiment."""
        return self.experiment.get("by_hand") is True

    @property
    def changed_by_hand(self) -> str:
        """What somebody did by hand to an experiment while it ran; "" if nothing that changes its result."""
        done = [f"{action} {text}".strip() for _, action, text in self.actions if action in _CHANGES]
        return "" if self.by_hand else "; ".join(done)

    @property
    def foreign_gateway(self) -> bool:
        """Whether a gateway that is not ours is in front of the replicas."""
        target = self.experiment.get("target")
        return bool(self.replicas) and isinstance(target, dict) and ("url" in target or "gateway" in target)

    @property
    def slo(self) -> dict[str, float]:
        """The experiment's valid objectives in seconds by measure, for example {"ttft": 2.0, "tpot": 0.1}."""
        return self._objectives()[0]

    @property
    def slo_problem(self) -> str:
        """What is wrong with an objective; "" where all are valid."""
        return self._objectives()[1]

    def _objectives(self) -> tuple[dict[str, float], str]:
        slo = self.experiment.get("slo")
        found: dict[str, float] = {}
        for name, value in slo.items() if isinstance(slo, dict) else ():
            try:
                found[str(name).removesuffix("_s")] = duration_s(value)
            except Mistake as mistake:
                return found, f"{name}: {mistake.what}"
        return found, ""

    def end_s(self) -> float:
        """The time of the last entry in the record, seconds since zero."""
        ends = [phase.end_s for phase in self.phases] + [post.at_s for post in self.gauges[-50:]]
        return max(ends, default=0.0)


def read_record(path: Path) -> Record:
    """Read the run in `path`. Raises RecordError without a folder, or with neither events nor spans in it."""
    if not path.is_dir():
        raise RecordError(f"{path} is not the folder of a run")
    notes: list[str] = []
    experiment = read_experiment(path / "experiment.yaml", notes)
    lost = list(notes)
    skipped: list[Damage] = []
    events = list(read_lines(path / "events.jsonl", EVENTS, skipped))
    posts = list(read_lines(path / "gauges.jsonl", POST, skipped))
    requests = list(read_requests(path / "requests", skipped))
    files = SpanFiles()
    spans = list(read_spans(path / "spans", files))
    if not events and not spans:
        raise RecordError(f"{path} has no record of a run: events.jsonl and spans/ are missing or empty")
    notes += map(str, skipped)
    if files.torn:
        notes.append(f"{files.torn} span file(s) end in an incomplete message; the messages before it were read")
    if files.undecodable:
        files.unreadable.append(f"{files.undecodable} message(s) of spans could not be decoded and were skipped")
    notes += files.unreadable
    zero_ns = _zero(events, posts, spans)
    phases, ended = _phases(events, posts, spans, zero_ns)
    # The runner writes how the run ended as the last thing, after all that could still fail.
    ended = ended and any(e.get("type") == "run" and e.get("event") != "started" for e in events)
    if not ended:
        notes.append("the record ends before the end of the run: it has no end phase")
    elif files.torn:  # in a record that was closed, no crash explains it
        files.unreadable.append("a span file ends in an incomplete message, though the record was closed")
    posted = _posted(events)
    if not posts and any(posted.values()):
        skipped.append(Damage("gauges.jsonl has no counters, though processes posted some", expected=False))
    return Record(
        path=path,
        experiment=experiment,
        zero_ns=zero_ns,
        phases=phases,
        faults=_faults(events, zero_ns),
        exits=_exits(events, zero_ns),
        run_events=[e for e in events if e.get("type") == "run"],
        guardrails=[e for e in events if e.get("type") == "guardrail"],
        machine=next((e for e in events if e.get("type") == "machine"), {}),
        gauges=[_post(post, zero_ns) for post in posts if isinstance(post.get("at"), int)],
        posted_spans=posted,
        spans=spans,
        files=files,
        ended=ended,
        alerts=alerts_of(events, experiment, zero_ns),
        notes=notes,
        damage=[*lost, *(str(one) for one in skipped if ended or not one.expected), *files.unreadable],
        requests=requests,
        started=_started(events, zero_ns),
        ready=[
            (str(e["name"]), (int(e["at"]) - zero_ns) / 1e9)
            for e in events
            if e.get("type") == "process" and e.get("event") == "ready"
        ],
        actions=[
            ((int(e["at"]) - zero_ns) / 1e9, str(e["action"]), str(e.get("text") or ""))
            for e in events
            if e.get("type") == "action"
        ],
        exercise=[e for e in events if e.get("type") == "exercise"],
        upstreams=read_statistics(events, zero_ns),
        refused=[((int(e["at"]) - zero_ns) / 1e9, int(e["count"])) for e in events if e.get("type") == "refused"],
        gateway=next((e for e in events if e.get("type") == "gateway"), {}),
        gateway_cpu=cpu_samples(events, zero_ns),
    )


def _zero(events: list[dict[str, Any]], posts: list[dict[str, Any]], spans: list[Span]) -> int:
    """The start of the load; where unknown, of the first phase with load; else of the first entry. Unix nanoseconds."""
    for post in posts:
        data = post.get("data")
        if post.get("kind") != "replica" and isinstance(data, dict) and isinstance(data.get("load_started"), int):
            return int(data["load_started"])
    for event in events:
        if event.get("type") == "phase" and event.get("phase") in ALL_PHASES[1:]:
            return int(event["at"])
    return min([int(e["at"]) for e in events if "at" in e] + [span.start_ns for span in spans])


def _phases(
    events: list[dict[str, Any]], posts: list[dict[str, Any]], spans: list[Span], zero_ns: int
) -> tuple[list[Phase], bool]:
    begun = [(str(e["phase"]), (int(e["at"]) - zero_ns) / 1e9) for e in events if e.get("type") == "phase"]
    ended = bool(begun) and begun[-1][0] == "end"
    if not ended:
        last = max(
            [int(e["at"]) for e in events if "at" in e]
            + [int(p["at"]) for p in posts[-100:] if "at" in p]
            + [span.end_ns for span in spans],
            default=zero_ns,
        )
        begun.append(("end", (last - zero_ns) / 1e9))
    phases = [
        Phase(name, start, max(start, end), complete=ended or index < len(begun) - 2)
        for index, ((name, start), (_, end)) in enumerate(itertools.pairwise(begun))
    ]
    return phases, ended


def _faults(events: Iterable[dict[str, Any]], zero_ns: int) -> list[FaultRecord]:
    by_id: dict[str, dict[str, Any]] = {}
    for event in events:
        if event.get("type") != "fault":
            continue
        row = by_id.setdefault(str(event.get("id", "?")), {"stages": {}})
        stage, at_s = str(event.get("stage")), (int(event["at"]) - zero_ns) / 1e9
        row["stages"][stage] = at_s if stage == "reverted" else row["stages"].get(stage, at_s)
        row.update({k: v for k, v in event.items() if k in _FAULT_FIELDS and v is not None})
    return [
        FaultRecord(
            id=fault_id,
            kind=str(row.get("kind", "?")),
            targets=tuple(row.get("targets") or ()),
            pools=tuple(row.get("pools") or ()),
            params=row.get("params") or {},
            share=row.get("share"),
            only=row.get("only") or {},
            stages=row["stages"],
            hits=row.get("hits"),
            why=str(row.get("why") or ""),
            traits=traits_of(str(row.get("kind", "?")), row.get("traits")),
        )
        for fault_id, row in by_id.items()
    ]


_FAULT_FIELDS: Final = frozenset({"kind", "targets", "pools", "params", "share", "only", "hits", "why", "traits"})


def _started(events: Iterable[dict[str, Any]], zero_ns: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for e in events:
        if e.get("type") == "process" and e.get("event") == "started":
            found.setdefault(str(e.get("name", "?")), []).append((int(e["at"]) - zero_ns) / 1e9)
    return found


def _exits(events: Iterable[dict[str, Any]], zero_ns: int) -> list[ProcessExit]:
    return [
        ProcessExit(
            str(e.get("name", "?")),
            int(e.get("incarnation") or 0),
            str(e.get("kind", "")),
            (int(e["at"]) - zero_ns) / 1e9,
            e.get("status"),
            bool(e.get("expected")),
        )
        for e in events
        if e.get("type") == "process" and e.get("event") == "exited"
    ]


def _posted(events: Iterable[dict[str, Any]]) -> dict[str, int | None]:
    return {
        str(instance): (row or {}).get("ended")
        for event in events
        if event.get("type") == "spans"
        for instance, row in (event.get("instances") or {}).items()
    }


def _post(post: dict[str, Any], zero_ns: int) -> GaugePost:
    spans, ticks, data = (post.get(key) or {} for key in ("spans", "loop_ticks", "data"))
    return GaugePost(
        str(post.get("process", "?")),
        int(post.get("incarnation") or 0),
        str(post.get("kind", "")),
        (int(post["at"]) - zero_ns) / 1e9,
        bool(post.get("final")),
        int(spans.get("started") or 0),
        int(spans.get("ended") or 0),
        float(post.get("cpu_s") or 0.0),
        float(post.get("loop_lag_s") or 0.0),
        int(ticks.get("all") or 0),
        int(ticks.get("late") or 0),
        data if isinstance(data, dict) else {},
    )
