"""The queue of requests that found no place. Exact times."""

from __future__ import annotations

from targets.gateway.config import Queue
from targets.gateway.policies.overload.queue import QueueEntry, RequestQueue

CONFIG = Queue(max_length=4, interval_s=1.0, target_s=0.5, prefill_factor=1.0, longest_s=10.0)


def line(config: Queue = CONFIG) -> RequestQueue[QueueEntry]:
    return RequestQueue(config)


def offer(at: RequestQueue[QueueEntry], now: float, priority: int = 0, *, promised: bool = False) -> QueueEntry:
    waiting = QueueEntry(priority)
    at.offer(now, waiting, 0.0, promised=promised)
    return waiting


def test_the_oldest_entry_goes_first() -> None:
    at = line()
    first, second = offer(at, 0.0), offer(at, 0.1)
    assert [at.take(0.2), at.take(0.2), at.take(0.2)] == [first, second, None]


def test_the_newest_entry_goes_first_while_the_queue_is_overloaded() -> None:
    at = line()
    first = offer(at, 0.0)
    second = offer(at, 0.9)
    at.drop(1.1)  # end of the first interval: its lowest delay was 0, while the queue was empty
    assert not at.overloaded
    third = offer(at, 1.2)
    at.drop(2.1)
    assert at.overloaded
    assert len(at) == 1
    fourth = offer(at, 2.15)
    assert at.take(2.2) is fourth
    assert at.take(2.2) is third
    assert first.removed
    assert second.removed


def test_better_tiers_go_first_and_promised_entries_before_all() -> None:
    at = line()
    batch, paid, kept = offer(at, 0.0, 2), offer(at, 0.1, 1), offer(at, 0.2, 2, promised=True)
    assert [at.take(0.3) for _ in range(3)] == [kept, paid, batch]


def test_a_full_queue_removes_the_newest_entry_of_the_lowest_tier() -> None:
    at = line()
    older, newer, paid, other = (offer(at, n / 10, tier) for n, tier in enumerate((2, 2, 1, 1)))
    assert at.offer(0.5, QueueEntry(0), 0.0) is newer
    mine = QueueEntry(2)
    assert at.offer(0.6, mine, 0.0) is mine
    assert at.offer(0.7, QueueEntry(1), 0.0) is older
    assert len(at) == 4
    assert not paid.removed
    assert not other.removed


def test_entries_above_twice_the_target_are_dropped_under_overload_only() -> None:
    at = line()
    old = offer(at, 0.0)
    assert at.drop(1.2) == []
    dropped = at.drop(2.3)
    assert [(waiting, why) for waiting, why in dropped] == [(old, "waited 2.30 s in the queue, more than 1.00 s")]
    assert len(at) == 0


def test_no_entry_is_dropped_before_longest_s_while_no_replica_is_available() -> None:
    at = line()
    old = offer(at, 0.0)
    for now in (1.2, 2.3, 9.9):
        assert at.drop(now, served=False) == []
    assert [waiting for waiting, _ in at.drop(10.1, served=False)] == [old]


def test_entries_that_waited_through_an_outage_go_first_and_are_kept() -> None:
    at = line()
    batch, paid = offer(at, 0.0, 2), offer(at, 1.0, 1)
    at.drop(5.0, served=False)
    late = offer(at, 5.1, 0)
    for now in (6.2, 7.3):
        assert [waiting for waiting, _ in at.drop(now)] == ([late] if now == 7.3 else [])
    assert len(at) == 2
    assert {at.take(7.4), at.take(7.4)} == {paid, batch}


def test_promised_entries_are_dropped_only_after_longest_s() -> None:
    at = line()
    kept = offer(at, 0.0, promised=True)
    for now in (1.1, 2.2, 9.9):
        assert at.drop(now) == []
    assert at.drop(10.1) == [(kept, "waited 10.10 s in the queue, more than 10.00 s")]


def test_the_target_follows_the_average_prefill() -> None:
    at = line()
    at.offer(0.0, QueueEntry(0), 2.0)
    assert at.target_s == 2.0
    at.offer(0.0, QueueEntry(0), 1.0)
    assert at.target_s == 1.9  # 2 + 0.1 x (1 - 2)
    assert line().target_s == 0.5


def test_a_removed_entry_is_skipped_and_not_counted() -> None:
    at = line()
    first, second, third = offer(at, 0.0), offer(at, 0.0), offer(at, 0.0)
    at.remove(second)
    at.remove(second)
    at.remove(first)
    assert len(at) == 1
    assert at.take(0.1) is third
    assert at.take(0.1) is None
    assert len(at) == 0


def test_a_protected_entry_behind_a_better_tier_is_dropped_after_longest_s() -> None:
    at = line()
    batch, better = offer(at, 0.0, 2), offer(at, 4.0, 0)
    at.drop(5.0, served=False)
    assert [waiting for waiting, _ in at.drop(10.1, served=False)] == [batch]
    assert [waiting for waiting, _ in at.drop(14.1, served=False)] == [better]
    assert len(at) == 0
