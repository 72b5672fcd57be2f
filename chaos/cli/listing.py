"""`brownout list`: what ships with brownout, as tables or as JSON.

brownout list                                          experiments, by family
brownout list scenarios                                scenarios of game days
brownout list stacks | profiles | faults | measures
brownout list NAME                                     one of them in full, as `brownout show NAME`
brownout list --target FILE                            which experiments this target can play, and why not the others
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from pydantic_core import PydanticUndefined
from rich.console import Group
from rich.table import Table
from rich.text import Text

from chaos.cli.console import open_console
from chaos.cli.playable import print_playable
from chaos.cli.show import experiment_facts
from chaos.cli.show_named import print_named
from chaos.experiment.families import FAMILIES, family_order
from chaos.experiment.model import experiment_names, load_experiment
from chaos.faults.catalogue import KINDS
from chaos.faults.selection import Selector
from chaos.faults.spec import FaultSpec
from chaos.gameday.scenario.model import load_scenario, scenario_names
from loadprofiles.sessions.profile_file import load_profile, profile_names
from reports.measures.catalogue import CATALOGUE
from reports.measures.spec import MeasureSpec
from reports.shared.documents import duration_text
from reports.shared.errors import UserError
from targets.stack import load_stack, stack_names

__all__ = ["LISTS", "print_list"]

Row = dict[str, Any]


def _experiments() -> list[Row]:
    facts = [experiment_facts(load_experiment(name)) for name in experiment_names()]
    return sorted(facts, key=lambda row: (family_order(row["family"]), row["name"]))


def _scenarios() -> list[Row]:
    rows = []
    for name in scenario_names():
        plan = load_scenario(name).plan
        rows.append({"name": name, "family": plan.family, "length_s": plan.length_s, "title": plan.title})
    return rows


def _stacks() -> list[Row]:
    stacks = [load_stack(name) for name in stack_names()]
    return [
        {"name": stack.name, "title": stack.title, "pools": {pool.name: pool.replicas for pool in stack.pools}}
        for stack in stacks
    ]


def _profiles() -> list[Row]:
    return [{"name": name, "title": load_profile(name).title} for name in profile_names()]


def _faults() -> list[Row]:
    return [
        {"name": kind, "title": spec.description(), "parameters": _parameters(spec)} for kind, spec in KINDS.items()
    ]


def _parameters(spec: type[FaultSpec]) -> dict[str, str]:
    """A kind's own parameters and their defaults as text, without the selectors that every kind has."""
    parameters = {}
    for name, field in spec.model_fields.items():
        if name in Selector.model_fields:
            continue
        value = field.default
        default = "required" if value is PydanticUndefined else f"{value:g}" if isinstance(value, float) else str(value)
        parameters[field.alias or name] = "" if value is None else default
    return parameters


def _measures() -> list[Row]:
    return [
        {
            "name": spec.name,
            "title": spec.title,
            "kind": spec.kind,
            "unit": spec.unit,
            "write": _written(spec),
            "phases": spec.phased,
            "for": list(spec.where),
        }
        for spec in CATALOGUE.values()
    ]


def _written(spec: MeasureSpec) -> list[str]:
    """How a gate may write it; `p95` stands for any percentile."""
    stats = ["p95" if stat == "p*" else stat for stat in spec.stats]
    bare = [] if spec.default_stat is None else [spec.name]
    return [*bare, *(f"{spec.name}.{stat}" for stat in stats)]


LISTS: Final[dict[str, Callable[[], list[Row]]]] = {
    "experiments": _experiments,
    "scenarios": _scenarios,
    "stacks": _stacks,
    "profiles": _profiles,
    "faults": _faults,
    "measures": _measures,
}
"""What can be listed, and its rows as plain data."""


def print_list(what: str, *, as_json: bool, target: Path | None = None) -> None:
    """Print a list of `LISTS`, or the experiment or scenario of this name or path.

    Raises UserError if there is none.

    `target`: a file with a `target:`, for the experiments only.
    """
    if target is not None:
        if what != "experiments":
            raise UserError(f"list {what} --target: only experiments depend on the target. Leave {what} out")
        print_playable(target, as_json=as_json)
        return
    if what not in LISTS:
        print_named(what, as_json=as_json)
        return
    rows = LISTS[what]()
    if as_json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
    else:
        open_console().print(_TABLES[what](rows))


def _experiment_table(rows: list[Row]) -> Group:
    parts: list[Any] = []
    width = max((len(row["name"]) for row in rows), default=0)
    for family, group in groupby(rows, key=lambda row: str(row["family"])):
        what = FAMILIES.get(family, "")
        parts.append(Text.assemble((family or "others", "bold"), (f"  {what}", "dim")))
        table = Table.grid(padding=(0, 2))
        table.add_column(min_width=width + 2, no_wrap=True)
        for row in group:
            table.add_row("  " + row["name"], row["title"])
        parts += [table, Text()]
    hint = (
        "brownout show NAME: one experiment in full; "
        "brownout list scenarios | stacks | profiles | faults | measures: the rest"
    )
    return Group(*parts, Text(hint, style="dim"))


def _grid(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in headings:
        table.add_column(heading, no_wrap=heading == headings[0])
    return table


def _scenario_table(rows: list[Row]) -> Group:
    table = _grid("scenario", "family", "length", "what happens (for the game master)")
    for row in rows:
        table.add_row(row["name"], row["family"], duration_text(row["length_s"]), row["title"])
    hint = "brownout show NAME: one in full; brownout gameday NAME plays it"
    return Group(table, Text(), Text(hint, style="dim"))


def _stack_table(rows: list[Row]) -> Table:
    table = _grid("stack", "what it is", "replicas")
    for row in rows:
        table.add_row(row["name"], row["title"], ", ".join(f"{name} x {n}" for name, n in row["pools"].items()))
    return table


def _profile_table(rows: list[Row]) -> Table:
    table = _grid("profile", "what it is")
    for row in rows:
        table.add_row(row["name"], row["title"])
    return table


def _fault_table(rows: list[Row]) -> Table:
    table = _grid("fault", "what happens", "parameters (default)")
    for row in rows:
        parameters = [f"{name} ({default})" if default else name for name, default in row["parameters"].items()]
        table.add_row(row["name"], row["title"], ", ".join(parameters))
    return table


def _measure_table(rows: list[Row]) -> Table:
    table = _grid("measure", "what it is", "unit", "kind", "for")
    for row in rows:
        table.add_row("\n".join(row["write"]), row["title"], row["unit"], row["kind"], ", ".join(row["for"]))
    return table


_TABLES: Final[dict[str, Callable[[list[Row]], Any]]] = {
    "experiments": _experiment_table,
    "scenarios": _scenario_table,
    "stacks": _stack_table,
    "profiles": _profile_table,
    "faults": _fault_table,
    "measures": _measure_table,
}
