"""Whether the machine was fast enough: the load generator, the replicas' tokens, and the gateway's event loop.

Lateness first changes how long things take. Above a second limit it changes *what happens*: timeouts fire, replicas are
ejected, queues fill, sessions are lost that a quiet machine would not lose. Such a run decides nothing.

A late machine makes a target look worse, never better, as long as the load came on time. Where lateness is unknown, the
machine is not known to be fast enough.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, Final, Literal

from reports.history.evidence import Evidence
from reports.record.entries import GaugePost
from reports.record.reader import Record

__all__ = ["MACHINE_REMEDY", "MachineDoubt", "by_instance", "check_loadgen", "check_machine", "is_load"]

MACHINE_REMEDY: Final = "Stop other programs on it, play it again with --retry-inconclusive 2, or give it less load"
"""What a user can do when the machine was too slow."""

CPU_LIMIT: Final = 0.90
"""Share of a core that the load generator may use over `CPU_WINDOW_S`."""
CPU_WINDOW_S: Final = 5.0
LATE_S: Final = 0.1
"""A session is late when it starts this much after its planned time."""
LATE_SHARE_LIMIT, LATE_SHARE_SEVERE = 0.02, 0.10
"""Share of sessions that may be late; above the second, lateness changes what happens."""
TOKEN_LATENESS_LIMIT_MS: Final = 20
LATE_TOKENS_LIMIT, LATE_TOKENS_SEVERE = 0.01, 0.05
"""Share of the replicas' tokens that may be over `TOKEN_LATENESS_LIMIT_MS` late; the second as above."""
LATE_TICKS_LIMIT, LATE_TICKS_SEVERE = 0.01, 0.05
"""Share of the checks of the gateway's event loop that may find it over 50 ms late; the second as above."""
STANDSTILL_S: Final = 1.0
"""A process of ours that stood still for this long lets probes and timeouts expire that have nothing to do with it."""
SETTLE_S: Final = 1.0
"""After a fault is verified as reverted, a replica's lateness counts again after this long."""

Concern = Literal["load", "client", "lateness", "unknown"]


@dataclass(frozen=True, slots=True)
class MachineDoubt:
    """Why this machine was too slow, as text.

    `concern`: "load": the load did not come as planned. "client": the load generator may have seen answers late.
    "lateness": replicas or the gateway were late. "unknown": that is not known.
    `severe`: it changes what happens, not only how long it takes.
    """

    text: str
    concern: Concern
    severe: bool = False


def is_load(post: GaugePost) -> bool:
    """Whether a post is one of the load generator."""
    return post.kind == "load" or "arrivals" in post.data or "load_started" in post.data


def by_instance(posts: Iterable[GaugePost]) -> dict[str, list[GaugePost]]:
    """The posts of each incarnation of a process, in order."""
    found: dict[str, list[GaugePost]] = defaultdict(list)
    for post in posts:
        found[post.instance].append(post)
    return found


def check_loadgen(evidence: Evidence, begin: float, end: float) -> tuple[dict[str, Any], list[MachineDoubt]]:
    """The figures of the load generator from `begin` to `end` (seconds), and the doubts that they raise."""
    record = evidence.record
    posts = [post for post in record.gauges if is_load(post)]
    cpu = max((_worst_cpu(own, begin, end) for own in by_instance(posts).values()), default=math.nan)
    # Each worker has its own counters: add up the last post of each.
    last = [own[-1].data for own in by_instance(posts).values()]
    planned, arrivals, late = (
        sum(_number(data.get(key)) for data in last) for key in ("arrivals_planned", "arrivals", "late_arrivals")
    )
    counted = bool(last) and all(isinstance(data.get("arrivals"), int) for data in last)
    if not last:
        arrivals = len(evidence.calls.sessions)
        late = sum(session.lateness_s > LATE_S for session in evidence.calls.sessions)
        planned = arrivals
    share = late / arrivals if arrivals else 0.0
    lateness = sorted(session.lateness_s for session in evidence.calls.sessions)
    doubts = []
    if not counted or not any(begin <= post.at_s <= end for post in posts):
        doubts.append(
            MachineDoubt(
                "the load generator's counters are missing or cannot be read: its lateness is unknown", "unknown"
            )
        )
    if cpu > CPU_LIMIT:
        text = f"the load generator used {cpu:.0%} of a core over {CPU_WINDOW_S:g} s (limit {CPU_LIMIT:.0%})"
        doubts.append(MachineDoubt(text, "client"))
    if share > LATE_SHARE_LIMIT:
        text = f"{share:.1%} of the sessions started over {LATE_S * 1000:.0f} ms late (limit {LATE_SHARE_LIMIT:.0%})"
        doubts.append(MachineDoubt(text, "load", severe=share > LATE_SHARE_SEVERE))
    within = [post for post in posts if begin <= post.at_s <= end]
    doubts += _standstill("the load generator", within)
    return {
        "arrivals_planned": planned,
        "arrivals": arrivals,
        "late_arrivals": late,
        "late_share": share,
        "worst_lateness_s": lateness[-1] if lateness else None,
        "worst_cpu": None if math.isnan(cpu) else cpu,
        "sound": not doubts,
    }, doubts


