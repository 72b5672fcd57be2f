"""The runs of one experiment of a gate: how often they are looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chaos.cli.gate.plan import make_plans
from chaos.cli.gate.request import GateRequest
from chaos.cli.gate.series import Series
from tests.support.run_helpers import write_experiment


@pytest.mark.parametrize(
    ("options", "looks"),
    [
        ({}, 10),
        ({"repeat": 6}, 6),
        ({"repeat": 1}, 1),
        ({"against": "small-stack.yaml"}, 6),
        ({"against": "small-stack.yaml", "repeat": 5}, 1),
    ],
)
def test_only_looks_that_are_possible_share_the_error(tmp_path: Path, options: dict[str, Any], looks: int) -> None:
    path = write_experiment(tmp_path)
    if "against" in options:
        options = {**options, "against": str(tmp_path / options["against"])}
    [plan] = make_plans(GateRequest((str(path),), until_decided=True, within_s=1e6, **options))
    assert Series(plan)._most_looks == looks
