"""GitHub: workflow commands on one line each, and the summary of the step, which never fails the gate."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reports.writers.gate.annotations import (
    ExperimentFile,
    gate_annotations,
    is_github,
    locate_gates,
    write_step_summary,
)
from reports.writers.gate.summary import gate_summary, headline
from tests.support.gate_results import (
    experiment,
    failed_result,
    gate,
    hostile_result,
    inconclusive_result,
    many_results,
    passed_result,
    regression_result,
    result,
)

FILE = """brownout: 1
name: lose-tpu-pool
# - sessions_lost == 0
gates:
  - sessions_lost   == 0
  - "ttft.p95 in fault <= 2 s"  # the target of the team
"""


def test_a_violated_gate_is_an_error_and_an_undecided_one_a_warning() -> None:
    first, second, third = gate_annotations(failed_result())
    assert first.startswith(
        "::error title=lose-tpu-pool%3A gate failed%3A sessions_lost == 0::31 (worst of 3 runs), required"
    )
    assert second.startswith(
        "::error title=lose-tpu-pool%3A gate failed%3A ttft.p95 in fault <= 2 s::3.1 s (95%25 interval"
    )
    assert third.startswith("::warning title=lose-tpu-pool%3A gate not decided%3A ttft.p99")
    assert gate_annotations(passed_result()) == []


def test_a_regression_is_an_error() -> None:
    first, second = gate_annotations(regression_result())
    assert first.startswith("::error title=lose-tpu-pool%3A regression%3A ttft.p95 in fault::+18%25 (+12%25 to +24%25)")
    assert second.startswith("::warning title=lose-tpu-pool%3A comparison not decided%3A slo_attainment in fault::")


def test_at_most_ten_of_each_kind_and_the_last_says_how_many_more() -> None:
    lines = gate_annotations(many_results(40))
    errors = [line for line in lines if line.startswith("::error")]
    warnings = [line for line in lines if line.startswith("::warning")]
    assert (len(errors), len(warnings)) == (10, 10)
    assert errors[-1] == "::error title=brownout gate::5 more errors of this gate are in its summary"
    ten = result(experiment(gates=[gate(f"calls >= {number}", "fail") for number in range(10)]))
    assert "more errors" not in gate_annotations(ten)[-1]


def test_no_text_can_end_a_line_or_a_property() -> None:
    lines = gate_annotations(
        hostile_result(), {hostile_result().experiments[0].name: ExperimentFile("a:b,c\n.yaml", {})}
    )
    for line in lines:
        assert line.splitlines() == [line]
        assert len(line) < 3_000
        properties, _, message = line.removeprefix("::error ").removeprefix("::warning ").partition("::")
        for one in properties.split(","):
            assert one.partition("=")[0] in ("title", "file")
            assert ":" not in one
        assert "\x1b" not in message
    assert "file=a%3Ab%2Cc%0A.yaml" in lines[0]


@pytest.mark.parametrize("verdict", ["aborted", "failed", "interrupted", "fail"])
def test_an_experiment_without_a_violated_gate_says_why_it_did_not_pass(verdict: str) -> None:
    (line,) = gate_annotations(result(experiment(verdict=verdict, why=("the reason: 100%",))))
    assert line.startswith("::error title=lose-tpu-pool%3A ")
    assert line.endswith("::the reason: 100%25")


def test_a_result_without_experiments_says_why() -> None:
    assert gate_annotations(result(why=("nothing was played",))) == [
        "::warning title=brownout gate::nothing was played"
    ]


def test_a_gate_that_was_stopped_between_experiments_says_why() -> None:
    made = result(experiment(), verdict="interrupted", why=("interrupted by SIGTERM",))
    assert gate_annotations(made) == ["::error title=brownout gate::interrupted by SIGTERM"]


def test_a_gate_is_found_in_the_file_of_its_experiment(tmp_path: Path) -> None:
    path = tmp_path / "chaos" / "mine.yaml"
    path.parent.mkdir()
    path.write_text(FILE)
    files = locate_gates(failed_result(), {"lose-tpu-pool": path}, tmp_path)
    lines = {"sessions_lost == 0": 5, "ttft.p95 in fault <= 2 s": 6}
    assert files == {"lose-tpu-pool": ExperimentFile("chaos/mine.yaml", lines)}
    annotations = gate_annotations(failed_result(), files)
    assert ",file=chaos/mine.yaml,line=5::31 (worst of 3 runs)" in annotations[0]
    assert ",file=chaos/mine.yaml::1.9 s" in annotations[2]


def test_a_file_elsewhere_missing_or_no_file_is_left_out(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    outside = tmp_path / "mine.yaml"
    outside.write_text(FILE)
    (checkout / "link.yaml").symlink_to(outside)
    (checkout / "circle").symlink_to("circle")
    os.mkfifo(checkout / "pipe")
    for path in (outside, checkout / "link.yaml", checkout / "circle", checkout / "pipe", checkout, checkout / "none"):
        assert locate_gates(failed_result(), {"lose-tpu-pool": path}, checkout) == {}
    assert locate_gates(failed_result(), {}, checkout) == {}


def test_a_job_of_github_is_known_by_its_environment() -> None:
    assert is_github({"GITHUB_ACTIONS": "true"})
    assert not is_github({"GITHUB_ACTIONS": "false"})
    assert not is_github({})


def test_the_summary_is_appended_to_that_of_the_step(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    environment = {"GITHUB_STEP_SUMMARY": str(path)}
    assert write_step_summary(failed_result(), environment) == ""
    assert path.read_text() == gate_summary(failed_result())
    assert write_step_summary(inconclusive_result(), environment) == ""
    assert path.read_text() == f"{gate_summary(failed_result())}\n\n{gate_summary(inconclusive_result())}"


def test_without_room_for_the_summary_only_the_verdict_is_appended(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    environment = {"GITHUB_STEP_SUMMARY": str(path)}
    path.write_bytes(b"x" * (1024 * 1024 - 1_000))
    assert write_step_summary(failed_result(), environment) == ""
    assert path.read_text().endswith(f"x\n\n## {headline(failed_result())}\n")
    path.write_bytes(b"x" * (1024 * 1024 - 10))
    assert write_step_summary(failed_result(), environment).endswith("already has 1,048,566 of 1,048,576 bytes")
    assert path.stat().st_size == 1024 * 1024 - 10


def test_a_summary_that_cannot_be_written_is_a_warning_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "pipe")
    for name in (tmp_path, tmp_path / "none" / "summary", tmp_path / "file" / "summary", tmp_path / "pipe", "a\0b"):
        warning = write_step_summary(failed_result(), {"GITHUB_STEP_SUMMARY": str(name)})
        assert warning.startswith("the summary of the step was not written: ")
    assert write_step_summary(failed_result(), {}) == ""
