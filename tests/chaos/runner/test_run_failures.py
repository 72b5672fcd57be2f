"""What the target or a part of brownout fails at by itself ends in exit code 5, also when it is analysed again.

A run without load ends in 3, whatever its gates are.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from reports.analysis import analyse
from tests.support.run_helpers import PROFILE, Run, until, write_experiment
from tests.support.scripted_server import ScriptedServer, openai_events, streamed

pytestmark = pytest.mark.slow

SURGE = "{at: 0s, for: 60s, surge: {factor: 2}}"
STALL = "{at: 0s, for: 60s, stall: {pool: right}}"


@pytest.mark.long  # in make test: tests/bench/test_self_chaos.py
@pytest.mark.parametrize(
    ("name", "fault", "who"),
    [
        ("locust", SURGE, "the load generator (locust)"),
        ("gateway", STALL, "the gateway (gateway)"),
        ("left-0", STALL, "the replica (left-0)"),
    ],
)
def test_a_process_that_somebody_stops_ends_the_run_within_seconds(
    tmp_path: Path, name: str, fault: str, who: str
) -> None:
    run = Run(write_experiment(tmp_path, fault=fault), tmp_path / "runs")
    run.stage("confirmed")
    os.kill(run.pid(name), signal.SIGSTOP)
    stopped_s = time.monotonic()
    assert run.end() == 5, run.output
    assert time.monotonic() - stopped_s < 45
    assert f"{who} is silent" in run.output.replace("\n", " ")
    stages = [event["stage"] for event in run.events("fault")]
    assert stages[-1] == "verified", stages
    assert run.events("run")[-1]["event"] == "failed"
    run.nothing_left()
    verdict = analyse(run.folder, write=False).verdict
    assert (verdict.verdict, verdict.exit_code) == ("failed", 5)
    assert f"{who} is silent" in verdict.why[0]


def test_a_load_generator_that_is_stopped_for_a_second_does_not_end_the_run(tmp_path: Path) -> None:
    run = Run(write_experiment(tmp_path, fault=""), tmp_path / "runs")
    run.reached("baseline")
    os.kill(run.pid("locust"), signal.SIGSTOP)
    time.sleep(1.0)  # the length of the standstill is the subject
    os.kill(run.pid("locust"), signal.SIGCONT)
    assert run.end() in (0, 1, 3), run.output
    assert run.events("run")[-1]["event"] == "finished"


URL_EXPERIMENT = """
brownout: 1
name: mine
title: My endpoint
target: {url: 'URL', model: m}
load: {profile: small-profile.yaml}
slo: {ttft: 5s, tpot: 1s}
timeline: {warmup: 0s, baseline: BASELINE, recovery: 0s, drain: 2s}
gates: ["calls_failed == 0", "session_success >= 97%"]
"""


def url_experiment(folder: Path, url: str, *, rate: str = "4", baseline: str = "5s") -> Path:
    (folder / "small-profile.yaml").write_text(PROFILE.replace("rate: 4", f"rate: {rate}"))
    (folder / "mine.yaml").write_text(URL_EXPERIMENT.replace("URL", url).replace("BASELINE", baseline))
    return folder / "mine.yaml"


def test_an_endpoint_that_dies_during_the_run_is_a_failure_of_the_target(tmp_path: Path) -> None:
    with ScriptedServer(streamed(openai_events(["abcd"]))) as server:
        run = Run(url_experiment(tmp_path, server.url), tmp_path / "runs")
        run.reached("baseline")
        until(lambda: len(server.requests) > 3, "the first calls of the load")
    assert run.end() == 5, run.output
    assert "FAILED" in run.output
    assert "the target died during the run: from second" in run.output.replace("\n", " ")
    assert "Connection refused" in run.output
    verdict = analyse(run.folder, write=False).verdict
    assert (verdict.verdict, verdict.exit_code) == ("failed", 5)
    assert "none of" in verdict.why[0]


def test_a_run_whose_load_starts_no_session_is_inconclusive(tmp_path: Path) -> None:
    with ScriptedServer(streamed(openai_events(["abcd"]))) as server:
        run = Run(url_experiment(tmp_path, server.url, rate="0.02", baseline="1s"), tmp_path / "runs")
        assert run.end() == 3, run.output
        assert len(server.requests) == 1  # the first call, before the load
    assert "no session was started in this run" in run.output.replace("\n", " ")
    assert analyse(run.folder, write=False).exit_code == 3
