"""`brownout show NAME`: one experiment in full."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from chaos.cli.console import open_console
from chaos.experiment.model import Experiment, experiment_names, load_experiment
from reports.shared.documents import duration_text

__all__ = ["experiment_facts", "paragraphs", "print_experiment"]


def print_experiment(name: str, *, as_json: bool) -> None:
    """Print the experiment of this name or path. Raises UserError if there is none."""
    experiment = load_experiment(name)
    if as_json:
        print(json.dumps(experiment_facts(experiment), indent=1, ensure_ascii=False))
    else:
        open_console().print(_in_full(experiment))


def experiment_facts(experiment: Experiment) -> dict[str, Any]:
    """The experiment as plain data, for `--json` and the catalogue."""
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


def _in_full(experiment: Experiment) -> Group:
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
        *(Text(paragraph) for paragraph in paragraphs(experiment.description)),
        Text(),
        Text("Gates", style="bold"),
        *gates,
        Text(),
        Text("Run it", style="bold"),
        _commands(experiment, name),
    )


def paragraphs(description: str) -> list[str]:
    """A description without the line breaks of its file; `Look at:` and `What helps:` begin new paragraphs."""
    found: list[list[str]] = [[]]
    for line in description.splitlines():
        if not line.strip() or line.startswith(("Look at:", "What helps:")):
            found.append([])
        found[-1].append(line.strip())
    return [" ".join(words).strip() for words in found if any(words)]


def _commands(experiment: Experiment, name: str) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row(f"  brownout run {name}", "")
    if experiment.stack is not None:
        table.add_row(f"  brownout run {name} --stack naive", "on another stack")
        table.add_row(f"  brownout run {name} --stack multi-cloud --stack naive", "on both, compared")
        if experiment.faults:
            table.add_row(f"  brownout run {name} --twin", "and the same without its faults, compared")
    return table
