from __future__ import annotations

from reports.explanation.words import advice, doubt_of, failure_text, fault_text, undecided_notes, what_helps

GROUP = {
    "outcome": "http_5xx",
    "status": 503,
    "message": "Loading model",
    "pool": "tpu",
    "phase": "fault",
    "calls": 3,
    "sessions_lost": 1,
}
FAULT = {
    "kind": "kill",
    "targets": ["tpu-0"],
    "share": None,
    "stages": {"planned": -0.05, "injected": 20.04, "reverted": 35.0},
    "calls_met": 3,
    "calls_interrupted": 2,
    "calls_saved": 1,
    "why": "",
}


def test_a_group_says_how_many_where_and_why() -> None:
    assert failure_text(GROUP) == (
        "3 calls, 1 session lost: http_5xx with status 503 on the pool tpu in the fault phase: Loading model"
    )
    bare = {**GROUP, "calls": 1, "sessions_lost": 0, "status": None, "pool": "", "phase": ""}
    assert failure_text(bare) == "1 call: http_5xx: Loading model"


def test_a_fault_says_its_targets_and_times_and_not_when_it_was_planned() -> None:
    assert fault_text(FAULT) == "kill on tpu-0, from 20 s to 35 s; 3 calls met it, 2 were interrupted, 1 ended ok"
    assert "and not reverted" in fault_text({**FAULT, "stages": {"injected": 20.0}})
    assert fault_text({**FAULT, "stages": {}, "why": "not steady"}) == "kill on tpu-0: not injected (not steady)"
    assert fault_text({**FAULT, "share": 0.1}).startswith("kill on 10% of the requests at tpu-0")


def test_where_more_calls_may_have_met_a_fault_it_says_at_least() -> None:
    assert "; 3 calls met it" in fault_text({**FAULT, "calls_met_at_most": 3})
    assert "; at least 3 calls met it, 2 were interrupted" in fault_text({**FAULT, "calls_met_at_most": 5})
    assert "; at least 1 call met it" in fault_text({**FAULT, "calls_met": 1, "calls_met_at_most": None})


def test_what_helps_is_the_last_part_of_the_description() -> None:
    assert what_helps("A pool fails.\nWhat helps: retries,\n  migration.") == "retries, migration."
    assert what_helps("A pool fails.") == ""


def test_the_experiment_has_no_advice_for_a_run_that_failed_by_itself() -> None:
    data = {"run": {"description": "A pool fails.\nWhat helps: retries."}, "verdict": {"verdict": "fail"}}
    assert advice(data) == "retries."
    assert advice({**data, "verdict": {"verdict": "failed"}}) == ""
    assert advice({**data, "run": {"description": None}}) == ""


def test_other_upstreams_of_a_gateway_come_before_the_advice_of_the_experiment() -> None:
    data = {
        "run": {"description": "What helps: retries."},
        "verdict": {"verdict": "inconclusive"},
        "proofs": {"joins": {"other_upstreams": True}},
    }
    assert advice(data).startswith("give the gateway the replicas of this run as its upstreams, and only these")


def test_each_reason_of_undecided_gates_is_said_once() -> None:
    gates = [
        {"text": "a <= 1", "verdict": "inconclusive", "why": "0.5 s, as required (<= 1); but the machine was busy"},
        {"text": "b <= 1", "verdict": "inconclusive", "why": "0.7 s, as required (<= 1); but the machine was busy"},
        {"text": "c <= 1", "verdict": "inconclusive", "why": "too few calls"},
        {"text": "d <= 1", "verdict": "fail", "why": "2, not <= 1"},
    ]
    assert undecided_notes(gates) == [
        "not decided: a <= 1; b <= 1: the machine was busy",
        "not decided: c <= 1: too few calls",
    ]
    assert doubt_of("too few calls") == "too few calls"
