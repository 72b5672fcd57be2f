"""Whether a name or a path is a scenario or an experiment."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.gameday.scenario.named import what_is
from reports.shared.documents import NotFound
from reports.shared.errors import InvalidFile
from tests.support.scenario_files import write


def test_a_name_or_a_file_is_one_of_the_two(tmp_path: Path) -> None:
    assert what_is("one-slow-chip") == "scenario"
    assert what_is("grey-failure") == "experiment"
    assert what_is(write(tmp_path)) == "scenario"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("one-slow-chp", 'no scenario or experiment "one-slow-chp"\n    did you mean "one-slow-chip"'),
        ("grey-failur", 'did you mean "grey-failure"'),
        ("none.yaml", 'no scenario or experiment file "none.yaml"\n    give the path of a file, or one of: '),
    ],
)
def test_what_is_neither_is_refused_with_what_is_similar(name: str, says: str) -> None:
    with pytest.raises(NotFound) as caught:
        what_is(name)
    assert says in str(caught.value)


def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: [")
    with pytest.raises(InvalidFile):
        what_is(path)
