"""Evidence of runs whose truth is known: sessions of calls, drawn from a stationary process, without any file.

The calls of a session share a part of their luck: `correlation` is the share of the variance that lies between
sessions, 0 to 1. Nothing happens in these runs, so that a phase boundary in them means nothing.
"""

from __future__ import annotations

import math
from pathlib import Path
from statistics import NormalDist
from typing import Any, Final

import numpy as np

from reports.gates.validity import Proofs
from reports.history.calls import Call, Calls, Session, phase_at, slo_phase
from reports.history.evidence import Columns, Evidence
from reports.history.statistics import FloatArray, IntArray
from reports.record.entries import Phase
from reports.record.reader import Record
from reports.record.spans import Span, SpanFiles
from reports.shared.attributes import SessionOutcome

__all__ = ["HEAVY_TAIL", "SOUND", "evidence_of", "good_or_bad", "latencies", "quantile", "sizes", "stream_of_sessions"]

SOUND: Final = Proofs({}, {}, (), (), {}, ())
"""The proofs of a run that nothing is wrong with."""

HEAVY_TAIL: Final = (1, 100)
"""Fewest and most calls of sessions whose sizes have a heavy tail."""

_SLO_S: Final = 1.0
_SPAN: Final = Span(b"", b"", b"", "chat", "", "", 0, 0, False, {}, [])


def sizes(rng: np.random.Generator, sessions: int, calls: int | tuple[int, int]) -> FloatArray:
    """The number of calls of each session: all the same, or uniform between two numbers.

    From 1 to 100 they have a heavy tail instead (Pareto with exponent 1.5), as recorded sessions have.
    """
    if isinstance(calls, int):
        return np.full(sessions, float(calls))
    if calls == HEAVY_TAIL:
        return np.minimum(np.ceil(rng.pareto(1.5, sessions) + 1e-9), HEAVY_TAIL[1]).astype(np.float64)
    return rng.integers(calls[0], calls[1] + 1, sessions).astype(np.float64)


def good_or_bad(rng: np.random.Generator, offered: FloatArray, share: float, correlation: float) -> FloatArray:
    """For each session, how many of its calls are good; on average this share (beta-binomial)."""
    counts = offered.astype(np.int64)
    if correlation <= 0:
        return rng.binomial(counts, share).astype(np.float64)
    if correlation >= 1:
        return np.where(rng.random(offered.size) < share, offered, 0.0)
    rest = (1 - correlation) / correlation
    return rng.binomial(counts, rng.beta(share * rest, (1 - share) * rest, offered.size)).astype(np.float64)


def latencies(rng: np.random.Generator, offered: FloatArray, correlation: float) -> tuple[FloatArray, IntArray]:
    """Log-normal latencies of all calls (median 1), and the session of each. The p-quantile is exp(z_p)."""
    session_of = np.repeat(np.arange(offered.size, dtype=np.int64), offered.astype(np.int64))
    own = rng.standard_normal(session_of.size) * math.sqrt(1 - correlation)
    return np.exp(own + rng.standard_normal(offered.size)[session_of] * math.sqrt(correlation)), session_of


def quantile(q: float) -> float:
    """The true q-quantile of `latencies`."""
    return math.exp(NormalDist().inv_cdf(q))