def _number(value: object) -> int:
    """A counter; 0 where it cannot be read."""
    return value if isinstance(value, int) else 0


def _worst_cpu(posts: list[GaugePost], begin: float, end: float) -> float:
    """The highest share of a core used over 5 s; over the whole time where that is shorter. NaN: unknown."""
    within = [post for post in posts if begin <= post.at_s <= end]
    if len(within) < 2:
        return math.nan
    worst, first = 0.0, 0
    for index, post in enumerate(within):
        while within[first + 1].at_s <= post.at_s - CPU_WINDOW_S and first + 1 < index:
            first += 1
        elapsed = post.at_s - within[first].at_s
        if elapsed >= CPU_WINDOW_S * 0.9 or (index == len(within) - 1 and first == 0 and elapsed > 0):
            worst = max(worst, (post.cpu_s - within[first].cpu_s) / elapsed)
    return worst


def check_machine(evidence: Evidence, begin: float, end: float) -> tuple[dict[str, Any], list[MachineDoubt]]:
    """The lateness of replicas and gateway from `begin` to `end` (seconds), and the doubts that it raises."""
    record = evidence.record
    lateness = _token_lateness(record, begin, end)
    count, on_time = lateness.get("count", 0), lateness.get(str(TOKEN_LATENESS_LIMIT_MS), 0)
    gateway = [post for post in record.gauges if post.kind == "gateway" and begin <= post.at_s <= end]
    late_ticks = _late_ticks(gateway)
    late_tokens = 1 - on_time / count if count else 0.0
    doubts = list(_unknown(evidence, begin, end, late_ticks))
    if late_tokens > LATE_TOKENS_LIMIT + 1e-12:
        text = f"{late_tokens:.1%} of the replicas' tokens were over {TOKEN_LATENESS_LIMIT_MS} ms late"
        text += f" (limit {LATE_TOKENS_LIMIT:.0%})"
        doubts.append(MachineDoubt(text, "lateness", severe=late_tokens > LATE_TOKENS_SEVERE + 1e-12))
    if late_ticks is not None and late_ticks > LATE_TICKS_LIMIT:
        text = f"the gateway's event loop was over 50 ms late in {late_ticks:.1%} of the checks"
        text += f" (limit {LATE_TICKS_LIMIT:.0%})"
        doubts.append(MachineDoubt(text, "lateness", severe=late_ticks > LATE_TICKS_SEVERE))
    faulted = _faulted(record, end)
    for name in ["gateway", *(replica.name for replica in record.replicas)]:
        own = [post for post in record.gauges if post.process == name and begin <= post.at_s <= end]
        on = faulted.get(name, [])
        doubts += _standstill(name, [p for p in own if not any(at <= p.at_s <= over for at, over in on)])
    return {
        "tokens": count,
        "token_lateness_p99_ms": _bucket_quantile(lateness, 0.99),
        "token_lateness_buckets": {key: value for key, value in lateness.items() if key != "count"},
        "gateway_loop_late_share": late_ticks,
        "gateway_loop_lag_max_s": max((post.loop_lag_s for post in gateway), default=None),
        "cores": record.machine.get("cores"),
        "memory_bytes": record.machine.get("memory_bytes"),
        "python": record.machine.get("python"),
        "kernel": record.machine.get("kernel"),
        "sound": not doubts,
    }, doubts


