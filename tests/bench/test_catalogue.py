"""The table of experiments x stacks, from stored rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.catalogue import (
    CHECK_SEEDS,
    LATER_CHECK_SEEDS,
    TUNED_SEEDS,
    cell_text,
    check_seeds,
    file_hash,
    latest,
    of_commit,
    provenance,
    table,
    texts,
    tuned_seeds,
    unexpected,
)

LOST = "sessions_lost == 0"


def row(verdict: str, value: Any, *, seed: int = 1, stack: str = "naive", gate: str = "fail") -> dict[str, Any]:
    gates = {LOST: {"verdict": gate, "value": value, "unit": "count"}}
    return {"experiment": "lose-it", "stack": stack, "seed": seed, "verdict": verdict, "gates": gates}


def test_a_cell_shows_the_verdicts_and_the_range_of_the_headline_gate() -> None:
    rows = [row("fail", 26), row("metastable", "never", seed=2), row("fail", 4, seed=3)]
    assert cell_text(rows, LOST) == "2 fail, 1 metastable: 4 to never"
    assert cell_text([row("pass", 0), row("pass", 0)], LOST) == "2 pass: 0"
    assert cell_text([row("inconclusive", None)], LOST) == "1 inconclusive: not measured"
    assert cell_text([{"verdict": "failed", "output": "it broke"}], LOST) == "1 failed"
    assert cell_text([], LOST) == ""


def test_the_last_row_of_a_cell_counts() -> None:
    assert latest([row("inconclusive", 1), row("fail", 2)])["lose-it", "naive", 1]["verdict"] == "fail"


def test_the_table_links_each_experiment_to_its_text() -> None:
    experiment = {
        "name": "lose-it",
        "family": "capacity",
        "title": "T",
        "headline_gate": LOST,
        "gates": [LOST],
        "description": "D",
    }
    cells = latest([row("fail", 26), row("pass", 0, stack="multi-cloud", gate="pass")])
    lines = table(cells, [experiment, {**experiment, "name": "not-played"}], ["multi-cloud", "naive"]).splitlines()
    assert lines[0] == "| experiment | headline gate | multi-cloud | naive |"
    assert lines[2:] == ["| [lose-it](#lose-it) | `sessions_lost == 0` | 1 pass: 0 | 1 fail: 26 |"]
    assert "### lose-it\n" in texts([experiment])


def test_unexpected_results_are_listed() -> None:
    found = latest([row("fail", 1, stack="multi-cloud"), row("pass", 0), row("fail", 1, seed=2)])
    assert unexpected(found) == [
        f"lose-it on multi-cloud, seed 1: fail: {LOST}",
        "lose-it on naive, seed 1: passes",
    ]


def test_only_rows_of_one_commit_and_of_the_present_files_make_a_table() -> None:
    rows = [
        {**row("fail", 1), "commit": "a", "file": "new"},
        {**row("pass", 0), "commit": "b", "file": "new"},
        {**row("pass", 0), "commit": "b", "file": "old"},
        row("pass", 0),
    ]
    assert of_commit(rows, "b", lambda experiment: "new") == [rows[1]]


def test_the_hash_of_a_file_follows_its_content(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("a")
    before = file_hash(str(path))
    path.write_text("b")
    assert file_hash(str(path)) != before
    assert file_hash("lose-tpu-pool") != file_hash("cut-streams")


def test_the_table_says_which_seeds_were_for_checking() -> None:
    about = {"commit": "abc", "machine": "2 cores", "seconds": 1800.0}
    rows = [{**row("fail", 1, seed=101), **about}, {**row("fail", 1, seed=7), **about}]
    assert provenance(rows, 3, 1) == (
        "2 runs of commit abc, 1.0 hours, on 2 cores. Seeds for checking only: 101. "
        "Seeds on which gates and loads were tuned: 7. "
        "Inconclusive runs that were repeated: 1. "
        "Rows of another commit or of a changed experiment, which are not shown: 3."
    )


def test_the_provenance_says_how_many_runs_shared_the_machine() -> None:
    rows = [{**row("pass", 0, seed=101), "at_a_time": n} for n in (1, 2, 2)]
    assert "2 of the runs shared the machine with another run." in provenance(rows, 0, 0)
    assert "shared" not in provenance(rows[:1], 0, 0)


def test_a_mended_experiment_is_named_with_the_seeds_that_were_played() -> None:
    name, seeds = next(iter(LATER_CHECK_SEEDS.items()))
    rows = [{**row("pass", 0, seed=seed), "experiment": name} for seed in seeds[:2]]
    text = provenance(rows, 0, 0)
    assert f" {name} was mended after a run on one of 101, 102, 103; it is checked on {seeds[0]}, {seeds[1]}." in text
    assert "Seeds" not in text


def test_a_seed_that_showed_what_to_mend_counts_as_tuned() -> None:
    name = next(iter(LATER_CHECK_SEEDS))
    assert tuned_seeds(name) == TUNED_SEEDS | set(CHECK_SEEDS)
    assert tuned_seeds("lose-it") == TUNED_SEEDS
    text = provenance([{**row("pass", 0, seed=101), "experiment": name}], 0, 0)
    assert "tuned: 101." in text
    assert "checking" not in text


def test_a_seed_that_is_in_no_list_is_named() -> None:
    assert "Other seeds: 5." in provenance([row("pass", 0, seed=5), row("pass", 0, seed=101)], 0, 0)


def test_no_seed_for_checking_was_used_for_tuning() -> None:
    assert not TUNED_SEEDS & set(CHECK_SEEDS)
    for name, seeds in LATER_CHECK_SEEDS.items():
        assert not set(seeds) & tuned_seeds(name), name
        assert check_seeds(name) == seeds
