"""`brownout list`: the catalogue by family, one experiment in full, and the rest, for people and for tools."""

from __future__ import annotations

import json

import pytest

from chaos.cli.listing import LISTS, print_list
from chaos.experiment.families import FAMILIES, family_order
from chaos.experiment.model import experiment_names, load_experiment
from chaos.faults.catalogue import KINDS
from reports.measures.catalogue import CATALOGUE
from reports.shared.documents import NotFound

LONGEST_LOAD_S = 60.0


def test_families_come_in_their_order_and_others_after_them() -> None:
    found = sorted(["zoo", "streams", "capacity", "operations", "economics"], key=family_order)
    assert found == ["capacity", "streams", "economics", "operations", "zoo"]


def test_experiments_are_listed_by_family(capsys: pytest.CaptureFixture[str]) -> None:
    print_list("experiments", as_json=False)
    lines = capsys.readouterr().out.splitlines()
    heads = [line.split("  ")[0] for line in lines if line and not line.startswith(" ")]
    families = [head for head in heads if head in FAMILIES]
    assert families == [family for family in FAMILIES if family in families]
    named = {line.split()[0] for line in lines if line.startswith("  ") and line.strip() and line[2] != " "}
    assert named == set(experiment_names())


def test_an_experiment_is_told_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    print_list("lose-tpu-pool", as_json=False)
    said = capsys.readouterr().out
    assert "Losing a third of the fleet mid-burst costs no agent session" in said
    assert "lose-tpu-pool (capacity): multi-cloud, 55 s and a drain of at most 30 s" in said
    assert "\nLook at: " in said
    assert "\nWhat helps: " in said
    assert "sessions_lost == 0   headline gate" in said
    assert "brownout run lose-tpu-pool --twin" in said


@pytest.mark.parametrize("what", sorted(LISTS))
def test_every_list_is_there_for_tools(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_list(what, as_json=True)
    rows = json.loads(capsys.readouterr().out)
    names = {"faults": list(KINDS), "measures": list(CATALOGUE)}.get(what)
    assert [row["name"] for row in rows] == names or names is None
    assert all(row["title"] for row in rows)


def test_a_measure_says_how_a_gate_writes_it(capsys: pytest.CaptureFixture[str]) -> None:
    print_list("measures", as_json=True)
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["ttft"]["write"] == ["ttft.p95", "ttft.max"]
    assert rows["cost"]["write"] == ["cost", "cost.per_1k_sessions", "cost.per_million_tokens"]


def test_a_fault_says_its_parameters_and_their_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    print_list("faults", as_json=True)
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["slow_decode"]["parameters"] == {"factor": "required"}
    assert rows["restart"]["parameters"] == {"grace": "1", "cold_start": "10"}


def test_an_unknown_name_is_answered_with_the_likely_one() -> None:
    with pytest.raises(NotFound, match='did you mean "lose-tpu-pool"'):
        print_list("lose-tpu-pol", as_json=False)


@pytest.mark.parametrize("name", experiment_names())
def test_every_experiment_tells_its_outage_and_ends_in_time(name: str) -> None:
    experiment = load_experiment(name)
    assert experiment.title
    assert experiment.family in FAMILIES
    assert "\nLook at: " in experiment.description
    assert "\nWhat helps: " in experiment.description
    assert experiment.gates
    assert experiment.headline_gate in experiment.gates
    assert experiment.load_s <= LONGEST_LOAD_S
