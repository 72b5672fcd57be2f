"""Links, tables, YAML blocks and generated parts of the documentation."""

from __future__ import annotations

import pkgutil
import re
from pathlib import Path

import pytest
import yaml

from bench.catalogue import BEGIN, END, texts
from chaos.cli.listing import LISTS
from chaos.experiment.model import load_experiment
from chaos.gameday.scenario.model import load_scenario
from tests.support.doc_pages import PAGES, anchors, links, table_cells, yaml_blocks
from tests.support.paths import ROOT

MAX_README_LINES = 150
MAX_CELL = 240
INDEX = ROOT / "docs" / "README.md"
EXAMPLE = re.compile(r"NAME|/a/")
"""In paths that stand for any module."""

DECISIONS = ROOT / "docs" / "decisions" / "README.md"

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def whole_experiments() -> list[tuple[str, str]]:
    """Where each block that is a whole experiment file stands, and its text."""
    found = []
    for page in PAGES:
        for line, text in yaml_blocks(page):
            data = yaml.safe_load(text)
            experiment = (
                isinstance(data, dict) and data.get("brownout") == 1 and not data.keys() & {"pools", "scenario"}
            )
            if experiment and data.keys() > {"brownout", "target"}:  # else a file for --target
                found.append((f"{page.relative_to(ROOT)}:{line}", text))
    return found


def resolves(name: str) -> bool:
    """Whether a dotted name is a module, or something in one."""
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True


@each_page
def test_every_relative_link_and_its_anchor_resolve(page: Path) -> None:
    broken = []
    for line, target in links(page):
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        if not linked.exists() or (anchor and anchor not in anchors(linked)):
            broken.append(f"{page.name}:{line}: {target}")
    assert broken == []


@each_page
def test_every_path_of_the_repository_that_is_named_exists(page: Path) -> None:
    named = set(
        re.findall(r"`((?:chaos|loadprofiles|targets|reports|tests|bench|docs|tools)/[\w./-]*)`", page.read_text())
    )
    assert sorted(path for path in named if not EXAMPLE.search(path) and not (ROOT / path).exists()) == []


@each_page
def test_every_python_name_that_is_named_exists(page: Path) -> None:
    named = set(re.findall(r"`((?:chaos|loadprofiles|targets|reports)(?:\.\w+)+)`", page.read_text(encoding="utf-8")))
    assert sorted(name for name in named if not resolves(name)) == []


@each_page
def test_a_cell_of_a_table_holds_a_phrase(page: Path) -> None:
    assert [f"{page.name}:{line}: {cell}" for line, cell in table_cells(page) if len(cell) > MAX_CELL] == []


@each_page
def test_every_yaml_block_is_valid_yaml(page: Path) -> None:
    for line, text in yaml_blocks(page):
        try:
            yaml.safe_load(text)
        except yaml.YAMLError as error:
            pytest.fail(f"{page.name}:{line}: {error}")


@pytest.mark.parametrize(("place", "text"), whole_experiments(), ids=lambda value: value.split("\n", 1)[0][:40])
def test_every_whole_experiment_passes_brownout_check(place: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "documented.yaml"
    file.write_text(text, encoding="utf-8")
    assert load_experiment(str(file)).gates, place


def test_every_whole_scenario_passes_brownout_check(tmp_path: Path) -> None:
    found = [text for page in PAGES for _, text in yaml_blocks(page) if re.search(r"^scenario: ", text, re.MULTILINE)]
    assert found
    for text in found:
        file = tmp_path / "documented.yaml"
        file.write_text(text, encoding="utf-8")
        assert load_scenario(file).plan.steps


def test_the_readme_and_the_page_on_experiments_show_a_whole_experiment() -> None:
    pages = {place.split(":")[0] for place, _ in whole_experiments()}
    assert pages >= {"README.md", "docs/experiments.md"}


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= MAX_README_LINES


@pytest.mark.parametrize("index", [INDEX, DECISIONS], ids=["docs", "decisions"])
def test_an_index_links_every_page_of_its_folder(index: Path) -> None:
    linked = {(index.parent / target).resolve() for _, target in links(index)}
    assert [path.name for path in sorted(index.parent.glob("*.md")) if path not in {index, *linked}] == []


def test_the_catalogue_page_has_the_current_texts_of_the_experiments() -> None:
    """`python -m bench.catalogue --table --write` rewrites it; the table before the texts comes from hours of runs."""
    page = (ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8")
    made = page.partition(BEGIN)[2].partition(END)[0].strip()
    assert made.endswith(texts(LISTS["experiments"]()))
