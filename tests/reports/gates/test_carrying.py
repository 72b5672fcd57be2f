"""A gateway that is not ours that cannot carry the load is a finding; a slow stack that is healthy is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reports.analysis import analyse
from reports.gates.carrying import Carrying, carrying
from reports.gates.validity import prove
from tests.support.record_builder import RecordBuilder, Up
from tests.support.record_results import evidence_of

BEHIND = {"url": "http://127.0.0.1:4100", "model": "m", "replicas": {"stack": "two-pools", "first_port": 18201}}
BASELINE_S = (5.0, 20.0)


@pytest.fixture
def behind(record: RecordBuilder) -> RecordBuilder:
    """A run with a gateway that is not ours in front of our replicas, on a machine that is fast enough."""
    record.experiment["target"] = BEHIND
    record.has_gateway = False
    record.load_gauges()
    return record


def sent(until_s: float = 20.0, every_s: float = 0.25) -> Iterator[tuple[str, float]]:
    """The name and the time of each call from the begin of the load on."""
    for number in range(int(until_s / every_s)):
        yield f"s{number}", number * every_s


def serve(record: RecordBuilder, name: str, at: float, **how: Any) -> None:
    record.call(name, 0, at, **how)
    record.session(name, at, at + 1.0)


def hang(record: RecordBuilder, name: str, at: float, ups: tuple[Up, ...] = ()) -> None:
    """No token until the load generator gives up at the end of the run."""
    record.call(name, 0, at, ups=ups, ttft=None, outcome="abandoned", until=20.0)
    record.session(name, at, 20.0, "unfinished")


def saturate(record: RecordBuilder, served_every: int = 20) -> None:
    for number, (name, at) in enumerate(sent()):
        if number % served_every == 0:
            serve(record, name, at)
        else:
            hang(record, name, at)


def used(record: RecordBuilder, busiest: float, waiting: float = 0.0) -> None:
    for second in range(21):
        record.event("gateway_cpu", second + 0.5, cores=busiest, busiest=busiest, waiting=waiting)


def found(record: RecordBuilder) -> Carrying | None:
    evidence = evidence_of(record)
    return carrying(evidence, prove(evidence).latency_doubts)


# -- the finding ------------------------------------------------------------------------------------------------------
def test_a_saturated_gateway_is_found_with_its_numbers(behind: RecordBuilder) -> None:
    saturate(behind)
    one = found(behind)
    assert one is not None
    assert (one.served, one.judged, round(one.calls_per_s, 1)) == (3, 38, 0.2)
    assert one.text.startswith(
        "the gateway cannot carry the load: it served 3 of 38 calls in the baseline, and carries about 0.2 calls/s; "
    )


@pytest.mark.parametrize(
    ("rate", "text"), [(0.2, "0.2 calls/s"), (0.96, "1 call/s"), (1.0, "1 call/s"), (3, "3 calls/s")]
)
def test_one_call_a_second_is_one_call(rate: float, text: str) -> None:
    one = Carrying(3, 38, rate, "unknown", None, "why", "helps", "in the baseline")
    assert one.text.endswith(f"carries about {text}; why")


@pytest.mark.parametrize(
    ("busiest", "waiting", "limit", "says"),
    [
        (0.97, 0.0, "gateway", "its own process was the limit: its busiest thread used 97% of a core"),
        (0.12, 0.0, "other", "its own process was not the limit: its busiest thread used 12% of a core"),
        (0.60, 0.35, "unknown", "used 60% of a core, and waited for a free one 35% of the time"),
        (None, 0.0, "unknown", "is not known, because its use of CPU could not be measured"),
    ],
)
def test_the_cpu_of_the_gateway_says_what_the_limit_was(
    behind: RecordBuilder, busiest: float | None, waiting: float, limit: str, says: str
) -> None:
    saturate(behind)
    if busiest is not None:
        used(behind, busiest, waiting)
    one = found(behind)
    assert one is not None
    assert one.limit == limit
    assert one.text.endswith(says)
    assert "--scale auto" in one.helps


def test_a_doubt_about_the_machine_leaves_the_limit_unknown(behind: RecordBuilder) -> None:
    saturate(behind)
    used(behind, 0.97)
    one = carrying(evidence_of(behind), ("3% of the replicas' tokens were late",))
    assert one is not None
    assert one.limit == "unknown"
    assert one.text.endswith("but 3% of the replicas' tokens were late")


def test_answers_that_come_far_too_late_are_not_served(behind: RecordBuilder) -> None:
    for name, at in sent():
        serve(behind, name, at, ttft=8.0, ups=[Up("gpu-0", at + 7.9, at + 8.2, passed_on=11)])
    one = found(behind)
    assert one is not None
    assert one.served == 0


def test_rejected_calls_are_not_served(behind: RecordBuilder) -> None:
    for name, at in sent():
        behind.call(name, 0, at, ups=[], ttft=None, outcome="http_5xx")
    assert found(behind) is not None


def test_a_gateway_that_only_closes_connections_still_listens(behind: RecordBuilder) -> None:
    used(behind, 0.97)
    for name, at in sent():
        if at < 8.0:
            serve(behind, name, at)
        else:
            behind.call(name, 0, at, ups=[], ttft=None, outcome="reset")
    one = found(behind)
    assert one is not None
    assert (one.down_s, one.limit) == (None, "gateway")


@pytest.mark.parametrize("outcome", ["refused", "reset"])
def test_a_gateway_that_died_in_the_baseline_is_down_and_not_slow(behind: RecordBuilder, outcome: str) -> None:
    used(behind, 0.97)
    for name, at in sent():
        if at < 8.0:
            serve(behind, name, at)
        else:
            behind.call(name, 0, at, ups=[], ttft=None, outcome=outcome if at < 14.0 else "refused")
    one = found(behind)
    assert one is not None
    assert one.text == (
        "the gateway refused or closed connections from 8.1 s on: it served 12 of 60 calls in the baseline; "
        "it died or stopped listening"
    )
    assert (one.limit, one.reason) == ("unknown", one.text.partition(";")[0])
    assert "--scale" not in one.helps
    assert "start it again" in one.helps


def test_connections_that_fail_between_served_calls_are_a_gateway_that_is_too_slow(behind: RecordBuilder) -> None:
    for number, (name, at) in enumerate(sent()):
        if number % 3 == 0:
            serve(behind, name, at)
        else:
            behind.call(name, 0, at, ups=[], ttft=None, outcome="refused")
    one = found(behind)
    assert one is not None
    assert one.down_s is None
    assert "cannot carry the load" in one.text


# -- false alarms -----------------------------------------------------------------------------------------------------
def test_a_slow_stack_that_serves_every_call_is_no_finding(behind: RecordBuilder) -> None:
    for name, at in sent():
        serve(behind, name, at, ttft=5.5)  # nearly three times the objective
    assert found(behind) is None


def test_long_calls_that_are_open_at_the_end_of_the_baseline_are_served(behind: RecordBuilder) -> None:
    for name, at in sent():
        serve(behind, name, at, ttft=1.0, token_s=1.0, tokens=40)
    assert found(behind) is None


def test_streams_that_the_end_of_the_run_cut_off_are_served(behind: RecordBuilder) -> None:
    for name, at in sent():
        behind.call(name, 0, at, ttft=1.0, outcome="abandoned")
    assert found(behind) is None


@pytest.mark.parametrize(("after_s", "is_finding"), [(5.9, False), (6.1, True)])
def test_calls_that_their_client_abandoned_early_are_not_judged(
    behind: RecordBuilder, after_s: float, is_finding: bool
) -> None:
    for number, (name, at) in enumerate(sent()):
        if number % 3 == 0:
            serve(behind, name, at)
        else:
            behind.call(name, 0, at, ups=[], ttft=None, outcome="abandoned", until=at + after_s)
    one = found(behind)
    assert (one is not None) == is_finding


def test_calls_sent_just_before_the_end_of_the_baseline_are_not_judged(behind: RecordBuilder) -> None:
    for name, at in sent():
        (serve if at <= 14.0 else hang)(behind, name, at)
    assert found(behind) is None


def test_a_gateway_that_holds_answers_back_until_they_are_complete_serves(behind: RecordBuilder) -> None:
    for name, at in sent():
        serve(behind, name, at, ttft=14.0, token_s=0.0, tokens=100)  # 6 s, and 100 tokens of 0.1 s each
    assert found(behind) is None


@pytest.mark.parametrize("outcome", ["abandoned", "http_5xx"])
def test_replicas_that_are_the_limit_are_no_finding(behind: RecordBuilder, outcome: str) -> None:
    for name, at in sent():
        queue = [(at + 0.01, at + 9.0)] if outcome == "abandoned" else []
        hang(behind, name, at, (Up("gpu-0", at + 0.01, at + 9.0, outcome, queue=queue),))
    assert found(behind) is None


@pytest.mark.parametrize(("open_s", "is_finding"), [(7.0, False), (5.0, True)])
def test_replicas_that_are_slow_without_a_queue_are_no_finding(
    behind: RecordBuilder, open_s: float, is_finding: bool
) -> None:
    """The objective is 2 s: a call may take 6 s to be served. The client leaves, and the replica has not failed."""
    for name, at in sent():
        up = Up("gpu-0", at + 0.01, at + open_s, "abandoned", queue=[(at + 0.01, at + 0.1)])
        hang(behind, name, at, (up,))
    assert (found(behind) is not None) == is_finding


def test_slow_replicas_that_serve_each_call_too_late_are_no_finding(behind: RecordBuilder) -> None:
    for name, at in sent():
        serve(behind, name, at, ttft=8.0, ups=[Up("gpu-0", at + 0.01, at + 8.2, passed_on=11)])
    assert found(behind) is None


@pytest.mark.parametrize("tpot", [0.1, None])
def test_long_streams_at_replicas_do_not_excuse_a_gateway_that_holds_them(
    behind: RecordBuilder, tpot: float | None
) -> None:
    """A replica decodes for 12 s, as it may for 100 tokens; the client sees nothing of it for 20 s."""
    behind.experiment["slo"] = {"ttft": 2.0} | ({} if tpot is None else {"tpot": tpot})
    for name, at in sent():
        serve(behind, name, at, ttft=20.0, ups=[Up("gpu-0", at + 0.01, at + 12.0, passed_on=100)])
    assert found(behind) is not None


def test_a_gateway_that_sends_calls_too_late_to_slow_replicas_is_found(behind: RecordBuilder) -> None:
    for name, at in sent():
        hang(behind, name, at, (Up("gpu-0", at + 6.5, at + 15.0, "abandoned"),))
    assert found(behind) is not None


def test_a_few_calls_decide_nothing(behind: RecordBuilder) -> None:
    for name, at in sent(every_s=1.5):
        hang(behind, name, at)
    assert found(behind) is None


def test_our_own_gateway_and_an_endpoint_alone_are_not_judged(record: RecordBuilder) -> None:
    saturate(record)
    assert found(record) is None
    record.experiment |= {"target": {"url": "http://127.0.0.1:4100", "model": "m"}, "stack": None}
    assert found(record) is None


# -- the verdict ------------------------------------------------------------------------------------------------------
def report_of(record: RecordBuilder) -> tuple[dict[str, Any], Path]:
    path = record.write()
    analyse(path)
    return json.loads((path / "report.json").read_text()), path


@pytest.mark.parametrize(("busiest", "verdict", "code"), [(0.97, "fail", 1), (0.12, "inconclusive", 3)])
def test_the_run_fails_only_where_the_gateway_itself_was_the_limit(
    behind: RecordBuilder, busiest: float, verdict: str, code: int
) -> None:
    saturate(behind)
    used(behind, busiest)
    behind.experiment["gates"] = ["silent_truncations == 0", "slo_attainment in baseline >= 95%"]
    report, path = report_of(behind)
    assert (report["verdict"]["verdict"], report["verdict"]["exit_code"]) == (verdict, code)
    assert report["verdict"]["why"][0] == report["carrying"]["text"]
    assert [gate["verdict"] for gate in report["gates"]] == ["inconclusive", "inconclusive"]
    first = "he gateway cannot carry the load: it served 3 of 38 calls"
    assert first in report["explanation"]["sentence"]
    for name in ("summary.md", "junit.xml", "report.html"):
        assert first in (path / name).read_text(), name
    assert report["carrying"]["helps"] in (path / "summary.md").read_text()


def test_a_guardrail_that_the_overload_tripped_is_not_the_verdict(tmp_path: Path) -> None:
    """The gateway rejects calls, and a guardrail stops the run soon after the warm-up."""
    record = RecordBuilder(tmp_path / "run", has_gateway=False)
    record.experiment["target"] = BEHIND
    record.phases({"setup": -3.0, "warmup": 0.0, "baseline": 5.0, "end": 6.0})
    record.event("run", 6.0, event="aborted", why="session_success < 50% for 5s")
    for number, (name, at) in enumerate(sent(until_s=5.5)):
        if number % 5 == 0:
            serve(record, name, at)
        else:
            record.call(name, 0, at, ups=[], ttft=None, outcome="http_5xx")
    report, _ = report_of(record)
    assert report["verdict"]["verdict"] == "inconclusive"
    assert "it served 5 of 22 calls before the run was stopped" in report["verdict"]["why"][0]


def test_a_run_that_ended_for_it_is_inconclusive_where_the_record_does_not_show_it(behind: RecordBuilder) -> None:
    for name, at in sent():
        serve(behind, name, at)
    behind.event("run", 20.0, event="not_carried", why="the gateway does not carry the load")
    report, _ = report_of(behind)
    assert report["carrying"] is None
    assert report["verdict"]["verdict"] == "inconclusive"
