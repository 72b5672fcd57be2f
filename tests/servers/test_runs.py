"""`brownout run` against each real server, as a user runs it. The records stay in `.make/servers/runs`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.servers.real_server import ENVIRONMENTS, KINDS, LLAMA_CPP, TRANSFORMERS, Kind, RealServer, running
from tests.servers.server_experiment import write_experiment
from tests.support.run_helpers import Run

pytestmark = [pytest.mark.servers, pytest.mark.timeout(240)]

INCONCLUSIVE, FAIL = 3, 1
RATE = {TRANSFORMERS.environment: 0.4, LLAMA_CPP.environment: 2.0}
"""Sessions a second that the servers can serve on two cores."""


def play(server: RealServer, folder: Path, name: str, *, rate: float) -> tuple[int, dict[str, Any]]:
    """Exit code and report of a run. The record replaces the one of the last time."""
    runs = ENVIRONMENTS / "runs" / name
    shutil.rmtree(runs, ignore_errors=True)
    run = Run(write_experiment(folder, server, rate=rate), runs)
    code = run.end(within_s=150)
    reports = sorted(runs.glob("*/report.json"))
    assert len(reports) == 1, run.output
    run.nothing_left()
    report: dict[str, Any] = json.loads(reports[0].read_text())
    return code, report


def of_run(report: dict[str, Any], measure: str) -> dict[str, Any]:
    found: dict[str, Any] = report["measures"][measure]["run"]
    return found


def verdicts(report: dict[str, Any]) -> dict[str, str]:
    return {gate["measure"]: gate["verdict"] for gate in report["gates"]}


def outcomes(report: dict[str, Any]) -> dict[str, int]:
    """Calls of the whole run by outcome."""
    total: dict[str, int] = {}
    for phase in report["outcomes"].values():
        for outcome, calls in phase.items():
            total[outcome] = total.get(outcome, 0) + calls
    return total


@pytest.mark.parametrize(
    ("kind", "more"),
    [(TRANSFORMERS, ()), (LLAMA_CPP, ("--interrupt_requests", "false"))],
    ids=[kind.environment for kind in KINDS],
)
def test_a_run_ends_with_a_true_verdict(kind: Kind, more: tuple[str, ...], models: Path, tmp_path: Path) -> None:
    with running(kind, models, tmp_path / "server.log", *more) as server:
        code, report = play(server, tmp_path, kind.environment, rate=RATE[kind.environment])
    print(json.dumps(report["gates"], indent=1), outcomes(report))
    assert report["run"]["url"] == server.url
    assert (set(outcomes(report)), report["sessions_lost"]) == ({"ok"}, [])
