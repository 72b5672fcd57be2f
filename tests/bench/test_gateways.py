"""The table of real gateways."""

from __future__ import annotations

import math
from typing import Any

from bench.gateways import MEASURES, cells_of, provenance, table


def row(gateway: str, seed: int, verdict: str, lost: Any = 3) -> dict[str, Any]:
    measures = {name: {"value": lost, "unit": "count"} for name, _ in MEASURES}
    where = {"commit": "c", "machine": "2 cores", "seconds": 36.0}
    return {"experiment": "e", "gateway": gateway, "seed": seed, "verdict": verdict, "met": 5, **where} | {
        "measures": measures
    }


def test_seeds_come_one_after_the_other() -> None:
    cells = cells_of(["a", "b"], ["e"], [1, 2])
    assert cells == [("e", "a", 1), ("e", "b", 1), ("e", "a", 2), ("e", "b", 2)]


def test_a_row_has_the_range_over_the_seeds() -> None:
    rows = [row("a", 1, "fail", 3), row("a", 2, "fail", "never"), row("b", 1, "pass", None)]
    made = table(rows, "e").splitlines()
    assert len(made) == 4
    assert made[2].startswith("| a | fail | 5 | 3 to never |")
    assert made[3].startswith("| b | pass | 5 | not measured |")
    assert math.isclose(len(made[0].split("|")), len(made[2].split("|")))


def test_the_table_names_its_commit_seeds_and_machine() -> None:
    assert (
        provenance([row("a", 1, "fail"), row("b", 2, "pass")])
        == "2 runs of commit c, seeds 1, 2, 0.0 hours, on 2 cores."
    )