def _standstill(who: str, posts: Iterable[GaugePost]) -> list[MachineDoubt]:
    longest = max((post.loop_lag_s for post in posts), default=0.0)
    if longest < STANDSTILL_S:
        return []
    text = f"the process of {who} stood still for {longest:.1f} s (limit {STANDSTILL_S:g} s)"
    return [MachineDoubt(text, "load" if who == "the load generator" else "lateness", severe=True)]


def _unknown(evidence: Evidence, begin: float, end: float, late_ticks: float | None) -> Iterator[MachineDoubt]:
    """What is not known of the lateness of gateway and replicas, where the run had them."""
    record = evidence.record
    if evidence.calls.has_gateway and late_ticks is None:
        yield MachineDoubt("the gateway's counters are missing or cannot be read: its lateness is unknown", "unknown")
    read = Counter(post.instance for post in record.gauges if begin <= post.at_s <= end and _buckets(post))
    known = {instance.rpartition("#")[0] for instance, posts in read.items() if posts > 1}
    known |= {name for fault in record.faults for name in fault.targets}  # not judged while they have a fault
    served = {request.replica for call in evidence.calls.calls for request in call.replica_requests}
    silent = sorted(replica.name for replica in record.replicas if replica.name in served - known)
    if silent:
        text = f"the counters of {', '.join(silent)} are missing or cannot be read: the lateness of tokens is unknown"
        yield MachineDoubt(text, "unknown")


def _late_ticks(posts: list[GaugePost]) -> float | None:
    """The share of checks of the event loop that found it over 50 ms late; None without checks."""
    ticks = late = 0
    for own in by_instance(posts).values():
        ticks += own[-1].loop_ticks - own[0].loop_ticks
        late += own[-1].late_ticks - own[0].late_ticks
    return late / ticks if ticks else None


def _faulted(record: Record, end: float) -> dict[str, list[tuple[float, float]]]:
    """When each process had a fault, with the time in which it settles."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for fault in record.faults:
        if fault.injected_s is not None:
            over = fault.stages.get("verified", fault.stages.get("reverted", end))
            for name in fault.targets:
                found[name].append((fault.injected_s, over + SETTLE_S))
    return found


def _token_lateness(record: Record, begin: float, end: float) -> dict[str, int]:
    """Tokens by lateness from baseline to recovery, without those of a replica while it has a fault."""
    faulted = _faulted(record, end)
    total: dict[str, int] = defaultdict(int)
    for own in by_instance(post for post in record.gauges if post.kind == "replica").values():
        for before, after in pairwise(own):
            if after.at_s < begin or before.at_s > end:
                continue
            if any(after.at_s > on and before.at_s < off for on, off in faulted.get(after.process, ())):
                continue
            now, then = _buckets(after), _buckets(before)
            for key, value in now.items():
                total[key] += max(0, value - then.get(key, 0))
    return dict(total)


def _buckets(post: GaugePost) -> dict[str, int]:
    """Tokens by lateness in milliseconds, cumulated; empty where the post has none that can be read."""
    lateness: Any = post.data.get("token_lateness_ms")
    try:
        counts = {f"{float(key):g}": int(value) for key, value in lateness["buckets"].items()}
        keys = sorted(counts, key=float)
        count = int(lateness["count"])
    except (TypeError, KeyError, ValueError, AttributeError):
        return {}
    return {"count": count, **dict(zip(keys, accumulate(counts[key] for key in keys), strict=True))}


def _bucket_quantile(buckets: dict[str, int], q: float) -> float | None:
    """The upper bound of the bucket with the quantile; None without tokens, infinite beyond the last bound."""
    count = buckets.get("count", 0)
    if not count:
        return None
    bounds = sorted(float(key) for key in buckets if key not in ("count", "inf"))
    return next((bound for bound in bounds if buckets[f"{bound:g}"] >= q * count), math.inf)
