"""`brownout show` and `brownout list` for scenarios."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chaos.cli.listing import print_list
from chaos.cli.show_named import print_named
from chaos.gameday.scenario.model import scenario_names
from tests.support.scenario_files import write


def test_a_scenario_is_shown_with_run_sheet_repairs_and_findings(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    print_named("one-slow-chip", as_json=False)
    shown = capsys.readouterr().out
    assert "One chip is throttled, and everything that reports about itself is green" in shown
    assert "one-slow-chip (grey-failure): game-day, 20 min" in shown
    assert "For the game master: this tells the fault." in shown
    assert "\nLook at: " in shown
    assert "3:00  fault   slow-decode: slow_decode on trainium-0" in shown
    assert "slow-decode: restart trainium-0, or drain trainium, or switch ejection: on" in shown
    assert "Health checks stayed green for the whole time" in shown
    assert "  brownout gameday one-slow-chip\n" in shown


def test_the_list_has_name_family_length_and_title(capsys: pytest.CaptureFixture[str]) -> None:
    print_list("scenarios", as_json=True)
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == scenario_names()
    assert {row["length_s"] for row in rows} == {1200.0}
    assert all(row["family"] and row["title"] for row in rows)
    print_list("scenarios", as_json=False)
    assert "storm-of-retries" in capsys.readouterr().out


def test_the_name_of_a_scenario_in_list_shows_it_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    print_list("one-cloud-gone", as_json=False)
    listed = capsys.readouterr().out
    print_named("one-cloud-gone", as_json=False)
    assert listed == capsys.readouterr().out


def test_a_scenario_as_json_has_every_part_of_its_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path)
    print_named(str(path), as_json=True)
    facts = json.loads(capsys.readouterr().out)
    assert facts["steps"][0]["repairs"][0] == {"operation": "restart", "arguments": {"replica": "tpu-1"}}
    assert facts["events"] == [{"at_s": 300.0, "who": "A customer", "text": "It is slow.", "answer_within_s": 120.0}]
    assert facts["branches"][0]["steps"][0]["repairs"] is None
    assert facts["branches"][0]["hints"][0]["after_s"] == 780.0
    assert (facts["stack"], facts["url"], facts["findings"]) == (
        "multi-cloud",
        None,
        ["Somebody looked at single replicas."],
    )


def test_a_file_is_shown_with_the_commands_for_this_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    path = write(tmp_path)
    print_named(str(path), as_json=False)
    assert f"brownout gameday {path}" in capsys.readouterr().out
