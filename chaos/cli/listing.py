"""`brownout list`: what there is to play with, as plain data and as tables; one experiment told in full.

brownout list                        experiments, by family
brownout list NAME                   one of them: what happens, its gates, how to play it
brownout list stacks | profiles | faults | measures
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import groupby
from typing import Any, Final

from pydantic_core import PydanticUndefined
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from chaos.experiment.families import FAMILIES, family_order
from chaos.experiment.model import Experiment, experiment_names, load_experiment
from chaos.faults.catalogue import KINDS
from chaos.faults.selection import Selector
from chaos.faults.spec import FaultSpec
from loadprofiles.sessions.profile_file import load_profile, profile_names
from reports.measures.catalogue import CATALOGUE
from reports.measures.spec import MeasureSpec
from reports.shared.documents import duration_text
from targets.stack import load_stack, stack_names

__all__ = ["LISTS", "experiment_facts", "print_list"]

Row = dict[str, Any]


def experiment_facts(experiment: Experiment) -> Row:
    """What the catalogue says of an experiment."""
    stack, url = experiment.stack, experiment.url
    return {
        "name": experiment.name,
        "family": experiment.family,
        "title": experiment.title,
        "description": experiment.description,
        "stack": stack.name if stack is not None else None,
        "url": url.url if url is not None else None,
        "profile": experiment.profile.name,
        "load_s": experiment.load_s,
        "drain_s": experiment.timeline.drain_s,
        "faults": list(dict.fromkeys(fault.kind for fault in experiment.faults)),
        "gates": [gate.text for gate in experiment.gates],
        "headline_gate": experiment.headline_gate.text,
        "tells": experiment.headline_gate.text,  # its former name, for tools that read it
    }


def _experiments() -> list[Row]:
    facts = [experiment_facts(load_experiment(name)) for name in experiment_names()]
    return sorted(facts, key=lambda row: (family_order(row["family"]), row["name"]))


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
        {"name": kind, "title": (spec.__doc__ or "").split("\n")[0], "parameters": _parameters(spec)}
        for kind, spec in KINDS.items()
    ]


def _parameters(spec: type[FaultSpec]) -> dict[str, str]:
    """A kind's own parameters with their defaults in words; the selectors are those of all."""
    said = {}
    for name, field in spec.model_fields.items():
        if name in Selector.model_fields:
            continue
        value = field.default
        default = "required" if value is PydanticUndefined else f"{value:g}" if isinstance(value, float) else str(value)
        said[field.alias or name] = "" if value is None else default
    return said


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
    """How a gate may name it: `p95` stands for any percentile."""
    stats = ["p95" if stat == "p*" else stat for stat in spec.stats]
    bare = [] if spec.default_stat is None else [spec.name]
    return [*bare, *(f"{spec.name}.{stat}" for stat in stats)]


LISTS: Final[dict[str, Callable[[], list[Row]]]] = {
    "experiments": _experiments,
    "stacks": _stacks,
    "profiles": _profiles,
    "faults": _faults,
    "measures": _measures,
}
"""What can be listed."""


def print_list(what: str, *, as_json: bool) -> None:
    """Print a list of `LISTS`, or the experiment of that name or path. Raises UserError where there is none."""
    if what in LISTS:
        rows = LISTS[what]()
        _put(rows if as_json else _TABLES[what](rows))
    else:
        experiment = load_experiment(what)
        _put(experiment_facts(experiment) if as_json else _told(experiment))


def _put(shown: Any) -> None:
    if isinstance(shown, (dict, list)):
        print(json.dumps(shown, indent=1, ensure_ascii=False))
    else:
        Console(highlight=False).print(shown)


# -- for people -----------------------------------------------------------------------------------------------------
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
    hint = "brownout list NAME tells one in full; brownout list stacks | profiles | faults | measures, the rest"
    return Group(*parts, Text(hint, style="dim"))


def _grid(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in headings:
        table.add_column(heading, no_wrap=heading == headings[0])
    return table


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
    table = _grid("fault", "what it takes", "parameters (default)")
    for row in rows:
        said = [f"{name} ({default})" if default else name for name, default in row["parameters"].items()]
        table.add_row(row["name"], row["title"], ", ".join(said))
    return table


def _measure_table(rows: list[Row]) -> Table:
    table = _grid("measure", "what it is", "unit", "kind", "for")
    for row in rows:
        table.add_row("\n".join(row["write"]), row["title"], row["unit"], row["kind"], ", ".join(row["for"]))
    return table


_TABLES: Final[dict[str, Callable[[list[Row]], Any]]] = {
    "experiments": _experiment_table,
    "stacks": _stack_table,
    "profiles": _profile_table,
    "faults": _fault_table,
    "measures": _measure_table,
}


def _told(experiment: Experiment) -> Group:
    """One experiment in full."""
    shipped = experiment.name in experiment_names() and load_experiment(experiment.name).path == experiment.path
    name = experiment.name if shipped else str(experiment.path)
    target = experiment.stack.name if experiment.stack is not None else experiment.url.url if experiment.url else ""
    lasts = f"{duration_text(experiment.load_s)} and a drain of at most {duration_text(experiment.timeline.drain_s)}"
    gates = [
        Text.assemble("  ", gate.text, ("   headline gate" if gate == experiment.headline_gate else "", "dim"))
        for gate in experiment.gates
    ]
    return Group(
        Text(experiment.title, style="bold"),
        Text(f"{experiment.name} ({experiment.family or 'no family'}): {target}, {lasts}", style="dim"),
        Text(),
        *(Text(paragraph) for paragraph in _paragraphs(experiment.description)),
        Text(),
        Text("Gates", style="bold"),
        *gates,
        Text(),
        Text("Play it", style="bold"),
        _plays(experiment, name),
    )


def _paragraphs(description: str) -> list[str]:
    """A description without the line breaks of its file; `Look at:` and `What helps:` begin anew."""
    paragraphs: list[list[str]] = [[]]
    for line in description.splitlines():
        if not line.strip() or line.startswith(("Look at:", "What helps:")):
            paragraphs.append([])
        paragraphs[-1].append(line.strip())
    return [" ".join(words).strip() for words in paragraphs if any(words)]


def _plays(experiment: Experiment, name: str) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row(f"  brownout run {name}", "")
    if experiment.stack is not None:
        table.add_row(f"  brownout run {name} --stack naive", "on another stack")
        table.add_row(f"  brownout run {name} --stack multi-cloud --stack naive", "both, side by side")
        if experiment.faults:
            table.add_row(f"  brownout run {name} --twin", "beside the same without the faults")
    return table
