"""`brownout run` against each real server, as a user runs it. The records stay in `.make/servers/runs`."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.servers.real_server import ENVIRONMENTS, KINDS, LLAMA_CPP, TRANSFORMERS, Kind, RealServer, running
from tests.servers.server_experiment import write_experiment
from tests.support.run_helpers import Run

pytestmark = [pytest.mark.servers, pytest.mark.timeout(240)]

INCONCLUSIVE, FAIL = 3, 1
RATE = {TRANSFORMERS.environment: 0.4, LLAMA_CPP.environment: 1.0}
"""Sessions a second that each server can serve on two cores, with room to spare."""
NOT_CHECKED = "not measured: the tokens of this model cannot be verified"


def play(server: RealServer, folder: Path, name: str, *, rate: float, output: int) -> tuple[int, dict[str, Any], str]:
    """Exit code, report and printed text of a run. The record replaces the one of the last time."""
    runs = ENVIRONMENTS / "runs" / name
    shutil.rmtree(runs, ignore_errors=True)
    run = Run(write_experiment(folder, server, rate=rate, output=output), runs)
    code = run.end(within_s=120)
    reports = sorted(runs.glob("*-*/report.json"))
    assert len(reports) == 1, run.output
    assert {"summary.md", "report.html"} <= {path.name for path in reports[0].parent.iterdir()}
    run.nothing_left()
    return code, json.loads(reports[0].read_text()), run.output


def of_run(report: dict[str, Any], measure: str) -> float | None:
    """The value of a measure over baseline, fault and recovery."""
    value: float | None = report["measures"][measure]["run"]["value"]
    return value


def outcomes(report: dict[str, Any]) -> Counter[str]:
    """Calls of the whole run by outcome."""
    total: Counter[str] = Counter()
    for calls in report["outcomes"].values():
        total.update(calls)
    return total


@pytest.mark.parametrize(
    ("kind", "more"),
    [(TRANSFORMERS, ()), (LLAMA_CPP, ("--interrupt_requests", "false"))],
    ids=[kind.environment for kind in KINDS],
)
def test_a_run_ends_with_a_true_verdict(kind: Kind, more: tuple[str, ...], models: Path, tmp_path: Path) -> None:
    name = kind.environment
    with running(kind, models, tmp_path / "server.log", *more) as server:
        code, report, printed = play(server, tmp_path, name, rate=RATE[name], output=12)
    assert (code, report["run"]["url"]) == (INCONCLUSIVE, server.url), printed
    assert (set(outcomes(report)), report["sessions_lost"]) == ({"ok"}, [])
    assert {gate["measure"]: (gate["verdict"], gate["why"]) for gate in report["gates"]} == {
        "sessions_lost": ("pass", "0, as required (== 0)"),
        "silent_truncations": ("inconclusive", NOT_CHECKED),
        "lost_tokens": ("inconclusive", NOT_CHECKED),
    }
    streams = of_run(report, "calls")
    assert streams
    assert of_run(report, "missing_terminal") == (0 if kind.terminal else streams)
    assert of_run(report, "slo_attainment") == 1.0
    assert [fault["stages"]["verified"] > 0 for fault in report["faults"]] == [True]
    notes = " ".join(report["notes"])
    assert ("token counts" in notes and "estimates" in notes) == (not kind.usage)


def test_a_run_on_a_server_that_interrupts_streams_fails(models: Path, tmp_path: Path) -> None:
    with running(LLAMA_CPP, models, tmp_path / "server.log") as server:
        code, report, printed = play(server, tmp_path, "llama-cpp-interrupting", rate=2, output=150)
    assert code == FAIL, printed
    found = outcomes(report)
    assert found["truncated"] > 0
    assert set(found) == {"ok", "truncated"}
    assert {lost["because"] for lost in report["sessions_lost"]} == {"truncated"}
    largest = report["failures"][0]
    assert (largest["outcome"], largest["status"]) == ("truncated", 200)
    assert largest["message"] == "the connection closed in the middle of the answer"