def evidence_of(
    *,
    session_of: IntArray,
    sent: FloatArray,
    ttft: FloatArray,
    e2e: FloatArray,
    good: FloatArray,
    tokens: FloatArray,
    boundaries: dict[str, float],
    seed: int = 1,
) -> Evidence:
    """The evidence of a run with these calls. `boundaries`: when each phase begins, and `end`, in seconds."""
    names, begins = list(boundaries), list(boundaries.values())
    phases = [Phase(name, begins[n], begins[n + 1], True) for n, name in enumerate(names[:-1])]
    order = np.argsort(sent, kind="stable")
    session_of = session_of[order]
    sent, ttft, e2e, good, tokens = (column[order] for column in (sent, ttft, e2e, good, tokens))
    fault = next((phase for phase in phases if phase.name == "fault"), None)
    calls = [
        _call(f"s{s}", at, late, long, bool(fine), int(count))
        for s, at, late, long, fine, count in zip(session_of, sent, ttft, e2e, good, tokens, strict=True)
    ]
    for call in calls:
        call.phase = phase_at(phases, call.sent_s)
        call.slo_phase = slo_phase(phases, call.sent_s, call.end_s, fault)
    sessions = _sessions(calls, phases)
    index = {session.id: number for number, session in enumerate(sessions)}
    count = len(calls)
    columns = Columns(
        session=np.array([index[call.session] for call in calls], dtype=np.int64),
        sent=sent,
        end=sent + e2e,
        ttft=ttft,
        tpot=np.full(count, np.nan),
        e2e=e2e,
        max_gap=np.full(count, np.nan),
        lateness=np.zeros(count),
        tokens=tokens,
        ok=np.ones(count, dtype=np.bool_),
        good=good.astype(np.bool_),
        phase=np.array([call.phase for call in calls], dtype=np.str_),
        slo_phase=np.array([call.slo_phase for call in calls], dtype=np.str_),
        pool=np.full(count, "gpu"),
        tenant=np.full(count, ""),
        tier=np.full(count, ""),
    )
    joined = Calls(calls, sessions, [], [], [], {}, True, False, False, 0)
    return Evidence(_record(phases, seed), joined, columns, [])


def stream_of_sessions(rng: np.random.Generator, *, rate: float, seconds: float) -> dict[str, Any]:
    """The columns of `evidence_of` for sessions that arrive as a Poisson process before and during `seconds`.

    One call of ten lasts 10 to 30 s and has a third of the tokens: as with agents, the work sits in few calls.
    """
    warm_s = 90.0
    starts = np.sort(rng.uniform(-warm_s, seconds, rng.poisson(rate * (seconds + warm_s))))
    offered = rng.integers(2, 9, starts.size)
    session_of, sent, e2e = [], [], []
    for number, (start, calls) in enumerate(zip(starts, offered, strict=True)):
        at = start
        for _ in range(calls):
            length = float(rng.uniform(10, 30) if rng.random() < 0.1 else rng.uniform(0.5, 3))
            session_of.append(number)
            sent.append(at)
            e2e.append(length)
            at += length + float(rng.exponential(0.5))
    lengths = np.array(e2e)
    return {
        "session_of": np.array(session_of, dtype=np.int64),
        "sent": np.array(sent),
        "ttft": np.minimum(rng.lognormal(-1.5, 0.6, lengths.size), lengths / 2),
        "e2e": lengths,
        "good": (rng.random(lengths.size) < 0.985).astype(np.float64),
        "tokens": np.ceil(lengths * 40),
    }


def _call(session: str, sent: float, ttft: float, e2e: float, good: bool, tokens: int) -> Call:
    return Call(
        _SPAN, session, "main", 0, "", float(sent), float(sent + e2e), "ok", float(ttft), float(e2e), math.nan,
        math.nan, 0.0, tokens, good=good, pool="gpu", replica="gpu-0",
    )  # fmt: skip


def _sessions(calls: list[Call], phases: list[Phase]) -> list[Session]:
    grouped: dict[str, list[Call]] = {}
    for call in calls:
        grouped.setdefault(call.session, []).append(call)
    return [
        Session(
            name, "", own[0].sent_s, max(call.end_s for call in own), phase_at(phases, own[0].sent_s),
            SessionOutcome.SUCCEEDED, "", 0.0, own,
        )
        for name, own in grouped.items()
    ]  # fmt: skip


def _record(phases: list[Phase], seed: int) -> Record:
    replica = {"name": "gpu-0", "pool": "gpu", "cloud": "a", "hardware": "h", "chips": 1, "usd_per_hour": 36.0}
    experiment = {"slo": {"ttft": _SLO_S}, "seed": seed, "stack": {"replicas": [replica]}}
    return Record(Path(), experiment, 0, phases, [], [], [], [], {}, [], {}, [], SpanFiles(), True)
