"""Gates on what the experiment surely cannot measure are refused; those that it might measure are accepted."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.experiment.model import load_experiment
from reports.shared.errors import InvalidFile
from tests.support.experiment_files import FIRST_GATE, accepted, refused, write_profile
from tests.support.paths import ROOT

SURGE = "{for: 5s, surge: {factor: 3}}"
EXEC = "{for: 5s, exec: {inject: [a], revert: [b]}}"
KILL = "{for: 5s, kill: {pool: tpu}}"
URL = "{url: 'http://127.0.0.1:1', model: m}"


@pytest.mark.parametrize(
    ("gate", "given", "what", "remedy"),
    [
        ("failover.max <= 5 s", {"faults": ""}, "failover.max is about a fault, and the timeline has none", "add a f"),
        ("ttft.p95 in recovery <= 1 s", {"faults": ""}, "a run without faults has none", "name the baseline"),
        ("ttft.p95 in warmup <= 1 s", {"warmup": "0s"}, "about the warmup, which lasts 0 s", "give warmup: a length"),
        ("ttft.p95 in drain <= 1 s", {"recovery": "9s\n  drain: 0s"}, "the drain, which lasts 0 s", "give drain:"),
        (
            "sessions_lost in drain == 0",
            {},
            "is about sessions that start in the drain, and none does",
            "another phase",
        ),
        ("cost.per_1k_sessions in drain <= 9 USD", {}, "sessions that start in the drain", "another phase"),
        ("failover.max <= 5 s", {"faults": SURGE}, "is about faults of replicas, and surge is none", "remove the gate"),
        ("time_to_detect <= 5 s", {"faults": SURGE}, "is about faults of replicas, and surge is none", "remove"),
        ("failover.max <= 5 s", {"faults": EXEC}, "is about faults of replicas, and exec is none", "remove the gate"),
        (
            "failover_rate >= 9%",
            {"faults": EXEC},
            "the calls that met the faults, and of exec nobody knows",
            "session_s",
        ),
        ("blast_radius.pools <= 9%", {"faults": f"{EXEC}, {KILL}"}, "and of exec nobody knows them", "remove the gate"),
        ("time_to_alert <= 60 s", {}, "is about alerts, and this experiment receives none", "add alerts: {port: 9099}"),
        ("false_alerts == 0", {}, "is about alerts, and this experiment receives none", "add alerts: {port: 9099}"),
        ("time_to_readmit <= 5 s", {"faults": "{for: 5s, slow_scheduler: {delay: 9ms}}"}, "slow_scheduler is none", ""),
        (
            "metastable == 0",
            {},
            "is judged from one client timeout (10 min) after the last fault on, and the recovery ends after 20 s",
            "make recovery: at least 10 min 5 s",
        ),
        (
            "overloaded == 0",
            {"load": "retry-storm-ci", "recovery": "9.9s"},
            "one client timeout (5 s)",
            "at least 10 s",
        ),
        (
            "overloaded == 0",
            {"load": "retry-storm-ci", "faults": "{for: 5s, retry_storm: {timeout: 20s}}"},
            "one client timeout (20 s)",
            "at least 25 s",
        ),
        (
            "knee >= 3",
            {},
            "knee needs a load that rises, and that of the profile coding-agent-ci does not",
            "as a ramp",
        ),
        ("knee during fault >= 3", {"faults": SURGE}, "needs a load that rises", "add a surge"),
        ("fairness >= 90%", {}, "fairness compares tenants, and the profile coding-agent-ci has none", "two tenants"),
        (
            "cost <= 9 USD",
            {"target": URL, "faults": SURGE},
            "needs the prices of a stack, and a url has none",
            "remove",
        ),
        ("cost.per_1k_sessions for pool=tpu <= 9 USD", {}, "sessions are not assigned to one pool", "remove for pool"),
        ("kv_peak <= 90%", {"target": URL, "faults": SURGE}, "needs the spans of the replica", "name a stack"),
    ],
)
def test_a_gate_that_no_run_can_measure_is_refused(
    tmp_path: Path, gate: str, given: dict[str, str], what: str, remedy: str
) -> None:
    [(line, found, found_remedy)] = refused(tmp_path, gate, **given)
    assert line == FIRST_GATE + given.get("recovery", "").count("\n")
    assert what in found
    assert remedy in found_remedy


@pytest.mark.parametrize(
    ("gate", "given"),
    [
        ("ttft.p95 in drain <= 1 s", {}),
        ("failover.max <= 5 s", {"faults": f"{SURGE}, {{for: 5s, kill: {{pool: tpu}}}}"}),
        ("failover_rate >= 50%", {"faults": SURGE}),
        ("overloaded == 0", {"load": "retry-storm-ci", "recovery": "10s"}),
        ("knee >= 3", {"faults": SURGE}),  # the surge begins within the run
        ("knee during fault >= 3", {"faults": "{for: 9s, kill: {pool: tpu}}, {at: 4s, for: 3s, surge: {factor: 3}}"}),
        ("knee in baseline >= 3", {"load": "rising-ci"}),
        ("fairness >= 90%", {"load": "tiered-ci"}),
        ("cost for pool=tpu <= 9 USD", {}),
        ("goodput_lost <= 10%", {"target": URL, "faults": SURGE}),
    ],
)
def test_a_gate_that_some_run_can_measure_is_accepted(tmp_path: Path, gate: str, given: dict[str, str]) -> None:
    assert accepted(tmp_path, gate, **given).gates


@pytest.mark.parametrize(
    ("arrivals", "rises"),
    [
        ("{constant: {rate: 3}}", False),
        ("{poisson: {constant: {rate: 3}}}", False),
        ("{ramp: {start: 5, end: 1, over: 40s}}", False),
        ("{ramp: {start: 1, end: 5, over: 40s}}", True),
        ("{ramp: {start: 1, end: 5, over: 4s}}", False),  # over before the baseline begins
        ("{step: {start: 1, end: 5, at: 12s}}", True),
        ("{step: {start: 1, end: 5, at: 16s}}", False),  # after the baseline
        ("{sum: [{constant: {rate: 2}}, {spike: {base: 0, peak: 3, from: 9s, for: 2s}}]}", True),
    ],
)
def test_a_knee_needs_a_load_that_rises_in_its_phase(tmp_path: Path, arrivals: str, rises: bool) -> None:
    own = write_profile(tmp_path, arrivals=arrivals)
    if rises:
        assert accepted(tmp_path, "knee in baseline >= 1", load=own).gates
    else:
        [(_, what, _)] = refused(tmp_path, "knee in baseline >= 1", load=own)
        assert "needs a load that rises" in what


def test_retries_are_measured_only_where_clients_retry(tmp_path: Path) -> None:
    own = write_profile(tmp_path, client="{retries: none}")
    [(_, what, _)] = refused(tmp_path, "retry_after_honoured >= 75%", load=own)
    assert "retry_after_honoured is about retries, and the clients of the profile own make none" in what
    assert accepted(tmp_path, "retry_after_honoured >= 75%", load=own, faults="{for: 5s, retry_storm: {}}").gates


@pytest.mark.parametrize("gate", ["itl.p95 <= 1 s", "max_gap.max <= 1 s"])
def test_gaps_between_chunks_need_a_stream(tmp_path: Path, gate: str) -> None:
    own = write_profile(tmp_path, client="{stream: false}")
    [(_, what, _)] = refused(tmp_path, gate, load=own)
    assert "is about the chunks of a stream, and the profile own does not stream" in what


def test_a_cost_needs_prices(tmp_path: Path) -> None:
    source = (ROOT / "targets" / "stacks" / "naive.yaml").read_text()
    lines = [line.replace("replicas:", "usd_per_hour: 0, replicas:") for line in source.splitlines()]
    (tmp_path / "free.yaml").write_text("\n".join(lines))
    [(_, what, remedy)] = refused(tmp_path, "cost.per_million_tokens <= 9 USD", target="{stack: free.yaml}")
    assert what == "cost.per_million_tokens needs prices, and the stack naive has none"
    assert remedy == "give its pools usd_per_hour:"


def test_a_replayed_trace_has_no_tenants(tmp_path: Path) -> None:
    (tmp_path / "trace").mkdir()
    made = accepted(tmp_path, "shed for tenant=hooli == 0", load="heavy-user")
    with pytest.raises(InvalidFile, match='the sessions of a trace have no tenant "hooli"'):
        load_experiment(made.path, trace={"dir": str(tmp_path / "trace")})
    heavy = "{for: 5s, heavy_tenant: {tenant: hooli, share: 60%}}"
    made = accepted(tmp_path, "shed for tenant=hooli == 0", load="heavy-user", faults=heavy)
    assert load_experiment(made.path, trace={"dir": str(tmp_path / "trace")}).gates
