"""Admission, places, the queue and degradation together. Exact times, no I/O."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import count

from reports.shared.tenancy import Account
from targets.gateway.config import Admission, Concurrency, Degradation, GatewayPolicies, Queue, Tier
from targets.gateway.policies.overload.admission import Refused
from targets.gateway.policies.overload.degradation import Degraded
from targets.gateway.routing.admission import AdmissionRequest, Admitted, Queued, RequestAdmission

KEYS = count()


class Places:
    """Places as a router would count them."""

    def __init__(self, places: int) -> None:
        self.places = places
        self.in_flight = 0

    def capacity(self) -> tuple[float, int, float]:
        return self.places, self.in_flight, max(0, self.places - self.in_flight)


class Rig:
    """The admission of one gateway, and the results of queued requests by tenant."""

    def __init__(self, places: int = 1, **policies: object) -> None:
        self.replicas = Places(places)
        made = {"concurrency": Concurrency(kind="fixed"), "queue": QUEUE, **policies}
        self.admission = RequestAdmission(GatewayPolicies(**made), self.replicas)  # type: ignore[arg-type]
        self.results: dict[str, Admitted | Refused] = {}

    def admit(self, now: float, name: str, tier: str = "", key: Hashable = None) -> Admitted | Queued | Refused:
        known: Hashable = next(KEYS) if key is None else key
        request = AdmissionRequest(Account(name, tier), 100, 100, lambda: known)

        def notify(result: Admitted | Refused) -> None:
            self.results.setdefault(name, result)

        return self.admission.admit(now, request, notify)

    def serve(self, admitted: Admitted | Queued | Refused) -> Admitted:
        assert isinstance(admitted, Admitted)
        self.admission.attempt_started(admitted)
        self.replicas.in_flight += 1
        return admitted

    def end(self, now: float, admitted: Admitted, tokens: int = 10) -> None:
        self.replicas.in_flight -= 1
        self.admission.ended(now, admitted, 100, tokens)


QUEUE = Queue(max_length=2, interval_s=1.0, target_s=0.5, prefill_factor=0.0, longest_s=5.0)
TIERS = Admission(tiers={"subscription": Tier(), "batch": Tier(shed_at=1.0)}, trickle=0.5)


def test_an_admitted_request_holds_its_place_before_its_attempt_starts() -> None:
    at = Rig(places=1)
    assert isinstance(at.admit(0.0, "a"), Admitted)
    assert at.admission.load() == 1.0
    assert isinstance(at.admit(0.0, "b"), Queued)


def test_a_queued_request_is_admitted_when_a_place_is_free() -> None:
    at = Rig(places=1)
    first = at.serve(at.admit(0.0, "a"))
    at.admit(0.1, "b")
    at.admit(0.2, "c")
    assert at.admission.queued == 2
    at.end(0.3, first)
    assert isinstance(at.results["b"], Admitted)
    assert set(at.results) == {"b"}
    second = at.serve(at.results["b"])
    at.end(0.4, second)
    assert isinstance(at.results["c"], Admitted)


def test_a_new_request_does_not_overtake_queued_ones() -> None:
    at = Rig(places=1)
    first = at.serve(at.admit(0.0, "a"))
    at.admit(0.1, "b")
    at.replicas.places = 2  # a limit grew, and the queue was not dispatched yet
    assert isinstance(at.admit(0.2, "c"), Queued)
    assert isinstance(at.results["b"], Admitted)
    assert "c" not in at.results
    at.end(0.3, first)
    assert isinstance(at.results["c"], Admitted)


def test_a_better_tier_leaves_the_queue_first() -> None:
    at = Rig(places=1, admission=Admission(tiers={"subscription": Tier(), "batch": Tier()}))
    first = at.serve(at.admit(0.0, "a", "batch"))
    at.admit(0.1, "b", "batch")
    at.admit(0.2, "s", "subscription")
    at.end(0.3, first)
    assert set(at.results) == {"s"}


def test_without_a_queue_a_request_without_a_place_is_refused() -> None:
    at = Rig(places=1, queue=None)
    at.serve(at.admit(0.0, "a"))
    assert at.admit(0.0, "b") == Refused(503, "every replica is at its limit", 1.0)


def test_a_full_queue_refuses_with_the_time_to_drain() -> None:
    at = Rig(places=1)
    for now in (0.0, 0.1):  # two completions: 2 / 5 s
        at.end(now, at.serve(at.admit(now, "x")))
    at.serve(at.admit(0.2, "a"))
    at.admit(0.2, "b")
    at.admit(0.2, "c")
    assert at.admit(0.2, "d") == Refused(503, "the queue is full", 3.0)  # 3 requests / the minimum of 1 per second


def test_a_request_dropped_under_overload_gets_a_promise() -> None:
    at = Rig(places=1, admission=TIERS)
    at.serve(at.admit(0.0, "a"))
    at.admit(0.0, "b", key="b")
    for now in (0.5, 1.0, 2.1):
        at.admission.advance(now)
    refused = at.results["b"]
    assert isinstance(refused, Refused)
    assert (refused.status, refused.retry_after_s) == (503, 2.0)
    assert refused.why == "b (subscription): waited 2.10 s in the queue, more than 1.00 s"
    at.admit(2.2, "s")
    again = at.admit(4.1, "b", key="b")
    assert isinstance(again, Queued)
    at.replicas.places = 2
    at.results.clear()
    at.admission.dispatch(4.2)
    assert set(at.results) == {"b"}  # before the request that arrived earlier


def test_the_lowest_tier_is_shed_at_full_load_and_its_promise_is_kept() -> None:
    at = Rig(places=1, admission=TIERS)
    first = at.serve(at.admit(0.0, "a", "subscription"))
    refused = at.admit(0.0, "b", "batch", key="b")
    assert refused == Refused(429, "b (batch): shed at load 1.00 (threshold 1)", 2.0)
    again = at.admit(2.0, "b", "batch", key="b")
    assert isinstance(again, Queued)
    at.end(2.1, first)
    assert isinstance(at.results["b"], Admitted)


def test_a_client_that_disconnects_from_the_queue_leaves_no_load() -> None:
    at = Rig(places=1)
    first = at.serve(at.admit(0.0, "a"))
    held = at.admit(0.1, "b")
    assert isinstance(held, Queued)
    at.admission.abandoned(0.2, held)
    assert at.admission.queued == 0
    at.end(0.3, first)
    assert at.results == {}
    assert at.admission.load() == 0.0


def test_a_response_is_degraded_by_the_load_at_its_admission() -> None:
    tiers = Admission(tiers={"batch": Tier()}, default_tier="batch")
    dim = Degradation(tiers=("batch",), from_load=0.5, to_load=1.0, least_share=0.5)
    at = Rig(places=4, admission=tiers, degradation=dim)
    degraded = [at.serve(at.admit(0.0, name, "batch")).degraded for name in "abcd"]
    assert degraded == [None, None, None, Degraded(75)]


def test_a_retry_is_queued_only_while_no_replica_is_available() -> None:
    at = Rig(places=1)
    first = at.serve(at.admit(0.0, "a"))
    assert at.admission.queue_retry(0.1, first, lambda answer: None) is None
    at.replicas.in_flight, at.replicas.places = 0, 0
    assert isinstance(at.admit(0.2, "b"), Queued)
    results: list[Admitted | Refused] = []
    assert isinstance(at.admission.queue_retry(0.3, first, results.append), Queued)
    at.admission.advance(4.0)
    assert results == []
    at.replicas.places = 1
    at.admission.advance(4.1)
    assert len(results) == 1
    assert isinstance(results[0], Admitted)
    assert "b" not in at.results


def test_during_an_outage_only_a_full_queue_sheds_requests() -> None:
    at = Rig(places=0, admission=TIERS, queue=Queue(max_length=4, longest_s=5.0))
    assert [type(at.admit(0.0, name, "batch")) for name in "abcd"] == [Queued] * 4
    assert at.admission.load() == 1.0
    assert isinstance(at.admit(0.0, "e", "batch"), Refused)


def test_without_limits_no_load_is_seen_and_no_request_is_shed() -> None:
    at = Rig(places=1, concurrency=None, queue=None, admission=TIERS)
    for name in "abc":
        at.serve(at.admit(0.0, name, "batch"))
