"""The faults of a scenario as the timeline of an experiment, each with its line in the scenario's file.

So the checks of experiments (`chaos.experiment`) read them: a fault that is not possible on the target, an unknown
replica, a tenant that the load does not have, two faults that exclude each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from chaos.experiment.draft import Draft, GatewayChoice, draft, mapping, occurring
from chaos.faults.catalogue import KINDS
from reports.shared.document import Document, Where
from reports.shared.documents import duration_s
from reports.shared.units import Mistake

__all__ = ["Entry", "entries", "seconds", "synthetic_draft", "without_faults"]

_SHARED: Final = ("brownout", "target", "load", "slo", "guardrails", "seed")
_OTHER_KEYS: Final = frozenset(("id", "repair", "every", "random", "times", "one_by_one"))
"""Keys of an entry that the timeline of an experiment does not read: `file` reports those that a scenario lacks too."""
_IF_UNKNOWN_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One fault of the file. `path`: where it stands. `branch`: the index of its branch; None: it has none.

    `at_s`: None: it is not valid, or missing where it must be given.
    """

    path: Where
    raw: dict[str, Any]
    branch: int | None
    at_s: float | None

    @property
    def kinds(self) -> list[str]:
        """The kinds of fault that it names."""
        return [kind for kind in KINDS if kind in self.raw]


def seconds(value: Any) -> float | None:
    """A duration of the file; None: it is not valid."""
    try:
        return duration_s(value)
    except Mistake:
        return None


def entries(document: Document) -> list[Entry]:
    """Every fault of the file, those of branches last; as far as they are mappings."""
    found = list(_entries(document.data.get("faults"), ("faults",), None, 0.0))
    branches = document.data.get("branches")
    for index, branch in enumerate(branches if isinstance(branches, list) else []):
        at_s = seconds(mapping(branch).get("at"))
        path: Where = ("branches", index, "faults")
        found.extend(_entries(mapping(branch).get("faults"), path, index, at_s))
    return found


def _entries(given: Any, path: Where, branch: int | None, default_s: float | None) -> Iterator[Entry]:
    for index, raw in enumerate(given if isinstance(given, list) else []):
        if isinstance(raw, dict):
            at_s = default_s if raw.get("at") is None else seconds(raw["at"])
            yield Entry((*path, index), raw, branch, at_s)


def without_faults(document: Document) -> Document:
    """The document without its faults, whose values other checks read."""
    data = {**document.data, "faults": []}
    if isinstance(data.get("branches"), list):
        data["branches"] = [{**one, "faults": []} if isinstance(one, dict) else one for one in data["branches"]]
    return Document(document.file, data, document.lines)


def synthetic_draft(
    document: Document,
    found: list[Entry],
    *,
    stack: str | Path | None = None,
    seed: int | None = None,
    target: Document | None = None,
    gateway: GatewayChoice | None = None,
) -> Draft:
    """The draft of an experiment with these faults, in their order. See `chaos.experiment.draft.draft`."""
    length_s = seconds(document.data.get("length")) or _IF_UNKNOWN_S
    data: dict[str, Any] = {key: document.data[key] for key in _SHARED if key in document.data}
    data["timeline"] = {"faults": [_as_in_an_experiment(entry, length_s) for entry in found]}
    lines = dict(document.lines)
    for index, entry in enumerate(found):
        place: Where = ("timeline", "faults", index)
        for path, line in document.lines.items():
            if path[: len(entry.path)] == entry.path:
                lines[(*place, *path[len(entry.path) :])] = line
    experiment = Document(document.file, data, lines)
    made = draft(experiment, stack=stack, seed=seed, target=target, gateway=gateway)
    ends = [time.ends_s for fault in made.faults for time in occurring(made, fault)]
    made.warmup_s, made.drain_s = 0.0, 0.0
    made.baseline_s, made.recovery_s = (0.0, max(0.0, length_s - max(ends))) if ends else (length_s, 0.0)
    return made


def _as_in_an_experiment(entry: Entry, length_s: float) -> Mapping[str, Any]:
    """A fault that lasts until it is repaired has the longest time that it can have."""
    given = {key: value for key, value in entry.raw.items() if key not in _OTHER_KEYS}
    at_s = entry.at_s or 0.0
    if given.get("at") is None:
        given["at"] = at_s
    if given.get("for") is None and any(KINDS[kind].needs_duration for kind in entry.kinds):
        given["for"] = max(1.0, length_s - at_s)
    return given
