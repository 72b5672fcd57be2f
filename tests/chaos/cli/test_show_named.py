"""`brownout show` and `brownout list` with a name: of an experiment or of a scenario."""

from __future__ import annotations

import pytest

from chaos.cli.show import print_experiment
from chaos.cli.show_named import print_named
from chaos.cli.show_scenario import print_scenario
from reports.shared.documents import NotFound


def test_a_name_shows_what_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    for name, shows in (("grey-failure", print_experiment), ("one-slow-chip", print_scenario)):
        print_named(name, as_json=True)
        named = capsys.readouterr().out
        shows(name, as_json=True)
        assert named == capsys.readouterr().out


def test_a_name_of_neither_suggests_the_similar_one_of_both() -> None:
    with pytest.raises(NotFound, match='did you mean "one-slow-chip"'):
        print_named("one-slow-chi", as_json=False)
