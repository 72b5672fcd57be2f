"""What the statistics of a gateway that is not ours say of the attempts that dead replicas refused."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from reports.record.gateway_statistics import GatewayStatistics

__all__ = ["known_at", "refused_between"]


def known_at(posts: Iterable[GatewayStatistics], at_s: float) -> bool:
    """Whether the gateway's statistics could be read at this time, and have the number of refused attempts."""
    last = max((post for post in posts if post.at_s <= at_s), key=lambda post: post.at_s, default=None)
    return last is not None and last.refused is not None


def refused_between(
    posts: Iterable[GatewayStatistics], begin_s: float, end_s: float, replicas: Collection[str] | None = None
) -> tuple[float, bool]:
    """How many attempts the gateway counted as refused in this time, and whether exactly so many.

    A gateway that starts again counts from 0, and nobody knows what it had counted since the last reading; where the
    statistics could not be read for a while, it may have started again too. `replicas`: only of these.
    """
    ordered = sorted(posts, key=lambda one: one.at_s)
    counts: dict[str, int] = {}
    grown, exact = 0, True
    for post in ordered:
        if post.at_s > end_s:
            break
        within = post.at_s > begin_s
        exact = exact and post.exact and not (within and post.refused is None)
        for name, replica in post.replicas.items():
            if replica.refused is None or (replicas is not None and name not in replicas):
                continue
            before = counts.get(name, 0)
            fell = replica.refused < before
            if within:
                grown += replica.refused if fell else replica.refused - before
                exact = exact and not fell
            counts[name] = replica.refused
    return float(grown), exact
