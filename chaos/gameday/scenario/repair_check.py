"""Repairs that this target does not offer, or that do not touch the fault."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chaos.experiment.draft import Draft, views
from chaos.faults.catalogue import KINDS
from chaos.gameday.core.operations import OPERATIONS, Operation
from chaos.gameday.core.plan import Repair
from chaos.gameday.scenario.repair_text import read_repair
from chaos.gameday.scenario.synthetic import Entry
from reports.shared.document import Document, Where
from reports.shared.documents import did_you_mean
from reports.shared.errors import Problem
from reports.shared.units import Mistake

__all__ = ["check_repairs"]


def check_repairs(
    document: Document, entry: Entry, operations: Sequence[Operation], made: Draft, targets: Sequence[str]
) -> Iterator[Problem]:
    """What is wrong with `repair:` of one fault. `targets`: those of the fault; empty where it is not valid."""
    given = entry.raw.get("repair")
    offered = {operation.id: operation for operation in operations}
    for index, raw in enumerate(given if isinstance(given, list) else []):
        path: Where = (*entry.path, "repair", index)
        try:
            repairs = read_repair(raw)
        except Mistake:
            continue  # the format of the file says so
        for repair in repairs:
            operation = offered[repair.operation]
            if operation.why_not:
                what = f"{repair.operation} is not possible on this target: {operation.why_not}"
                yield document.problem(path, what, "name another repair, or another target")
                break
            if made.stack is None:
                continue
            argument = OPERATIONS[repair.operation].argument
            choices = operation.arguments[0].choices if operation.arguments else ()
            value = repair.arguments.get(argument, "")
            if argument and value not in choices:
                noun = "reserve pool" if repair.operation == "add_pool" else argument
                what = f'{repair.operation}: the stack {made.stack.name} has no {noun} "{value}"'
                yield document.problem(path, what, did_you_mean(value, choices))
            else:
                yield from _check_touches(document, path, entry, repair, made, targets)


def _check_touches(
    document: Document, path: Where, entry: Entry, repair: Repair, made: Draft, targets: Sequence[str]
) -> Iterator[Problem]:
    """A restart or a drain elsewhere does not repair a fault of replicas."""
    if len(entry.kinds) != 1 or KINDS[entry.kinds[0]].where not in ("process", "replica") or not targets:
        return
    assert made.stack is not None
    pools = dict.fromkeys(replica.pool for replica in views(made.stack) if replica.name in targets)
    touched = {"restart": ("replica", list(targets)), "drain": ("pool", list(pools))}.get(repair.operation)
    if touched is not None and repair.arguments[touched[0]] not in touched[1]:
        what = f"{repair.operation}: {repair.arguments[touched[0]]} does not repair a fault on {', '.join(targets)}"
        yield document.problem(path, what, f"name one of: {', '.join(touched[1])}")
