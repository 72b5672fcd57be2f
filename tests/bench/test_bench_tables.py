"""The tables of the benches that play whole runs, from rows that were kept."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from bench import cells, honesty
from bench.catalogue import cell_text, latest, table, texts, unbitten, write
from bench.cells import Results, played_side_by_side
from bench.plants import PLANTS, write_experiment, write_stack
from chaos.experiment.model import load_experiment

LOST = "sessions_lost == 0"


def row(verdict: str, value: Any, *, seed: int = 1, stack: str = "naive", gate: str = "fail") -> dict[str, Any]:
    gates = {LOST: {"verdict": gate, "value": value, "unit": "count"}}
    return {"experiment": "lose-it", "stack": stack, "seed": seed, "verdict": verdict, "gates": gates}


def test_a_cell_says_how_many_ended_how_and_the_range_of_the_number_that_tells() -> None:
    rows = [row("fail", 26), row("metastable", "never", seed=2), row("fail", 4, seed=3)]
    assert cell_text(rows, LOST) == "2 fail, 1 metastable: 4 to never"
    assert cell_text([row("pass", 0), row("pass", 0)], LOST) == "2 pass: 0"
    assert cell_text([row("inconclusive", None)], LOST) == "1 inconclusive: not measured"
    assert cell_text([{"verdict": "failed", "said": "it broke"}], LOST) == "1 failed"
    assert cell_text([], LOST) == ""


def test_the_last_play_of_a_cell_counts() -> None:
    assert latest([row("inconclusive", 1), row("fail", 2)])["lose-it", "naive", 1]["verdict"] == "fail"


def test_the_table_has_a_row_an_experiment_linked_to_its_text() -> None:
    told = {"name": "lose-it", "family": "capacity", "title": "T", "tells": LOST, "gates": [LOST], "description": "D"}
    cells_ = latest([row("fail", 26), row("pass", 0, stack="multi-cloud", gate="pass")])
    lines = table(cells_, [told, {**told, "name": "not-played"}], ["multi-cloud", "naive"]).splitlines()
    assert lines[0] == "| experiment | the number that tells | multi-cloud | naive |"
    assert lines[2:] == ["| [lose-it](#lose-it) | `sessions_lost == 0` | 1 pass: 0 | 1 fail: 26 |"]
    assert "### lose-it\n" in texts([told])


def test_what_does_not_bite_is_named() -> None:
    found = latest([row("fail", 1, stack="multi-cloud"), row("pass", 0), row("fail", 1, seed=2)])
    assert unbitten(found) == [
        f"lose-it on multi-cloud, seed 1: fail: {LOST}",
        "lose-it on naive, seed 1: passes",
    ]


def test_what_is_made_goes_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- made by python -m bench.catalogue --write -->\nold\n<!-- end -->\nafter\n")
    write(page, "new")
    write(page, "newer")
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "newer" in text
    assert "old" not in text


def test_results_are_kept_a_line_each_and_a_torn_one_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells, "RESULTS", tmp_path)
    Results("r.jsonl").keep({"a": 1})
    with (tmp_path / "r.jsonl").open("a") as file:
        file.write('{"a": ')
    assert Results("r.jsonl").rows == [{"a": 1}]
    assert Results("r.jsonl", again=True).rows == []


def test_runs_are_played_so_many_at_a_time() -> None:
    together = threading.Barrier(2, timeout=10)  # broken unless two are under way at once

    def one(cell: int) -> dict[str, Any]:
        together.wait()
        return {"cell": cell}

    assert sorted(row["cell"] for row in played_side_by_side([1, 2, 3, 4], 2, one)) == [1, 2, 3, 4]


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_a_planted_regression_is_an_experiment_and_a_stack_that_can_be_played(plant: Any, tmp_path: Path) -> None:
    experiment = load_experiment(write_experiment(plant, tmp_path), stack=write_stack(plant, tmp_path))
    assert experiment.tells.text == plant.gate
    reference = load_experiment(plant.experiment, stack="multi-cloud")
    assert experiment.stack is not None
    assert reference.stack is not None
    assert experiment.stack.replicas == reference.stack.replicas
    assert experiment.stack.resolved()["gateway"] != reference.stack.resolved()["gateway"]


def pair(seed: int, difference: float, verdict: str = "sound") -> dict[str, Any]:
    told = {"here": 2.0 + difference, "there": 2.0, "difference": difference, "unit": "s", "differs": difference > 0.15}
    runs = [{"verdict": "pass"}, {"verdict": "pass"}]
    return {"kind": "pair", "seed": seed, "verdict": verdict, "runs": runs, "differences": {"ttft.p95": told}}


def test_pairs_differ_where_their_mean_difference_is_not_0() -> None:
    """Of 0.1, 0.2 and 0.3 s the standard error is 0.0577 s, and the t point of 95 % with two degrees 4.303."""
    text = honesty.pair_table([pair(1, 0.1), pair(2, 0.2), pair(3, 0.3), pair(4, 9.0, honesty.IN_DOUBT)])
    assert "3 pairs: 6 pass; pairs with a failed gate: none. 1 more were played on a busy machine" in text
    assert "| `ttft.p95` | 2.1 s | +200 ms (± 248.4 ms) | no | 200 ms, 300 ms | 2 of 3 |" in text
    text = honesty.pair_table([pair(1, 0.19), pair(2, 0.2), pair(3, 0.21)])
    assert "| +200 ms (± 24.8 ms) | yes |" in text


def test_the_quiet_experiment_has_no_fault_and_the_gates_that_need_none(tmp_path: Path) -> None:
    quiet = load_experiment(honesty.write_quiet(tmp_path))
    assert quiet.faults == ()
    assert {gate.measure for gate in quiet.gates} >= {"sessions_lost", "slo_attainment", "prefill_amplification"}
    assert not [gate for gate in quiet.gates if gate.spec.about_fault or gate.phase == "fault"]
