"""The first screen: the sentence, the gates, the faults with targets and times, what helps."""

from __future__ import annotations

from reports.report.build import Report
from reports.writers.html.headline import headline_view
from reports.writers.html.page_writer import page_text


def test_it_says_what_broke_and_how_many_gates_failed(report: Report) -> None:
    view = headline_view(
        {**report.data, "explanation": {"sentence": "24 sessions lost", "gates_failed": 3, "gates": 10}}
    )

    assert view["sentence"] == "24 sessions lost."
    assert view["gates"].startswith("3 of 10 gates failed")


def test_a_fault_has_its_targets_and_times(report: Report) -> None:
    fault = headline_view(report.data)["faults"][0]

    assert "tpu-0" in fault["targets"]
    assert fault["when"].startswith("from 20.")
    assert ">planned<" not in page_text(report.data)


def test_many_targets_are_counted(report: Report) -> None:
    fault = {**report.data["faults"][0], "targets": [f"tpu-{number}" for number in range(9)], "pools": []}
    view = headline_view({**report.data, "faults": [fault]})

    assert view["faults"][0]["targets"].endswith("tpu-5 and 3 more")


def test_what_helps_comes_from_the_description(report: Report) -> None:
    description = "A pool fails.\nWhat helps: migration of\n  streams, retries\nLook at: failover"
    view = headline_view({**report.data, "run": {**report.data["run"], "description": description}})

    assert view["helps"] == "Migration of streams, retries."
