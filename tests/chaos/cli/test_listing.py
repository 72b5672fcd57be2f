"""`brownout list`: experiments by family, and what they consist of, as tables and as JSON."""

from __future__ import annotations

import json

import pytest

from chaos.cli.listing import LISTS, print_list
from chaos.cli.show import print_experiment
from chaos.experiment.families import FAMILIES, family_order
from chaos.experiment.model import experiment_names, load_experiment
from chaos.faults.catalogue import KINDS
from reports.measures.catalogue import CATALOGUE
from reports.shared.documents import NotFound

LONGEST_LOAD_S = 80.0


def test_families_have_a_fixed_order_and_others_follow() -> None:
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


def test_the_name_of_an_experiment_shows_it_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    print_list("lose-tpu-pool", as_json=False)
    listed = capsys.readouterr().out
    print_experiment("lose-tpu-pool", as_json=False)
    assert listed == capsys.readouterr().out


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_help_text_of_a_fault_is_listed_whole(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_list("faults", as_json=True)
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows[kind]["title"].split() == (KINDS[kind].__doc__ or "").split()
    assert rows[kind]["title"].endswith(".")


@pytest.mark.parametrize("what", sorted(LISTS))
def test_every_list_can_be_printed_as_json(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_list(what, as_json=True)
    rows = json.loads(capsys.readouterr().out)
    names = {"faults": list(KINDS), "measures": list(CATALOGUE)}.get(what)
    assert [row["name"] for row in rows] == names or names is None
    assert all(row["title"] for row in rows)


def test_a_measure_is_listed_with_the_names_that_a_gate_may_use(capsys: pytest.CaptureFixture[str]) -> None:
    print_list("measures", as_json=True)
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["ttft"]["write"] == ["ttft.p95", "ttft.max"]
    assert rows["cost"]["write"] == ["cost", "cost.per_1k_sessions", "cost.per_million_tokens"]


def test_a_fault_is_listed_with_its_parameters_and_their_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    print_list("faults", as_json=True)
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["slow_decode"]["parameters"] == {"factor": "required"}
    assert rows["restart"]["parameters"] == {"grace": "1", "cold_start": "10"}


def test_an_unknown_name_is_an_error_that_suggests_the_similar_one() -> None:
    with pytest.raises(NotFound, match='did you mean "lose-tpu-pool"'):
        print_list("lose-tpu-pol", as_json=False)


@pytest.mark.parametrize("name", experiment_names())
def test_every_experiment_is_described_and_ends_in_time(name: str) -> None:
    experiment = load_experiment(name)
    assert experiment.title
    assert experiment.family in FAMILIES
    assert "\nLook at: " in experiment.description
    assert "\nWhat helps: " in experiment.description
    assert experiment.gates
    assert experiment.headline_gate in experiment.gates
    assert experiment.load_s <= LONGEST_LOAD_S
