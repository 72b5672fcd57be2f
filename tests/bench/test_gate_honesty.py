"""Which runs of gates are played and kept, and what is read from them again."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import gate_honesty
from bench.gate_honesty import (
    BEGIN,
    END,
    PAGE,
    Cell,
    cell_of,
    cells_of,
    encoded,
    gate_row,
    main,
    missing_cells,
    plan_text,
    run_row,
    stored_of,
    usable,
    values_of,
)
from bench.plants import COMPARED
from bench.provenance import machine_class
from brownout import GateFailed, Result
from chaos.experiment.model import load_experiment
from reports.gating.run_values import RunValues
from tests.support.gate_results import compared, result, run
from tests.support.gate_results import experiment as experiment_part
from tests.support.gate_runs import run_report

EXPERIMENT = "cloud-outage"


def values(seed: int, ttft: float = 0.5, *, doubtful: bool = False) -> RunValues:
    cells: Any = {"run": 400.0}
    measures: Any = {"ttft.p95": {"run": ttft}, "time_to_recover": {"run": math.inf}}
    return RunValues(seed, "2026-11-28", True, doubtful, cells, cells, measures)


def row(cell: Cell, *, doubtful: bool = False, machine: str = "2 cores", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "values": encoded(values(cell.seed, 0.5 + (cell.half ^ cell.seed % 2) / 1000, doubtful=doubtful))
    }
    if cell.kind == "live":
        found = {"pairs": [[encoded(values(cell.seed + at)), encoded(values(cell.seed + at))] for at in range(5)]}
    where = {"machine": machine, "commit": "abc", "load_average": 0.5, "seconds": 95.0 * cell.runs}
    names = ("kind", "experiment", "plant", "seed", "half")
    return {**{name: getattr(cell, name) for name in names}, "verdict": "pass", **found, **where, **more}


def cells(pairs: int = 10) -> list[Cell]:
    return cells_of(EXPERIMENT, pairs, 2001, COMPARED, 5, 2)


def test_the_store_has_two_runs_of_each_seed_in_turn() -> None:
    found = cells_of(EXPERIMENT, 20, 2001, COMPARED, 5, 2)
    store = [(cell.seed, cell.half) for cell in found if cell.kind == "store"]
    assert store == list(itertools.product(range(2001, 2021), (0, 1)))
    assert sum(cell.runs for cell in found) == 40 + 25 + 5 + 20
    assert len({cell.name for cell in found}) == len(found)


def test_plants_have_seeds_of_the_store_and_live_gates_their_own() -> None:
    found = cells()
    store = {cell.seed for cell in found if cell.kind == "store"}
    assert all(cell.seed in store for cell in found if cell.kind in ("plant", "base"))
    live = [seed for cell in found if cell.kind == "live" for seed in range(cell.seed, cell.seed + 5)]
    assert len(set(live)) == 10
    assert not store & set(live)


def test_a_plant_on_another_experiment_has_base_runs_of_its_own() -> None:
    found = cells()
    base = [cell for cell in found if cell.kind == "base"]
    assert {cell.experiment for cell in base} == {"stalled-streams"}
    assert {cell.seed for cell in base} == {cell.seed for cell in found if cell.plant == "timeouts ten times longer"}
    other = cells_of("stalled-streams", 10, 2001, COMPARED, 5, 0)
    assert {cell.experiment for cell in other if cell.kind == "base"} == {EXPERIMENT}


def test_values_are_the_same_after_they_were_stored() -> None:
    before = values(7)
    stored = encoded(before)
    assert stored["measures"]["time_to_recover"] == {"run": "never"}
    assert values_of(stored) == before


def test_a_run_counts_only_where_its_machine_was_not_in_doubt() -> None:
    cell = Cell("store", EXPERIMENT, "", 2001)
    assert usable(row(cell))
    assert not usable(row(cell, doubtful=True))
    assert not usable({"verdict": "failed"})
    live = row(Cell("live", EXPERIMENT, "", 3001))
    assert usable(live)
    assert not usable({**live, "pairs": live["pairs"][:4]})
    live["pairs"][2][1]["doubtful"] = True
    assert not usable(live)


def test_what_is_missing_is_played_and_what_does_not_count_is_replayed() -> None:
    wanted = cells()
    rows = [row(cell) for cell in wanted[:3]] + [row(wanted[3], doubtful=True), row(wanted[4], machine="other")]
    assert missing_cells(wanted, rows, "2 cores", replay=False) == wanted[4:]
    assert missing_cells(wanted, rows, "2 cores", replay=True) == wanted[3:]
    rows.append(row(wanted[3]))
    assert missing_cells(wanted, rows, "2 cores", replay=True) == wanted[4:]


def test_how_long_the_runs_take_is_said_before() -> None:
    wanted = cells_of(EXPERIMENT, 20, 2001, COMPARED, 5, 2)
    assert plan_text(wanted, []) == "90 runs left, about 60 s each: 1.5 hours"
    assert plan_text(wanted[:1], [{**row(wanted[-1]), "seconds": 600.0}]) == "1 runs left, about 60 s each: 0.0 hours"


def test_the_store_is_read_as_pairs_of_a_seed_without_what_does_not_count() -> None:
    wanted = cells()
    rows = [row(cell, doubtful=cell.seed == 2003 and cell.half == 1) for cell in wanted[:-1]]
    found = stored_of(rows, wanted, "2 cores")
    assert [first.seed for first, _ in found.pairs] == [seed for seed in range(2001, 2011) if seed != 2003]
    values_read = {(one.seed, one.value("ttft.p95", None)) for pair in found.pairs for one in pair}
    assert {value for seed, value in values_read if seed == 2002} == {0.5, 0.501}
    assert [pair[0].value("ttft.p95", None) for pair in found.pairs[:2]] == [0.501, 0.5]
    assert (found.wanted, found.unplayed, found.doubted) == (10, 10, 1)
    assert {name: len(runs) for name, runs in found.heads.items()} == {plant.name: 5 for plant in COMPARED}
    assert [len(runs) for runs in found.bases[EXPERIMENT].values()] == [2, 2, 1, *[2] * 7]
    assert [len(pairs) for pairs in found.live] == [5]
    assert found.live_verdicts == ["pass"]
    assert (found.commits, found.machine, found.busiest) == (("abc",), "2 cores", 0.5)
    assert found.hours == pytest.approx(95 * (50 + 10) / 3600)


def played_gate(out: Path, seeds: range) -> Result:
    """The result of a gate on equal sides, with the report of each run."""
    runs = []
    for seed, side in itertools.product(seeds, ("base", "head")):
        folder = Path("runs", f"{side}-{seed}")
        experiment = replace(load_experiment(EXPERIMENT), seed=seed)
        (out / folder / "logs").mkdir(parents=True)
        (out / folder / "report.json").write_text(json.dumps(run_report(experiment, values={"ttft.p95": seed / 1e4})))
        runs.append(run(seed, side=side, folder=str(folder)))
    found = experiment_part(EXPERIMENT, runs=runs, comparison=compared())
    return replace(result(found), folder=out)


def test_a_live_gate_is_kept_as_its_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    def play_gate(name: str, *, out: Path, seed: int, **options: Any) -> Result:
        given.update(options, name=name)
        return played_gate(out, range(seed, seed + 5))

    monkeypatch.setattr(gate_honesty, "play_gate", play_gate)
    found = gate_row(Cell("live", EXPERIMENT, "", 3001), tmp_path)
    assert given == {"name": EXPERIMENT, "stack": "multi-cloud", "against": "multi-cloud", "repeat": 5}
    assert found["verdict"] == "pass"
    pairs = [[values_of(one) for one in pair] for pair in found["pairs"]]
    assert [[one.seed for one in pair] for pair in pairs] == [[seed, seed] for seed in range(3001, 3006)]
    assert pairs[0][0].value("ttft.p95", None) == 0.3001
    assert usable(found)
    assert not list(tmp_path.rglob("logs"))


def test_an_interrupted_live_gate_is_not_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = replace(result(), verdict="interrupted", exit_code=130, experiments=())
    monkeypatch.setattr(gate_honesty, "play_gate", lambda *_, **__: stopped)
    assert gate_row(Cell("live", EXPERIMENT, "", 3001), tmp_path) == {"exit": 130, "verdict": "interrupted"}


def test_a_live_gate_without_a_result_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def play_gate(*_: Any, **__: Any) -> Result:
        raise GateFailed("the gate ended and wrote no result")

    monkeypatch.setattr(gate_honesty, "play_gate", play_gate)
    found = gate_row(Cell("live", EXPERIMENT, "", 3001), tmp_path)
    assert (found["verdict"], found["output"]) == ("failed", "the gate ended and wrote no result")
    assert not usable(found)


def test_a_plant_is_played_with_its_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[str, ...]] = []

    def play(experiment: str, *options: str, runs: Path) -> tuple[dict[str, Any], Path]:
        given.append((experiment, *options))
        runs.mkdir(parents=True)
        (runs / "report.json").write_text(json.dumps(run_report(load_experiment(experiment))))
        return {"exit": 0, "verdict": "pass", "doubts": [], "gates": {}}, runs

    monkeypatch.setattr(gate_honesty, "play", play)
    found = run_row(Cell("plant", EXPERIMENT, "one replica fewer", 2001), tmp_path)
    run_row(Cell("store", EXPERIMENT, "", 2001), tmp_path)
    stacks = [words[words.index("--stack") + 1] for words in given]
    assert load_experiment(EXPERIMENT, stack=stacks[0]).stack is not None
    assert stacks[1] == "multi-cloud"
    assert all(words[-2:] == ("--seed", "2001") for words in given)
    assert usable(found)
    assert values_of(found["values"]).value("goodput", None) == 500.0


def test_cells_are_found_again_in_their_rows() -> None:
    assert all(cell_of(row(cell)) == cell for cell in cells())


def test_what_is_missing_is_played_once_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With equal stored runs, nothing can fail; the page gets the tables between its markers."""
    page = tmp_path / "honesty.md"
    page.write_text(f"before\n{BEGIN}\nformer text\n{END}\nafter\n")
    monkeypatch.setattr(gate_honesty, "PAGE", page)
    played: list[Cell] = []

    def play_cell(cell: Cell, folder: Path) -> dict[str, Any]:
        played.append(cell)
        return row(cell, machine=machine_class())

    monkeypatch.setattr(gate_honesty, "play_cell", play_cell)
    words = ["--draws", "20", "--size-draws", "0", "--results", str(tmp_path / "rows.jsonl")]
    assert main([*words, "--write"]) == 0
    assert played == cells(20)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "former text" not in text
    assert "| 5 | 0 of 20 |" in text
    assert main([*words, "--table"]) == 0
    assert len(played) == len(cells(20))


def test_an_interrupted_run_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gate_honesty, "play_cell", lambda cell, _: {**row(cell), "verdict": "interrupted"})
    rows = tmp_path / "rows.jsonl"
    assert main(["--results", str(rows)]) == 130
    assert not rows.exists()
    assert "90 runs left, about 60 s each: 1.5 hours" in capsys.readouterr().out


def test_without_results_the_tables_say_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--table", "--results", str(tmp_path / "none.jsonl")]) == 1
    printed = capsys.readouterr().out
    assert "- 90 runs are not played yet" in printed
    assert "|" not in printed


@pytest.mark.parametrize("words", [["--pairs", "4"], ["--plant-pairs", "7"], ["--pairs", "5", "--plant-pairs", "10"]])
def test_numbers_of_pairs_that_cannot_be_compared_are_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit):
        main([*words, "--table"])


def test_the_page_has_the_markers() -> None:
    text = PAGE.read_text()
    assert text.count(BEGIN) == text.count(END) == 1
    assert text.index(BEGIN) < text.index(END)
